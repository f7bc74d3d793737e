"""monitoring: alarms that wait for their delay, and alarms that somebody paused

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

LIFE = """
-- For so long a patient's own limit must stand broken before its alarm is raised.
alter table monitoring.patient_limit
    add column delay_seconds smallint not null default 0 check (delay_seconds between 0 and 300);

-- pending_until: when the delay of one that nobody was told of ends; null as soon as it is raised, so what has it and
-- is closed was never raised. delays: rule to [first seen broken, server time; device time of that; seconds].
-- paused_until, paused_reason: while paused.
alter table monitoring.alarm
    add column pending_until timestamptz,
    add column delays jsonb not null default '{}',
    add column paused_until timestamptz,
    add column paused_reason text;

alter table monitoring.timer drop constraint timer_kind_check;
alter table monitoring.timer add constraint timer_kind_check
    check (kind in ('escalate', 'return', 'recheck', 'silence', 'delay', 'pause'));
"""


def upgrade() -> None:
    """Make the columns."""
    op.execute(LIFE)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
