"""access: people, places, relations, credentials, sessions, clients, audit.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"

PEOPLE = """
create schema if not exists access;

create table access.person (
    id text primary key,
    tenant integer not null,
    name text not null,
    roles text[] not null,
    reference text,
    patient text,
    language text not null default 'en',
    phone text,
    email text,
    units text not null default 'metric',
    zone text not null default 'UTC',
    active boolean not null default true,
    created timestamptz not null
);
create unique index person_email on access.person (tenant, lower(email)) where email is not null and active;
create index person_phone on access.person (tenant, phone) where phone is not null;
create unique index person_patient on access.person (tenant, patient) where patient is not null and active;

create table access.place (
    id text primary key,
    tenant integer not null,
    name text not null,
    kind text not null check (kind in ('ward', 'programme', 'pharmacy'))
);

create table access.place_patient (
    id text primary key,
    tenant integer not null,
    place text not null references access.place,
    patient text not null,
    bed text,
    since timestamptz not null,
    until timestamptz
);
create unique index place_patient_now on access.place_patient (tenant, patient, place) where until is null;
create index place_patient_place on access.place_patient (place) where until is null;

create table access.duty (
    id text primary key,
    tenant integer not null,
    person text not null references access.person,
    place text not null references access.place,
    role text not null,
    step integer not null default 1,
    since timestamptz not null,
    until timestamptz
);
create index duty_person on access.duty (tenant, person);
create index duty_place on access.duty (tenant, place);

-- person is text without a foreign key: a device stands in a relation too.
create table access.relation (
    id text primary key,
    tenant integer not null,
    person text not null,
    patient text not null,
    kind text not null,
    source text not null,
    since timestamptz not null,
    until timestamptz,
    reason text,
    unique (tenant, person, patient, kind, source)
);
create index relation_source on access.relation (tenant, source);

create table access.granted (
    id text primary key,
    tenant integer not null,
    person text not null,
    patient text not null,
    actions text not null,
    what text[] not null,
    source text not null,
    since timestamptz not null,
    until timestamptz,
    revoked timestamptz
);
create index granted_person on access.granted (tenant, person, patient);
"""

SIGN_IN = """
create table access.credential (
    person text not null references access.person,
    kind text not null check (kind in ('password', 'pin', 'totp')),
    secret text not null,
    created timestamptz not null,
    -- the last accepted TOTP step: a code is good once
    last_step bigint,
    primary key (person, kind)
);

create table access.passkey (
    id bytea primary key,
    tenant integer not null,
    person text not null references access.person,
    public_key bytea not null,
    sign_count bigint not null,
    label text not null,
    created timestamptz not null,
    used timestamptz
);
create index passkey_person on access.passkey (person);

create table access.challenge (
    id text primary key,
    tenant integer not null,
    person text,
    kind text not null,
    value bytea not null,
    expires timestamptz not null
);

create table access.one_time (
    digest bytea primary key,
    tenant integer not null,
    person text not null references access.person,
    kind text not null,
    expires timestamptz not null,
    used timestamptz
);
create index one_time_person on access.one_time (person);

create table access.session (
    id text primary key,
    digest bytea not null unique,
    tenant integer not null,
    person text not null references access.person,
    kind text not null check (kind in ('browser', 'display')),
    device bytea,
    origin text not null,
    agent text not null,
    created timestamptz not null,
    seen timestamptz not null,
    expires timestamptz not null,
    idle interval,
    ended timestamptz
);
create index session_person on access.session (person) where ended is null;

-- Generic cell rate algorithm: one row a key, the theoretical arrival time of its next request.
create table access.rate (
    key text primary key,
    arrival timestamptz not null
);

create table access.client (
    id text primary key,
    tenant integer not null,
    name text not null,
    scopes text[] not null,
    secret bytea,
    jwks jsonb,
    created timestamptz not null,
    ended timestamptz
);

create table access.token (
    digest bytea primary key,
    client text not null references access.client,
    scopes text[] not null,
    expires timestamptz not null
);

create table access.assertion (
    client text not null references access.client,
    jti text not null,
    expires timestamptz not null,
    primary key (client, jti)
);
"""

AUDIT = """
create table access.audit (
    seq bigint generated always as identity primary key,
    tenant integer not null,
    at timestamptz not null,
    request text not null,
    action text not null,
    outcome text not null check (outcome in ('allowed', 'refused', 'failed')),
    actor_kind text not null,
    actor text not null,
    actor_name text not null,
    actor_reference text,
    roles text[] not null,
    purpose text not null,
    reason text,
    origin text not null,
    patients jsonb not null,
    entities text[] not null,
    refused text,
    wrote boolean not null
);
create index audit_patients on access.audit using gin (patients);

-- Entries that no seal covers yet; its row goes in with the entry and out with the seal.
create table access.audit_pending (seq bigint primary key);

create table access.audit_seal (
    n bigint primary key,
    at timestamptz not null,
    seqs bigint[] not null,
    leaves bytea[] not null,
    previous bytea not null,
    hash bytea not null
);

create function access.append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the audit is append-only';
end $$;
create trigger audit_append_only before update or delete or truncate on access.audit
    for each statement execute function access.append_only();
create trigger audit_seal_append_only before update or delete or truncate on access.audit_seal
    for each statement execute function access.append_only();
"""

LICENCES = """
create table access.licence (
    tenant integer not null,
    person text not null references access.person,
    jurisdiction text not null,
    number text not null,
    kind text not null check (kind in
        ('full', 'compact-licence', 'compact-privilege', 'telehealth-registration', 'exception')),
    status text not null check (status in ('active', 'suspended', 'revoked')),
    since date not null,
    until date not null,
    verified_at date not null,
    verified_source text not null,
    primary key (tenant, person, jurisdiction, number)
);
"""


def upgrade() -> None:
    """Make the room's schema."""
    for part in (PEOPLE, SIGN_IN, AUDIT, LICENCES):
        op.execute(part)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
