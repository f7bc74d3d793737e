"""monitoring: when a device got another password

Revision ID: 0031
Revises: 0030.2
"""

from alembic import op

revision = "0031"
down_revision = "0030.2"
branch_labels = None
depends_on = None

RENEWED = """
-- Whoever came in by the password before is cut off.
alter table monitoring.device add column renewed_at timestamptz;
create index device_renewed on monitoring.device (renewed_at) where renewed_at is not null;
"""


BACK = """
alter table monitoring.device drop column renewed_at;
"""
LOSES = {
    "when devices got another password": "select count(*) from monitoring.device where renewed_at is not null",
}


def upgrade() -> None:
    """Forward."""
    op.execute(RENEWED)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
