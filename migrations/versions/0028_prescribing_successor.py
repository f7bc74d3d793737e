"""prescribing: who answers for the prescriptions of somebody who works here no longer

Revision ID: 0028.2
Revises: 0028
"""

from alembic import op

revision = "0028.2"
down_revision = "0028"
branch_labels = None
depends_on = None

SUCCESSOR = """
-- Requests for more of what prescriber prescribed are successor's to answer; never a chain, see hand_on.
create table prescribing.successor (
    tenant integer not null,
    prescriber text not null,
    successor text not null,
    since timestamptz not null,
    primary key (tenant, prescriber),
    check (prescriber <> successor)
);
create index successor_of on prescribing.successor (tenant, successor);
"""


BACK = """
drop table prescribing.successor;
"""
LOSES = {
    "who answers for prescriptions of somebody who left": "select count(*) from prescribing.successor",
}


def upgrade() -> None:
    """Forward."""
    op.execute(SUCCESSOR)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
