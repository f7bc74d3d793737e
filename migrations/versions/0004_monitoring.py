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
    performer text,
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
-- sent_*: value and unit as sent, null elements (or null arrays) where nothing was converted.
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
    sent_value float8[],
    sent_unit text[]
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

RECORD = """
-- What the view of readings needs of the table of metrics (ingest/tables/metrics.toml; a test compares them).
create table monitoring.metric (
    number int2 primary key,
    name text not null unique,
    codes text[] not null,
    category text[] not null,
    unit text[] not null,
    quantity boolean not null
);
insert into monitoring.metric (number, name, codes, category, unit, quantity)
select number, name,
       array(select 'http://loinc.org|' || code from unnest(codes) as c (code)),
       array['http://terminology.hl7.org/CodeSystem/observation-category|' || category],
       array[unit], quantity
from (values
    (1, 'heart-rate', array['8867-4'], 'vital-signs', '/min', true),
    (2, 'respiratory-rate', array['9279-1'], 'vital-signs', '/min', true),
    (3, 'spo2', array['59408-5', '2708-6'], 'vital-signs', '%', true),
    (4, 'temperature', array['8310-5'], 'vital-signs', 'Cel', true),
    (5, 'systolic', array['8480-6'], 'vital-signs', 'mm[Hg]', true),
    (6, 'diastolic', array['8462-4'], 'vital-signs', 'mm[Hg]', true),
    (7, 'mean-pressure', array['8478-0'], 'vital-signs', 'mm[Hg]', true),
    (8, 'weight', array['29463-7'], 'vital-signs', 'kg', true),
    (9, 'height', array['8302-2'], 'vital-signs', 'cm', true),
    (10, 'glucose', array['2339-0'], 'laboratory', 'mg/dL', true),
    (11, 'oxygen', array['3151-8'], 'exam', 'L/min', true),
    (12, 'inspired-oxygen', array['3150-0'], 'exam', '%', true),
    (13, 'consciousness', array['67775-7'], 'exam', '{score}', false),
    (14, 'bmi', array['39156-5'], 'vital-signs', 'kg/m2', true),
    (15, 'coma-score', array['9269-2'], 'exam', '{score}', true)
) as m (number, name, codes, category, unit, quantity);

-- Every reading as records searches it (records' ReadProvider); a pressure's metrics of one moment are one row.
create view monitoring.observation as
select p.tenant,
       'r.' || p.device || '.' || u.metric || '.' || u.time as id,
       p.patient,
       timestamptz '1970-01-01 00:00:00+00' + u.time * interval '1 microsecond' as at,
       timestamptz '1970-01-01 00:00:00+00' + (u.time + 1) * interval '1 microsecond' as until,
       greatest(p.received_at, w.at) as updated,
       case when w.at is null then 1 else 2 end as version,
       m.codes as code,
       m.category,
       array['http://hl7.org/fhir/observation-status|'
             || case when w.at is null then 'final' else 'entered-in-error' end] as status,
       array['Patient/' || p.patient] as subject,
       case when d.source = 'device' then array['Device/' || d.name] else array[]::text[] end as device,
       case when m.quantity then array[u.value] else array[]::float8[] end as value,
       case when m.quantity then m.unit else array[]::text[] end as unit,
       array[]::text[] as component_code,
       array[]::float8[] as component_value,
       array[]::text[] as component_unit,
       m.codes as combo_code,
       case when m.quantity then array[u.value] else array[]::float8[] end as combo_value,
       case when m.quantity then m.unit else array[]::text[] end as combo_unit
from monitoring.pack p
join monitoring.device d on d.number = p.device
cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
join monitoring.metric m on m.number = u.metric
left join monitoring.withdrawal w on w.device = p.device and w.metric = u.metric and w.time = u.time
where p.patient is not null and u.metric not in (5, 6, 7)
union all
select p.tenant,
       'p.' || p.device || '.5.' || u.time,
       p.patient,
       timestamptz '1970-01-01 00:00:00+00' + u.time * interval '1 microsecond',
       timestamptz '1970-01-01 00:00:00+00' + (u.time + 1) * interval '1 microsecond',
       greatest(max(p.received_at), max(w.at)),
       (count(distinct p.received_at) + case when max(w.at) is null then 0 else 1 end)::int,
       array['http://loinc.org|85354-9'],
       array['http://terminology.hl7.org/CodeSystem/observation-category|vital-signs'],
       array['http://hl7.org/fhir/observation-status|'
             || case when max(w.at) is null then 'final' else 'entered-in-error' end],
       array['Patient/' || p.patient],
       case when d.source = 'device' then array['Device/' || d.name] else array[]::text[] end,
       array[]::float8[],
       array[]::text[],
       array_agg(m.codes[1] order by u.metric),
       array_agg(u.value order by u.metric),
       array_agg(m.unit[1] order by u.metric),
       array['http://loinc.org|85354-9'] || array_agg(m.codes[1] order by u.metric),
       array_agg(u.value order by u.metric),
       array_agg(m.unit[1] order by u.metric)
from monitoring.pack p
join monitoring.device d on d.number = p.device
cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
join monitoring.metric m on m.number = u.metric
left join monitoring.withdrawal w on w.device = p.device and w.metric = u.metric and w.time = u.time
where p.patient is not null and u.metric in (5, 6, 7)
group by p.tenant, p.patient, p.device, d.name, d.source, u.time;
"""


def upgrade() -> None:
    """Forward."""
    op.execute(DEVICES)
    op.execute(SERIES)
    op.execute(RECORD)
