"""access: who asks to be registered, where the clinic lets them

Revision ID: 0031.2
Revises: 0031
"""

from alembic import op

revision = "0031.2"
down_revision = "0031"
branch_labels = None
depends_on = None

APPLICANT = """
alter table access.clinic add column self_registration boolean not null default false;

-- Somebody who asked. person: an account that is not active, so that a notice reaches their e-mail. digest: of the link
-- in it, by which they confirm the address. said: what they typed, empty once it is decided.
create table access.applicant (
    id text primary key,
    tenant integer not null,
    person text not null references access.person,
    digest bytea not null unique,
    said jsonb not null,
    created timestamptz not null,
    expires timestamptz not null,
    confirmed timestamptz,
    decided timestamptz,
    decided_by text,
    outcome text check (outcome in ('new', 'known', 'refused'))
);
create index applicant_waiting on access.applicant (tenant, confirmed) where confirmed is not null and decided is null;
"""


BACK = """
drop table access.applicant;
alter table access.clinic drop column self_registration;
"""
LOSES = {
    "people who asked to be registered": "select count(*) from access.applicant",
    "that the clinic lets people ask to be registered": "select count(*) from access.clinic where self_registration",
}


def upgrade() -> None:
    """Forward."""
    op.execute(APPLICANT)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
