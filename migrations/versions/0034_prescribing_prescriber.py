"""prescribing: what one prescriber has open, found without reading everybody's

Revision ID: 0034.2
Revises: 0034
"""

from alembic import op

revision = "0034.2"
down_revision = "0034"
branch_labels = None
depends_on = None

FORWARD = """
create index prescription_of_prescriber on prescribing.prescription (tenant, prescriber, status, signed_at);
"""

BACK = """
drop index prescribing.prescription_of_prescriber;
"""
LOSES: dict[str, str] = {}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
