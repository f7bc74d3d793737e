"""records: its place in the line of history"""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Forward."""
