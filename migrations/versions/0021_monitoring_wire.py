"""monitoring: whether readings can come in at all

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WIRE = """
-- When an ingest process last had broker, stream and database together, and since when without a gap. told_at: that it
-- has not was told to somebody. Until a first beat nothing is known, and nothing is held against it.
create table monitoring.wire (
    id boolean primary key default true check (id),
    beat timestamptz not null,
    hears_since timestamptz not null,
    told_at timestamptz
);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(WIRE)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
