"""monitoring: waveforms as they came, and by the minute

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WAVES = """
-- One lead of one message. t: device time of its first sample, us. physical = k * raw + o, in unit (UCUM); samples:
-- int16 little-endian, -32768 = no sample. off_lead: uint16 pairs, the first and the last sample with the lead off;
-- null: none. patient: who held the device then; null: nobody, it waits.
create table monitoring.wave (
    device int not null references monitoring.device (number),
    lead int2 not null,
    t bigint not null,
    tenant int not null,
    patient text,
    t_end bigint not null,
    received_at timestamptz not null,
    hz float8 not null,
    k float8 not null,
    o float8 not null,
    unit text not null,
    samples bytea not null,
    off_lead bytea,
    primary key (device, lead, t)
);
create index on monitoring.wave (tenant, patient, t);
create index on monitoring.wave (received_at);

-- About a minute of a lead, of one patient and one scale. t, n: where each message's part begins and how many samples
-- it has. packed: zlib of the differences of all samples, low bytes before high ones. off_lead: uint32 triples, part,
-- first, last.
create table monitoring.wave_minute (
    device int not null references monitoring.device (number),
    lead int2 not null,
    t_min bigint not null,
    t_max bigint not null,
    tenant int not null,
    patient text not null,
    hz float8 not null,
    k float8 not null,
    o float8 not null,
    unit text not null,
    t bigint[] not null,
    n int2[] not null,
    packed bytea not null,
    off_lead bytea,
    primary key (device, lead, t_min)
);
alter table monitoring.wave_minute alter column packed set storage external;
create index on monitoring.wave_minute (tenant, patient, t_max);
create index on monitoring.wave_minute (t_max);
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(WAVES)


def downgrade() -> None:
    """Before the first release nothing is taken back."""
    raise NotImplementedError("restore the backup made before the upgrade")
