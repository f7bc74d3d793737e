"""monitoring: late findings, for the work list

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

LATE = """
-- Readings that lay outside a limit and came too late to raise anything live. One unseen row a patient and cause: count
-- of such readings, when the first and the last of them were measured, and the worst of them as an alarm tells it.
create table monitoring.late_finding (
    id text primary key,
    tenant integer not null,
    patient text not null,
    cause text not null,
    priority text not null check (priority in ('high', 'medium', 'low')),
    finding jsonb not null,
    count bigint not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    received_at timestamptz not null,
    seen_by text,
    seen_by_name text,
    seen_at timestamptz,
    rank smallint generated always as (case priority when 'high' then 3 when 'medium' then 2 else 1 end) stored,
    note text not null default ''
);
create unique index on monitoring.late_finding (tenant, patient, cause) where seen_at is null;
create index on monitoring.late_finding (tenant, received_at);
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(LATE)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
