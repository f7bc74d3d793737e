"""messaging: notices."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Forward."""
    op.execute(
        """
        create schema if not exists messaging;

        -- A notice without health data. text: kept until it is sent, since it may hold a one-time link; for good only
        -- in the demo, whose outbox shows it.
        create table messaging.notice (
            id text primary key,
            tenant integer not null,
            person text not null,
            template text not null,
            channel text not null check (channel in ('email', 'phone', 'none')),
            address text,
            subject text not null,
            text text,
            created timestamptz not null,
            state text not null check (state in ('waiting', 'sent', 'held')),
            sent timestamptz
        );
        create index notice_created on messaging.notice (tenant, created desc);
        """
    )
