"""monitoring: whose the parts of a wire are

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

SHARES = """
-- A process that lands a wire. place: the machine since its start and the pid namespace, where the pid means something.
create table monitoring.lander (
    wire text not null,
    id text not null,
    place text not null,
    pid int not null,
    seen_at timestamptz not null,
    primary key (wire, id)
);
-- A part of a wire and its owner (null: nobody's). Who lands it holds the row `for share` in that transaction, so that
-- nobody takes it meanwhile. term: how often it changed hands.
create table monitoring.share (
    wire text not null,
    part int not null,
    owner text,
    term bigint not null default 0,
    primary key (wire, part)
);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(SHARES)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
