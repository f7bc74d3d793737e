"""monitoring: a pack's device is known to be there by the lock of its head, not by a look for each pack

Revision ID: 0030.2
Revises: 0029
"""

from alembic import op

revision = "0030.2"
down_revision = "0029"
branch_labels = None
depends_on = None

LANDING = """
-- The check looked the device up and locked its row for every pack: four times what storing the pack itself costs.
-- Whoever writes a pack holds its device's head, which refers to the device and is never deleted (decision 0027).
alter table monitoring.pack drop constraint pack_device_fkey;
"""


BACK = """
alter table monitoring.pack add constraint pack_device_fkey foreign key (device) references monitoring.device (number);
"""
LOSES: dict[str, str] = {}


def upgrade() -> None:
    """Forward."""
    op.execute(LANDING)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
