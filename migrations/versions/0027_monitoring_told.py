"""monitoring: what people at home were told of alarms

Revision ID: 0027.3
Revises: 0027.2
"""

from alembic import op

revision = "0027.3"
down_revision = "0027.2"
branch_labels = None
depends_on = None

TOLD = """
-- An alarm that somebody at home has to read about. notice: what was sent for it; null where one was on its way.
create table monitoring.told (
    tenant integer not null,
    alarm text not null,
    person text not null,
    patient text not null,
    kind text not null check (kind in ('urgent', 'reading', 'device')),
    cause text not null,
    at timestamptz not null,
    notice text,
    read_at timestamptz,
    primary key (tenant, alarm, person)
);
create index told_person on monitoring.told (tenant, person, patient, at desc);
"""


BACK = """
drop table monitoring.told;
"""
LOSES = {
    "what people at home were told of alarms": "select count(*) from monitoring.told",
}


def upgrade() -> None:
    """Forward."""
    op.execute(TOLD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
