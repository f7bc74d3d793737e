"""access: whose clinic this is, its first steps, and which ends of licences were told

Revision ID: 0028
Revises: 0027.3
"""

from alembic import op

revision = "0028"
down_revision = "0027.3"
branch_labels = None
depends_on = None

CLINIC = """
-- One row for each time somebody said it; the newest holds.
create table access.clinic (
    tenant integer not null,
    n integer not null,
    name text not null,
    zone text not null,
    country text not null,
    language text not null,
    units text not null check (units in ('metric', 'us')),
    telephone text not null,
    emergency text not null,
    by_name text not null,
    at timestamptz not null,
    primary key (tenant, n)
);

-- The list of first steps is put away.
create table access.start_put_away (
    tenant integer primary key,
    person text not null,
    at timestamptz not null
);

-- Of which end of a licence its holder was told: once each; one that is renewed ends on another day.
create table access.licence_reminder (
    tenant integer not null,
    person text not null references access.person,
    jurisdiction text not null,
    number text not null,
    until date not null,
    at timestamptz not null,
    primary key (tenant, person, jurisdiction, number, until)
);
"""


BACK = """
drop table access.licence_reminder;
drop table access.start_put_away;
drop table access.clinic;
"""
LOSES = {
    "what was said of the clinic (name, numbers, place), each time": "select count(*) from access.clinic",
    "reminders of licences that end": "select count(*) from access.licence_reminder",
}


def upgrade() -> None:
    """Forward."""
    op.execute(CLINIC)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
