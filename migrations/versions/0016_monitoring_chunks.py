"""monitoring: packs are put together into chunks; the views read both

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

CHUNK = """
-- Readings of one device, metric and patient over a span of device time, in its order; spans of a device and metric do
-- not overlap. place: device time - t_min, us. received: receipt - received_at, us: what the packs' rows said of their
-- arrival stays. flags, sent_*: null where no reading has any. PostgreSQL packs the arrays (decision 14).
-- low, high: of the whole, and (block_*) of each hundred readings, with where they begin and end: a year is drawn
-- without opening what is finer than a pixel. block_span: the longest of them, us.
create table monitoring.chunk (
    tenant int not null,
    device int not null references monitoring.device (number),
    metric int2 not null,
    patient text not null,
    t_min bigint not null,
    t_max bigint not null,
    received_at timestamptz not null,
    n int2 not null,
    low float8 not null,
    high float8 not null,
    block_span bigint not null,
    block_begin bigint[] not null,
    block_end bigint[] not null,
    block_low float8[] not null,
    block_high float8[] not null,
    place bigint[] not null,
    value float8[] not null,
    received bigint[] not null,
    flags int2[],
    sent_value float8[],
    sent_unit text[],
    primary key (device, metric, t_min)
);
create index on monitoring.chunk (tenant, patient, metric, t_max);

-- Everybody of whom there may be a reading: who never had one is not looked for in the views.
create view monitoring.observed as select tenant, patient from monitoring.latest;

create view monitoring.reading as
select p.tenant, p.device, p.patient, p.t_min, p.t_max, p.received_at, u.metric, u.time, u.value
from monitoring.pack p
cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
union all
select c.tenant, c.device, c.patient, c.t_min, c.t_max, c.received_at + u.received * interval '1 microsecond',
       c.metric, c.t_min + u.place, u.value
from monitoring.chunk c
cross join lateral unnest(c.place, c.value, c.received) as u (place, value, received);
"""

OBSERVATION = """
drop view monitoring.observation;
-- As migration 0004 says, of packs and chunks alike.
create view monitoring.observation as
select r.tenant,
       'r.' || r.device || '.' || r.metric || '.' || r.time as id,
       r.patient,
       timestamptz '1970-01-01 00:00:00+00' + r.time * interval '1 microsecond' as at,
       timestamptz '1970-01-01 00:00:00+00' + (r.time + 1) * interval '1 microsecond' as until,
       greatest(r.received_at, w.at) as updated,
       case when w.at is null then 1 else 2 end as version,
       m.codes as code,
       m.category,
       array['http://hl7.org/fhir/observation-status|'
             || case when w.at is null then 'final' else 'entered-in-error' end] as status,
       array['Patient/' || r.patient] as subject,
       case when d.source = 'device' then array['Device/' || d.name] else array[]::text[] end as device,
       case when m.quantity then array[r.value] else array[]::float8[] end as value,
       case when m.quantity then m.unit else array[]::text[] end as unit,
       array[]::text[] as component_code,
       array[]::float8[] as component_value,
       array[]::text[] as component_unit,
       m.codes as combo_code,
       case when m.quantity then array[r.value] else array[]::float8[] end as combo_value,
       case when m.quantity then m.unit else array[]::text[] end as combo_unit
from monitoring.reading r
join monitoring.device d on d.number = r.device
join monitoring.metric m on m.number = r.metric
left join monitoring.withdrawal w on w.device = r.device and w.metric = r.metric and w.time = r.time
where r.patient is not null and r.metric not in (5, 6, 7)
union all
select r.tenant,
       'p.' || r.device || '.5.' || r.time,
       r.patient,
       timestamptz '1970-01-01 00:00:00+00' + r.time * interval '1 microsecond',
       timestamptz '1970-01-01 00:00:00+00' + (r.time + 1) * interval '1 microsecond',
       greatest(max(r.received_at), max(w.at)),
       (count(distinct r.received_at) + case when max(w.at) is null then 0 else 1 end)::int,
       array['http://loinc.org|85354-9'],
       array['http://terminology.hl7.org/CodeSystem/observation-category|vital-signs'],
       array['http://hl7.org/fhir/observation-status|'
             || case when max(w.at) is null then 'final' else 'entered-in-error' end],
       array['Patient/' || r.patient],
       case when d.source = 'device' then array['Device/' || d.name] else array[]::text[] end,
       array[]::float8[],
       array[]::text[],
       array_agg(m.codes[1] order by r.metric),
       array_agg(r.value order by r.metric),
       array_agg(m.unit[1] order by r.metric),
       array['http://loinc.org|85354-9'] || array_agg(m.codes[1] order by r.metric),
       array_agg(r.value order by r.metric),
       array_agg(m.unit[1] order by r.metric)
from monitoring.reading r
join monitoring.device d on d.number = r.device
join monitoring.metric m on m.number = r.metric
left join monitoring.withdrawal w on w.device = r.device and w.metric = r.metric and w.time = r.time
where r.patient is not null and r.metric in (5, 6, 7)
group by r.tenant, r.patient, r.device, d.name, d.source, r.time;
"""


def upgrade() -> None:
    """Make the table, and the views over both."""
    op.execute(CHUNK)
    op.execute(OBSERVATION)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
