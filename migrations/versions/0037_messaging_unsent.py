"""messaging: the files of a message that is not sent yet

Revision ID: 0037
Revises: 0036.2
"""

from alembic import op

revision = "0037"
down_revision = "0036.2"
branch_labels = None
depends_on = None

FORWARD = """
-- Its writer's alone, of one message at a time; gone when it is sent, when its writer does not send it, or after a day.
create table messaging.unsent_file (
    tenant integer not null,
    person text not null,
    message text not null,
    n smallint not null,
    patient text not null,
    name text not null,
    data bytea not null,
    at timestamptz not null,
    primary key (tenant, person, message, n)
);
create index unsent_file_at on messaging.unsent_file (at);
"""

BACK = """
drop table messaging.unsent_file;
"""
LOSES = {"files of messages that are not sent yet": "select count(*) from messaging.unsent_file"}


def upgrade() -> None:
    """Forward."""
    op.execute(FORWARD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
