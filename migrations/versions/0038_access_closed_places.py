"""access: wards, programmes and pharmacies that are closed

Revision ID: 0038
Revises: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

FORWARD = """
-- Since when; null: open. What hung on it keeps its name.
alter table access.place add column closed timestamptz;
"""

BACK = """
alter table access.place drop column closed;
"""
LOSES = {
    "that places are closed: they stand in every list again": (
        "select count(*) from access.place where closed is not null"
    ),
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
