"""monitoring: profiles and limits that rules judge by, alarms with their history, timers, hours.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

RULES = """
create table monitoring.profile (
    tenant integer not null,
    patient text not null,
    birth_date date,
    pregnant boolean not null default false,
    news2_scale smallint not null default 1 check (news2_scale in (1, 2)),
    news2_applies boolean not null default true,
    changed_at timestamptz not null,
    changed_by text not null,
    primary key (tenant, patient)
);

-- Every state a profile had: which rules judged whom, and when, can always be told.
create table monitoring.profile_change (
    tenant integer not null,
    patient text not null,
    at timestamptz not null,
    by text not null,
    reason text not null,
    profile jsonb not null
);
create index profile_change_patient on monitoring.profile_change (tenant, patient, at);

create table monitoring.patient_limit (
    id text primary key,
    tenant integer not null,
    patient text not null,
    metric text not null,
    comparison text not null check (comparison in ('>', '>=', '<', '<=')),
    value double precision,
    priority text not null check (priority in ('high', 'medium', 'low')),
    reason text not null,
    set_at timestamptz not null,
    set_by text not null,
    ended_at timestamptz,
    ended_by text
);
create unique index patient_limit_now on monitoring.patient_limit
    (tenant, patient, metric, left(comparison, 1), priority) where ended_at is null;
"""

ALARMS = """
-- The judge's memory of a patient, and its fence: whoever judges a patient holds this row.
-- newest: metric to its newest reading; weights: reading id to reading, of the last 7 days;
-- heard: device to [when last, its kind].
create table monitoring.watch (
    tenant integer not null,
    patient text not null,
    newest jsonb not null default '{}',
    weights jsonb not null default '{}',
    heard jsonb not null default '{}',
    primary key (tenant, patient)
) with (fillfactor = 60);

create table monitoring.alarm (
    id text primary key,
    tenant integer not null,
    patient text not null,
    episode text not null,
    cause text not null,
    priority text not null check (priority in ('high', 'medium', 'low')),
    state text not null,
    finding jsonb not null,
    raised_at timestamptz not null,
    measured_at timestamptz not null,
    breach_at timestamptz not null,
    ended_at timestamptz,
    step integer not null default 1,
    asked text[] not null default '{}',
    nobody boolean not null default false,
    holder text,
    holder_name text,
    acknowledged_at timestamptz,
    acted_at timestamptz,
    closed_at timestamptz
);
create index alarm_patient on monitoring.alarm (tenant, patient, raised_at desc);
-- One open alarm of a cause; and once in an episode at one priority: both hold even if two judges raced.
create unique index alarm_open on monitoring.alarm (tenant, patient, cause) where closed_at is null;
create unique index alarm_once on monitoring.alarm (tenant, episode, priority);

create table monitoring.alarm_event (
    n bigint generated always as identity primary key,
    tenant integer not null,
    alarm text not null references monitoring.alarm,
    at timestamptz not null,
    event text not null,
    before text not null,
    state text not null,
    person text,
    person_name text,
    note text not null default '',
    data jsonb not null default '{}'
);
create index alarm_event_alarm on monitoring.alarm_event (alarm, n);

-- kind: escalate, return, recheck (of an alarm), silence (of a patient's device). The job is only a wake-up.
create table monitoring.timer (
    id text primary key,
    tenant integer not null,
    kind text not null check (kind in ('escalate', 'return', 'recheck', 'silence')),
    alarm text references monitoring.alarm,
    patient text,
    device text,
    due timestamptz not null,
    done_at timestamptz
);
create index timer_due on monitoring.timer (due) where done_at is null;
create unique index timer_alarm on monitoring.timer (alarm, kind) where done_at is null and alarm is not null;
create unique index timer_device on monitoring.timer (tenant, patient, device)
    where done_at is null and kind = 'silence';

-- When the sweep last came round, and since when without a gap: while Bedside itself was away no device was silent.
create table monitoring.pulse (
    id boolean primary key default true check (id),
    beat timestamptz not null,
    awake_since timestamptz not null
);

-- When a ward or programme is watched. weekday: ISO, 1 is Monday. No row at all: around the clock.
create table monitoring.hours (
    tenant integer not null,
    place text not null,
    weekday smallint not null check (weekday between 1 and 7),
    opens time not null,
    closes time not null check (closes > opens),
    zone text not null,
    primary key (tenant, place, weekday, opens)
);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(RULES)
    op.execute(ALARMS)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
