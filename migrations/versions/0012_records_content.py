"""records: contents of Binaries, in pieces beside the resource, in the same database and the same backup"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CONTENT = """
-- Bytes of a Binary. Pieces are kept while they arrive; whole: all came, were hashed and let pass. What never became
-- whole is swept; what did is kept, as the versions that show it are.
create table records.content (
    id bigint generated always as identity primary key,
    tenant integer not null,
    begun timestamptz not null,
    whole boolean not null default false,
    size bigint,
    sha256 bytea,
    sha1 bytea
);
create unique index content_once on records.content (tenant, sha256) where whole;
create index content_unfinished on records.content (begun) where not whole;

-- storage external: what is packed already gains nothing by being packed again
create table records.content_piece (
    content bigint not null references records.content on delete cascade,
    n integer not null,
    bytes bytea storage external not null,
    primary key (content, n)
);

-- Which versions show which content. Only the Binary's own door writes here: naming a hash gives nobody its bytes.
create table records.content_of (
    rid bigint not null,
    tenant integer not null,
    version integer not null,
    content bigint not null references records.content,
    primary key (tenant, rid, version)
);

create function records.keep_whole() returns trigger language plpgsql as $$
begin
    if old.whole then
        raise exception 'a content that is whole is kept' using errcode = 'restrict_violation';
    end if;
    return case when tg_op = 'DELETE' then old else new end;
end $$;
create trigger content_is_kept before update or delete on records.content
    for each row execute function records.keep_whole();
"""


def upgrade() -> None:
    """Forward."""
    op.execute(CONTENT)
