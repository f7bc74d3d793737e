"""access: patients let in again by a code of the clinic, and who asks to be called

Revision ID: 0035
Revises: 0034.5
"""

from alembic import op

revision = "0035"
down_revision = "0034.5"
branch_labels = None
depends_on = None

FORWARD = """
-- A code that staff handed out. digest: of the code, under the installation's key. knows: of what the patient types
-- with it. how: the document that was seen, or call. used: by the session that it opened; ended: a newer one stands.
create table access.recovery (
    id text primary key,
    tenant integer not null,
    person text not null references access.person,
    patient text not null,
    digest bytea not null unique,
    knows bytea not null,
    how text not null,
    by text not null references access.person,
    by_name text not null,
    made timestamptz not null,
    expires timestamptz not null,
    tries integer not null default 0,
    used timestamptz,
    ended timestamptz,
    session text
);
create index recovery_of_person on access.recovery (person);
create index recovery_session on access.recovery (session) where session is not null;

-- Somebody who asks to be called. said: what they typed, empty once it is closed; never a telephone number.
create table access.call_back (
    id text primary key,
    tenant integer not null,
    said jsonb not null,
    asked timestamptz not null,
    closed timestamptz,
    closed_by text,
    outcome text check (outcome in ('let-in', 'not-reached', 'not-sure', 'nobody'))
);
create unique index call_back_once on access.call_back (tenant, said) where closed is null;
"""

BACK = """
drop table access.call_back;
drop table access.recovery;
"""
LOSES = {
    "people who ask to be called": "select count(*) from access.call_back where closed is null",
    "sign-in codes that were handed out and not used": "select count(*) from access.recovery where used is null",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
