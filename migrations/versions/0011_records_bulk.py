"""records: Bulk Data jobs, where each stands, and the files they made"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BULK = """
-- An export or import that a client asked for. place: where the work stands, moved in the transaction that covers it,
-- so that who takes it over begins there. fence: which run may move it; an older run finds itself overtaken.
create table records.bulk (
    id text primary key,
    tenant integer not null,
    kind text not null check (kind in ('export', 'import')),
    owner text not null,
    actor jsonb not null,
    purpose text not null,
    request text not null,
    wish jsonb not null,
    state text not null check (state in ('working', 'done', 'failed', 'cancelled')),
    asked timestamptz not null,
    touched timestamptz not null,
    ended timestamptz,
    expires timestamptz,
    fence integer not null default 0,
    place jsonb not null default '{}',
    done bigint not null default 0,
    total bigint,
    why text
);
-- one piece of work of a kind at a time for each client
create unique index bulk_one_at_a_time on records.bulk (tenant, owner, kind) where state = 'working';
create index bulk_ends on records.bulk (state, expires);

-- size: the bytes that count; a run that was killed may have written more behind them.
create table records.bulk_file (
    bulk text not null references records.bulk on delete cascade,
    n integer not null,
    name text not null,
    part text not null check (part in ('output', 'deleted', 'error')),
    type text not null,
    lines bigint not null,
    size bigint not null,
    primary key (bulk, n)
);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(BULK)
