"""access: duties by weekday in their place's zone, substitutes, and whom a patient lets be told of alarms

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ROTA = """
-- Null until somebody says it: no duty by the hour can be planned before.
alter table access.place add column zone text;

-- Null: around the clock. begins, ends: the place's local time; ends at or before begins is on the next day.
alter table access.duty add column weekdays smallint[], add column begins time, add column ends time,
    add constraint duty_by_the_hour check (
        num_nulls(weekdays, begins, ends) in (0, 3) and (weekdays <@ array[1, 2, 3, 4, 5, 6, 7]::smallint[])
    );

-- From since to until `by` is asked in person's place: in one of their duties, or in all (null).
create table access.substitute (
    id text primary key,
    tenant integer not null,
    person text not null references access.person,
    by text not null references access.person,
    duty text references access.duty,
    since timestamptz not null,
    until timestamptz not null,
    made_by text not null,
    made timestamptz not null,
    check (until > since),
    check (by <> person)
);
create index substitute_person on access.substitute (tenant, person);
create index substitute_by on access.substitute (tenant, by);

-- Caregivers whom the patient lets Bedside tell of alarms; holds nothing without a grant.
create table access.alerted (
    tenant integer not null,
    patient text not null,
    person text not null references access.person,
    since timestamptz not null,
    primary key (tenant, patient, person)
);
"""


BACK = """
drop table access.alerted;
drop table access.substitute;
alter table access.duty drop constraint duty_by_the_hour, drop column weekdays, drop column begins, drop column ends;
alter table access.place drop column zone;
"""
LOSES = {
    "caregivers who are told of alarms": "select count(*) from access.alerted",
    "substitutes": "select count(*) from access.substitute",
    "duties by the hour (they become around the clock)": "select count(*) from access.duty where begins is not null",
    "time zones of places": "select count(*) from access.place where zone is not null",
}


def upgrade() -> None:
    """Forward."""
    op.execute(ROTA)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
