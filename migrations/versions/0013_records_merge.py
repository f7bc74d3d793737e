"""records: which patients were merged into which, so that it can be undone"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MERGE = """
-- was: what the merge changed, as it stood before (the source's `active`, the identifiers that the target was given).
create table records.merge (
    id text primary key,
    tenant integer not null,
    source text collate "C" not null,
    target text collate "C" not null,
    at timestamptz not null,
    by text not null,
    was jsonb not null,
    undone timestamptz
);
create unique index merge_source on records.merge (tenant, source) where undone is null;
"""


def upgrade() -> None:
    """Forward."""
    op.execute(MERGE)
