"""monitoring: passwords and stays of devices that end

Revision ID: 0034.4
Revises: 0034.3
"""

from alembic import op

revision = "0034.4"
down_revision = "0034.3"
branch_labels = None
depends_on = None

FORWARD = """
create index device_password_ends on monitoring.device (tenant, expires_at) where expires_at is not null;
create index assignment_ends on monitoring.assignment (tenant, (upper(during))) where not upper_inf(during);
"""

BACK = """
drop index monitoring.assignment_ends;
drop index monitoring.device_password_ends;
"""
LOSES: dict[str, str] = {}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
