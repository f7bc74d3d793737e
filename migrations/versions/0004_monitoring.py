"""monitoring: devices and who holds them, packs of readings, what happened to them on the way"""

from alembic import op

revision = "0004"
down_revision = "0003"

DEVICES = """
create schema if not exists monitoring;

create table monitoring.device (
    number int generated always as identity primary key,
    tenant int not null,
    name text not null unique,
    kind text not null,
    source text not null check (source in ('device', 'patient', 'staff')),
    label text not null default '',
    method text,
    salt bytea,
    secret bytea,
    state text not null default 'active' check (state in ('active', 'revoked')),
    expires_at timestamptz,
    typist text,
    typed_for text,
    created_at timestamptz not null
);
create unique index on monitoring.device (tenant, typist, typed_for) where typist is not null;

-- A device is held by one patient at a time. Ranges of one number stand in for btree_gist, which is an extension.
create table monitoring.assignment (
    id bigint generated always as identity primary key,
    tenant int not null,
    device int not null references monitoring.device (number),
    patient text not null,
    during tstzrange not null check (not isempty(during)),
    made_at timestamptz not null,
    exclude using gist (int4range(device, device, '[]') with &&, during with &&)
);
create index on monitoring.assignment (device);
create index on monitoring.assignment (tenant, patient);

-- An MQTT client id takes over the session of whoever has it: so the first device to use one keeps it.
create table monitoring.client (
    client_id text primary key,
    device int not null references monitoring.device (number),
    since timestamptz not null
);

-- One row a device, small and rewritten with each pack: what was last heard of it.
create table monitoring.head (
    device int primary key references monitoring.device (number),
    heard_at timestamptz,
    newest jsonb not null default '{}'
) with (fillfactor = 50);
"""

SERIES = """
-- A pack, whole, as one row. It is also the audit entry of its arrival. time: device time, us since 1970.
-- patient is null while nobody is known to have held the device at those times.
create table monitoring.pack (
    id bigint generated always as identity primary key,
    tenant int not null,
    device int not null references monitoring.device (number),
    patient text,
    received_at timestamptz not null,
    seq bigint,
    digest bytea,
    t_min bigint not null,
    t_max bigint not null,
    metric int2[] not null,
    time bigint[] not null,
    value float8[] not null,
    flags int2[] not null,
    sent jsonb
);
create index on monitoring.pack (device, t_max, t_min);
create index on monitoring.pack (tenant, patient, t_max, t_min);
create index on monitoring.pack (device, seq) where digest is not null;

-- One row a patient: the newest value of each metric. Locked while that patient is judged.
create table monitoring.latest (
    tenant int not null,
    patient text not null,
    newest jsonb not null default '{}',
    primary key (tenant, patient)
) with (fillfactor = 50);

-- The same moment of the same device with another value: kept, shown, never overwriting.
create table monitoring.conflict (
    tenant int not null,
    device int not null references monitoring.device (number),
    metric int2 not null,
    time bigint not null,
    patient text,
    kept float8 not null,
    value float8 not null,
    received_at timestamptz not null,
    primary key (device, metric, time, value)
);
create index on monitoring.conflict (tenant, patient);

-- "That was not me": the reading stays in its pack and reads entered-in-error from then on.
create table monitoring.withdrawal (
    tenant int not null,
    device int not null references monitoring.device (number),
    metric int2 not null,
    time bigint not null,
    patient text not null,
    reason text not null,
    by_id text not null,
    by_name text not null,
    at timestamptz not null,
    primary key (device, metric, time)
);
create index on monitoring.withdrawal (tenant, patient);

-- What went wrong on the way from a body to the record, for a person to find. Repeats raise the count.
create table monitoring.technical_event (
    id bigint generated always as identity primary key,
    tenant int not null,
    kind text not null,
    device text not null,
    patient text,
    first_at timestamptz not null,
    last_at timestamptz not null,
    count bigint not null default 1,
    detail jsonb not null default '{}',
    seen_by text,
    seen_at timestamptz
);
create unique index on monitoring.technical_event (tenant, kind, device) where seen_at is null;
create index on monitoring.technical_event (tenant, last_at);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(DEVICES)
    op.execute(SERIES)
