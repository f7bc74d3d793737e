"""monitoring: programmes, rules that look back, patients' usual values, the battery and the beats of devices

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

RULES = """
-- In which programmes a patient is enrolled: monitoring.profile_change keeps since when, by whom and why.
alter table monitoring.profile add column programmes text[] not null default '{}';
create index on monitoring.profile (tenant, patient) where programmes <> '{}';

-- A patient's own rule may stand in place of one of the tables' (rule, else ''), and may look back (kind):
-- hours: over how long; least, of_last: n of the last m; spread: times the patient's usual spread.
alter table monitoring.patient_limit
    add column rule text not null default '',
    add column kind text not null default 'limit' check (kind in ('limit', 'persistence', 'change', 'baseline')),
    add column hours double precision check (hours > 0),
    add column least smallint not null default 0 check (least >= 0),
    add column of_last smallint not null default 0 check (of_last >= 0),
    add column spread double precision not null default 0 check (spread >= 0);
drop index monitoring.patient_limit_now;
create unique index patient_limit_now on monitoring.patient_limit
    (tenant, patient, metric, left(comparison, 1), priority, kind) where ended_at is null and rule = '';
create unique index patient_rule_now on monitoring.patient_limit (tenant, patient, rule)
    where ended_at is null and rule <> '';

-- recent: metric to its last readings, of patients who have a rule that looks back, and of no others.
alter table monitoring.watch add column recent jsonb not null default '{}';

-- A patient's usual value of a metric: median, and median absolute deviation, of the daily medians of the `span` days
-- (UTC) before `as_of`; days: how many of them had readings. The job of the day writes it, the judge only reads.
create table monitoring.baseline (
    tenant integer not null,
    patient text not null,
    metric text not null,
    span smallint not null,
    as_of date not null,
    median double precision not null,
    deviation double precision not null,
    days integer not null,
    readings bigint not null,
    primary key (tenant, patient, metric, span)
);
"""

METRICS = """
insert into monitoring.metric (number, name, codes, category, unit, quantity)
select number, name, array['urn:iso:std:iso:11073:10101|' || code], category, array[unit], true
from (values
    (16, 'battery', '67996', array[]::text[], '%'),
    (17, 'rr-interval', '147240',
     array['http://terminology.hl7.org/CodeSystem/observation-category|vital-signs'], 'ms')
) as m (number, name, code, category, unit);
"""


def upgrade() -> None:
    """Make the columns and tables."""
    op.execute(RULES)
    op.execute(METRICS)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
