"""monitoring: for how long raw readings are kept, and the hours that stand for those that were thinned

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

RETENTION = """
-- The newest row of a tenant and kind holds. Nothing is ever changed here. Null: never.
create table monitoring.retention (
    n bigint generated always as identity primary key,
    tenant int not null,
    kind text not null check (kind in ('readings', 'waveforms')),
    thin_days int check (thin_days > 0),
    delete_days int check (delete_days > 0),
    reason text not null,
    by_id text not null,
    by_name text not null,
    at timestamptz not null
);
create index on monitoring.retention (tenant, kind, n desc);

-- An hour (its first us) of a device and metric whose readings were thinned: how many there were, the lowest, the
-- highest, their mean. What arrives later of such an hour stays as it is.
create table monitoring.summary (
    device int not null references monitoring.device (number),
    metric int2 not null,
    hour bigint not null,
    tenant int not null,
    patient text not null,
    n int not null,
    low float8 not null,
    high float8 not null,
    mean float8 not null,
    made_at timestamptz not null,
    primary key (device, metric, hour)
);
create index on monitoring.summary (tenant, patient, metric, hour);
create index on monitoring.summary (tenant, hour);

-- Until which device time (us) a device's metric was judged, under which policy.
create table monitoring.thinned_until (
    device int not null references monitoring.device (number),
    metric int2 not null,
    policy bigint not null,
    until bigint not null,
    primary key (device, metric)
);

-- What a day's run did, for the administrator.
create table monitoring.retention_run (
    n bigint generated always as identity primary key,
    tenant int not null,
    at timestamptz not null,
    thinned bigint not null,
    hours bigint not null,
    deleted bigint not null,
    waves bigint not null
);
create index on monitoring.retention_run (tenant, n desc);
"""

VIEW = """
-- Hours stand in the record as Observations that have no value of their own, only statistics as components.
create or replace view monitoring.observation as
{before}
union all
select s.tenant,
       'h.' || s.device || '.' || s.metric || '.' || s.hour,
       s.patient,
       timestamptz '1970-01-01 00:00:00+00' + s.hour * interval '1 microsecond',
       timestamptz '1970-01-01 01:00:00+00' + s.hour * interval '1 microsecond',
       s.made_at,
       1,
       m.codes,
       m.category,
       array['http://hl7.org/fhir/observation-status|final'],
       array['Patient/' || s.patient],
       case when d.source = 'device' then array['Device/' || d.name] else array[]::text[] end,
       array[]::float8[],
       array[]::text[],
       x.codes,
       x.vals,
       x.units,
       m.codes || x.codes,
       x.vals,
       x.units
from monitoring.summary s
join monitoring.device d on d.number = s.device
join monitoring.metric m on m.number = s.metric
cross join lateral (select
    array['http://terminology.hl7.org/CodeSystem/observation-statistics|minimum',
          'http://terminology.hl7.org/CodeSystem/observation-statistics|average',
          'http://terminology.hl7.org/CodeSystem/observation-statistics|maximum',
          'http://terminology.hl7.org/CodeSystem/observation-statistics|count'] as codes,
    array[s.low, s.mean, s.high, s.n::float8] as vals,
    array[m.unit[1], m.unit[1], m.unit[1], '1'] as units) x
"""


def upgrade() -> None:
    """Make the tables, and let the view show the hours."""
    op.execute(RETENTION)
    before = op.get_bind().exec_driver_sql("select pg_get_viewdef('monitoring.observation'::regclass)").scalar_one()
    op.execute(VIEW.format(before=before.strip().rstrip(";")))


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
