"""messaging: threads, what was seen of them, promises and absences; the words themselves are the record's

Revision ID: 0033
Revises: 0032.2
"""

from alembic import op

revision = "0033"
down_revision = "0032.2"
branch_labels = None
depends_on = None

THREADS = """
-- A conversation about one patient. Its id is its first message's. promised: by when whoever wrote first without an
-- answer was promised one; null: nobody waits. assigned: who has taken it; null: the team's. told: late was told once.
create table messaging.thread (
    id text not null,
    tenant integer not null,
    patient text not null,
    kind text not null,
    state text not null check (state in ('open', 'closed')),
    urgent boolean not null,
    opened timestamptz not null,
    person text not null,
    name text not null,
    assigned text,
    assigned_name text,
    promised timestamptz,
    told timestamptz,
    last timestamptz not null,
    primary key (tenant, id)
);
create index thread_of_patient on messaging.thread (tenant, patient, last);
create index thread_waits on messaging.thread (tenant, promised) where promised is not null;

-- That a message is there, never what it says. side: who wrote, the clinic or those at home.
create table messaging.message (
    id text not null,
    tenant integer not null,
    thread text not null,
    n bigint generated always as identity,
    at timestamptz not null,
    person text not null,
    name text not null,
    side text not null check (side in ('home', 'clinic')),
    urgent boolean not null,
    primary key (tenant, id),
    foreign key (tenant, thread) references messaging.thread (tenant, id)
);
create index message_of_thread on messaging.message (tenant, thread, n);

create table messaging.seen (
    tenant integer not null,
    message text not null,
    person text not null,
    name text not null,
    side text not null check (side in ('home', 'clinic')),
    at timestamptz not null,
    primary key (tenant, message, person),
    foreign key (tenant, message) references messaging.message (tenant, id)
);

-- What became of a thread. ref: what it was turned into (visit/…, Task/…, DocumentReference/…).
create table messaging.thread_event (
    id bigint generated always as identity primary key,
    tenant integer not null,
    thread text not null,
    at timestamptz not null,
    person text not null,
    name text not null,
    what text not null,
    detail text not null default '',
    ref text,
    foreign key (tenant, thread) references messaging.thread (tenant, id)
);
create index event_of_thread on messaging.thread_event (tenant, thread, id);
create index event_ref on messaging.thread_event (tenant, ref) where ref is not null;

create table messaging.away (
    id text primary key,
    tenant integer not null,
    person text not null,
    name text not null,
    substitute text not null,
    substitute_name text not null,
    since timestamptz not null,
    until timestamptz not null,
    check (until > since)
);
create index away_of on messaging.away (tenant, person, until);

-- By when the site answers: the close of the days-th working day (ISO weekdays) after a message, on the clinic's clock.
create table messaging.promise (
    tenant integer primary key,
    days smallint not null check (days between 0 and 14),
    weekdays smallint[] not null check (cardinality(weekdays) > 0),
    closes time not null,
    closed date[] not null,
    by_name text not null,
    at timestamptz not null
);
"""


BACK = """
drop table messaging.promise;
drop table messaging.away;
drop table messaging.thread_event;
drop table messaging.seen;
drop table messaging.message;
drop table messaging.thread;
"""
LOSES = {
    "threads (their words stay in the record)": "select count(*) from messaging.thread",
    "messages in threads (their words stay in the record)": "select count(*) from messaging.message",
    "that messages were seen": "select count(*) from messaging.seen",
    "what became of threads": "select count(*) from messaging.thread_event",
    "absences": "select count(*) from messaging.away",
    "by when the clinic answers": "select count(*) from messaging.promise",
}


def upgrade() -> None:
    """Forward."""
    op.execute(THREADS)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
