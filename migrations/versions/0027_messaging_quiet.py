"""messaging: quiet hours, and until when a notice waits

Revision ID: 0027.2
Revises: 0027
"""

from alembic import op

revision = "0027.2"
down_revision = "0027"
branch_labels = None
depends_on = None

QUIET = """
-- due: until when it waits, of one that came in its reader's quiet hours.
alter table messaging.notice add column due timestamptz;
alter table messaging.notice drop constraint notice_state_check;
alter table messaging.notice add constraint notice_state_check
    check (state in ('waiting', 'sent', 'held', 'withdrawn'));
-- Several of one kind that wait are one.
create unique index notice_waits on messaging.notice (tenant, person, template, md5(subject || text))
    where state = 'waiting' and due is not null;

-- In the reader's own zone; ends at or before begins is on the next day.
create table messaging.quiet (
    tenant integer not null,
    person text not null,
    begins time not null,
    ends time not null,
    primary key (tenant, person),
    check (begins <> ends)
);
"""


BACK = """
drop table messaging.quiet;
drop index messaging.notice_waits;
update messaging.notice set state = 'held' where state = 'withdrawn';
alter table messaging.notice drop constraint notice_state_check, drop column due;
alter table messaging.notice add constraint notice_state_check check (state in ('waiting', 'sent', 'held'));
"""
LOSES = {
    "people's quiet hours": "select count(*) from messaging.quiet",
    "notices that wait for the end of quiet hours (they are sent at once)": """select count(*) from messaging.notice
        where state = 'waiting' and due is not null""",
    "notices that were withdrawn (they stand as held)": """select count(*) from messaging.notice
        where state = 'withdrawn'""",
}


def upgrade() -> None:
    """Forward."""
    op.execute(QUIET)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
