"""access: grants that end

Revision ID: 0034.3
Revises: 0034.2
"""

from alembic import op

revision = "0034.3"
down_revision = "0034.2"
branch_labels = None
depends_on = None

FORWARD = """
create index granted_ends on access.granted (tenant, until) where until is not null and revoked is null;
"""

BACK = """
drop index access.granted_ends;
"""
LOSES: dict[str, str] = {}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
