"""access: which emergency accesses somebody has reviewed

Revision ID: 0036.1
Revises: 0036
"""

from alembic import op

revision = "0036.1"
down_revision = "0036"
branch_labels = None
depends_on = None

FORWARD = """
-- source: of the relation that the emergency access made.
create table access.emergency_review (
    tenant integer not null,
    source text not null,
    at timestamptz not null,
    by text not null references access.person,
    by_name text not null,
    outcome text not null check (outcome in ('justified', 'not-justified')),
    note text not null,
    primary key (tenant, source)
);
create index relation_emergency on access.relation (tenant, since, source) where kind = 'emergency';
"""

BACK = """
drop index access.relation_emergency;
drop table access.emergency_review;
"""
LOSES = {
    "that emergency accesses were reviewed, and what came of it": "select count(*) from access.emergency_review",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
