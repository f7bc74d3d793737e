"""visits: visits planned for a time, and the links by which calendars follow them

Revision ID: 0034.5
Revises: 0034.4
"""

from alembic import op

revision = "0034.5"
down_revision = "0034.4"
branch_labels = None
depends_on = None

FORWARD = """
alter table visits.visit add column planned_at timestamptz;
alter table visits.visit add column planned_minutes smallint;
-- How often its time was moved or taken back: a calendar's SEQUENCE.
alter table visits.visit add column planned_changes integer not null default 0;
alter table visits.visit add column planned_changed timestamptz;
create index visit_planned_of_patient on visits.visit (tenant, person, planned_at) where planned_at is not null;
create index visit_planned_of_clinician on visits.visit (tenant, clinician, planned_at) where planned_at is not null;

-- token: SHA-256 of the secret in the link; a person has one link.
create table visits.calendar (
    tenant integer not null,
    person text not null,
    token bytea not null,
    made_at timestamptz not null,
    read_at timestamptz,
    primary key (tenant, person)
);
create unique index calendar_token on visits.calendar (tenant, token);
"""

BACK = """
drop table visits.calendar;
drop index visits.visit_planned_of_clinician;
drop index visits.visit_planned_of_patient;
alter table visits.visit drop column planned_changed;
alter table visits.visit drop column planned_changes;
alter table visits.visit drop column planned_minutes;
alter table visits.visit drop column planned_at;
"""
LOSES = {
    "the times that visits were planned for": "select count(*) from visits.visit where planned_at is not null",
    "links by which calendars follow visits": "select count(*) from visits.calendar",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
