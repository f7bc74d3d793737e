"""monitoring: for how long notices are kept is a policy too

Revision ID: 0036.2
Revises: 0036.1
"""

from alembic import op

revision = "0036.2"
down_revision = "0036.1"
branch_labels = None
depends_on = None

FORWARD = """
alter table monitoring.retention drop constraint retention_kind_check;
alter table monitoring.retention add constraint retention_kind_check
    check (kind in ('readings', 'waveforms', 'notices'));
alter table monitoring.retention_run add column notices bigint not null default 0;
"""

BACK = """
alter table monitoring.retention_run drop column notices;
delete from monitoring.retention where kind = 'notices';
alter table monitoring.retention drop constraint retention_kind_check;
alter table monitoring.retention add constraint retention_kind_check check (kind in ('readings', 'waveforms'));
"""
LOSES = {
    "for how long notices are kept": "select count(*) from monitoring.retention where kind = 'notices'",
}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
