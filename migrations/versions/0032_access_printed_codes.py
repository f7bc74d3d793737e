"""access: printed codes, by which staff come back in

Revision ID: 0032.2
Revises: 0032
"""

from alembic import op

revision = "0032.2"
down_revision = "0032"
branch_labels = None
depends_on = None

PRINTED = """
-- Each is good once; the code itself is never kept, only its SHA-256.
create table access.printed_code (
    tenant integer not null,
    person text not null references access.person,
    digest bytea not null,
    made timestamptz not null,
    used timestamptz,
    primary key (person, digest)
);
"""


BACK = """
drop table access.printed_code;
"""
LOSES = {
    "printed codes": "select count(*) from access.printed_code",
}


def upgrade() -> None:
    """Forward."""
    op.execute(PRINTED)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
