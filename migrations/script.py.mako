"""room: ${message}

Revision ID: ${up_revision}
Revises: ${down_revision}
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

FORWARD = """
"""

# Without BACK and LOSES this step cannot go back: then downgrade says `restore the backup made before the upgrade`.
BACK = """
"""
LOSES = {
    "what an older Bedside has no place for, in a person's words": "select count(*) from room.it",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
