"""visits: what a colleague changed about a visit, until its clinician has noted it

Revision ID: 0036
Revises: 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

FORWARD = """
-- change: moved or cancelled, by somebody else than who holds it. change_from: for when it was planned before.
alter table visits.visit add column change text check (change in ('moved', 'cancelled'));
alter table visits.visit add column change_by text;
alter table visits.visit add column change_at timestamptz;
alter table visits.visit add column change_from timestamptz;
alter table visits.visit add column change_noted timestamptz;
create index visit_change on visits.visit (tenant, clinician) where change is not null and change_noted is null;
"""

BACK = """
drop index visits.visit_change;
alter table visits.visit drop column change_noted;
alter table visits.visit drop column change_from;
alter table visits.visit drop column change_at;
alter table visits.visit drop column change_by;
alter table visits.visit drop column change;
"""
LOSES = {
    "changes of visits that their clinician has not noted yet": (
        "select count(*) from visits.visit where change is not null and change_noted is null"
    ),
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
