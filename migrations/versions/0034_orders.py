"""orders: which results wait to be seen, and who has seen which

Revision ID: 0034
Revises: 0033
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

FORWARD = """
create schema orders;

-- Nothing of a result but that it came. ref: Observation/… or DiagnosticReport/…. digest: SHA-256 of what it said when
-- it came. report: the report with which it is seen. version 0: named by its report, and not come yet.
create table orders.result (
    tenant integer not null,
    ref text not null,
    patient text not null,
    version integer not null,
    critical boolean not null,
    digest bytea not null,
    arrived_at timestamptz not null,
    report text,
    seen_version integer,
    seen_at timestamptz,
    seen_by text,
    seen_by_name text,
    note text not null default '',
    primary key (tenant, ref)
);
create index result_waits on orders.result (tenant, patient) where seen_at is null and report is null;
create index result_of_report on orders.result (tenant, report) where report is not null;
"""

BACK = """
drop table orders.result;
drop schema orders;
"""
LOSES = {
    "that results were seen, and what came of it": "select count(*) from orders.result where seen_at is not null",
    "results that wait to be seen": "select count(*) from orders.result where seen_at is null and report is null",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
