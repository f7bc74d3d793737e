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


def upgrade() -> None:
    """Forward."""
    op.execute(DELIVERY)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
