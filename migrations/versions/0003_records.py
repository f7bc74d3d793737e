"""records: current resources, every earlier version, and the search index.

rid is a 64-bit hash of `Type/id`: a reference in the index leads to its target without looking anything up, and the
writer knows it before it writes. Two ids that collide cannot both live: the primary key refuses the second.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RESOURCE = """
create schema if not exists records;

-- the order in which resources came to be: the stable order of a page without a sort
create sequence records.born cache 20;

create table records.resource (
    rid bigint not null,
    born bigint not null default nextval('records.born'),
    updated timestamptz not null,
    tenant integer not null,
    version integer not null,
    type text collate "C" not null,
    id text collate "C" not null,
    method text not null check (method in ('POST', 'PUT', 'DELETE')),
    -- whose compartments it is in; the first is the subject
    patients text[] not null,
    -- compact FHIR JSON as it is answered, its decimals as they were written; null: deleted.
    -- external: PostgreSQL would spend longer on packing a large one than on all the rest of the write
    body bytea storage external,
    primary key (tenant, rid)
);
create index resource_born on records.resource (tenant, type, born);
create index resource_updated on records.resource (tenant, type, updated, rid);

create table records.history (
    rid bigint not null,
    updated timestamptz not null,
    tenant integer not null,
    version integer not null,
    type text collate "C" not null,
    id text collate "C" not null,
    method text not null,
    patients text[] not null,
    body bytea storage external,
    primary key (tenant, rid, version)
);
create index history_updated on records.history (tenant, type, updated, rid);

-- A version once kept is kept: nothing in Bedside changes or removes one.
create function records.keep() returns trigger language plpgsql as $$
begin
    raise exception 'history is kept' using errcode = 'restrict_violation';
end $$;
create trigger history_is_kept before update or delete on records.history
    for each row execute function records.keep();
"""

INDEX = """
-- What a resource says under a search parameter, one row a value. param: a 32-bit hash of `Type.code`.
--   token      key: hash of the code              extra: hash of the system
--   reference  key: rid of the target, or hash of the URL    extra: hash of the target's type
--   date       key, extra: microseconds since 1970, half open
--   number, quantity  key: the value, in the order of its bits    extra: hashes of system and code
-- patient: rid of the subject (0: none, or several); at: the type's own date in microseconds. Both stand in each row
-- so that "the newest of one code for one patient" is one descent of one index.
create table records.entry (
    rid bigint not null,
    key bigint not null,
    patient bigint not null,
    at bigint not null,
    extra bigint not null,
    tenant integer not null,
    param integer not null
);
create index entry_find on records.entry (tenant, param, key, patient, at, rid);
create index entry_rid on records.entry (tenant, rid);

-- Texts and URIs. folded: as plain search compares; exact: as written.
create table records.word (
    rid bigint not null,
    tenant integer not null,
    param integer not null,
    folded text collate "C" not null,
    exact text collate "C" not null
);
create index word_find on records.word (tenant, param, folded, rid);
create index word_rid on records.word (tenant, rid);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(RESOURCE)
    op.execute(INDEX)
