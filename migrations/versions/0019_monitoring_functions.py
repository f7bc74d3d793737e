"""monitoring: functions that are off until an administrator switches them on, and every switch of them

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FUNCTION = """
-- The newest row of a name holds. Nothing is ever changed here: who switched what, when and why can always be told.
create table monitoring.function_switch (
    n bigint generated always as identity primary key,
    tenant integer not null,
    name text not null,
    enabled boolean not null,
    reason text not null,
    by_id text not null,
    by_name text not null,
    at timestamptz not null
);
create index on monitoring.function_switch (tenant, name, n desc);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(FUNCTION)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
