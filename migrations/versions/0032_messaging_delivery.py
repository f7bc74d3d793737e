"""messaging: what became of each notice, how people are told, and what is work for a person

Revision ID: 0032
Revises: 0031.2
"""

from alembic import op

revision = "0032"
down_revision = "0031.2"
branch_labels = None
depends_on = None

DELIVERY = """
-- reason: one of few known words (messaging/model/reasons.py), never what a server said. tries, next_try: of the retry.
-- token: in the envelope's sender, known to nobody but the mail servers on the way. asks: until when it was to be
-- opened; opened: when it was. closed: it was work for a person, who saw to it.
alter table messaging.notice
    add column urgent boolean not null default false,
    add column language text not null default 'en',
    add column reason text,
    add column tries integer not null default 0,
    add column begun timestamptz,
    add column next_try timestamptz,
    add column settled timestamptz,
    add column token text,
    add column asks timestamptz,
    add column opened timestamptz,
    add column unanswered boolean not null default false,
    add column closed timestamptz,
    add column closed_by text,
    add column closed_as text;
update messaging.notice set reason = case when address is null then 'no-address' else 'no-channel' end
    where state = 'held';
-- What was held before anybody could see it here is no work of today.
update messaging.notice set closed = created, closed_as = 'before' where state = 'held';
alter table messaging.notice drop constraint notice_state_check;
alter table messaging.notice add constraint notice_state_check check (state in
    ('waiting', 'sent', 'delivered', 'refused', 'bounced', 'failed', 'held', 'withdrawn'));
create unique index notice_token on messaging.notice (token) where token is not null;
create index notice_open on messaging.notice (tenant, person) where closed is null
    and (state in ('refused', 'bounced', 'failed', 'held') or unanswered);
create index notice_asks on messaging.notice (tenant, asks)
    where opened is null and asks is not null and not unanswered;

-- By which channel somebody wants to be told, where they said so.
create table messaging.told_by (
    tenant integer not null,
    person text not null,
    channel text not null check (channel in ('email', 'phone')),
    primary key (tenant, person)
);
"""


BACK = """
drop table messaging.told_by;
drop index messaging.notice_token, messaging.notice_open, messaging.notice_asks;
alter table messaging.notice drop constraint notice_state_check;
update messaging.notice set state = case state when 'delivered' then 'sent' else 'held' end
    where state in ('delivered', 'refused', 'bounced', 'failed');
alter table messaging.notice
    drop column urgent, drop column language, drop column reason, drop column tries, drop column begun,
    drop column next_try, drop column settled, drop column token, drop column asks, drop column opened,
    drop column unanswered, drop column closed, drop column closed_by, drop column closed_as;
alter table messaging.notice add constraint notice_state_check
    check (state in ('waiting', 'sent', 'held', 'withdrawn'));
"""
LOSES = {
    "notices that were delivered (they stand as sent)": """select count(*) from messaging.notice
        where state = 'delivered'""",
    "notices that did not arrive (they stand as held, and are nobody's work)": """select count(*) from messaging.notice
        where state in ('refused', 'bounced', 'failed')""",
    "notices that are tried again (they are tried as the version of then does)": """select count(*)
        from messaging.notice where state = 'waiting' and tries > 0""",
    "by when notices were to be opened, and when they were": """select count(*) from messaging.notice
        where asks is not null or opened is not null""",
    "who saw to notices that did not arrive": "select count(*) from messaging.notice where closed_by is not null",
    "that notices were urgent": "select count(*) from messaging.notice where urgent",
    "how people want to be told": "select count(*) from messaging.told_by",
}


def upgrade() -> None:
    """Forward."""
    op.execute(DELIVERY)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
