"""exchange: interfaces of other systems, the messages taken from them, the sources these name, what was corrected"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

EXCHANGE = """
create schema if not exists exchange;

-- application, facility: MSH-3 and MSH-4 by which a sender is known. authorities: assigning authority of PID-3 to the
-- system of Patient.identifier. addresses: networks (CIDR) that it may send from.
create table exchange.interface (
    number int generated always as identity primary key,
    tenant int not null,
    name text not null,
    application text not null,
    facility text not null,
    authorities jsonb not null,
    zone text not null,
    addresses text[] not null,
    kind text not null,
    processing text not null,
    made_at timestamptz not null,
    ended_at timestamptz
);
create unique index on exchange.interface (tenant, name) where ended_at is null;
create unique index on exchange.interface (tenant, application, facility) where ended_at is null;

-- A message of which something was kept, without its content: its key and hash, so that one that comes again is
-- answered again and not taken again. answer: framed acknowledgements; null only inside the transaction that takes it.
create table exchange.message (
    tenant int not null,
    application text not null,
    facility text not null,
    control text not null,
    interface int not null references exchange.interface (number),
    digest bytea not null,
    received_at timestamptz not null,
    answer bytea[],
    primary key (tenant, application, facility, control)
);
create index on exchange.message (interface, received_at);
create index on exchange.message (received_at);

-- A monitor at one patient's bed is a device of monitoring: (interface, monitor, site, PID-3). revision: a correction
-- has the moment of what it corrects, so it stands as a device of its own. patient: null while PID-3 leads to nobody.
create table exchange.source (
    tenant int not null,
    interface int not null references exchange.interface (number),
    monitor text not null,
    site text not null,
    who text not null,
    revision int not null default 0,
    patient text,
    device text not null unique
);
create unique index on exchange.source (tenant, interface, monitor, site, who, revision, coalesce(patient, ''));

-- Results that are not plainly final: which revision of them stands, and how. device: of revision 0. time: us since
-- 1970.
create table exchange.standing (
    tenant int not null,
    device text not null,
    metric text not null,
    time bigint not null,
    revision int not null,
    status text not null check (status in ('preliminary', 'final', 'replaced', 'removed')),
    at timestamptz not null,
    primary key (tenant, device, metric, time)
);
"""


def upgrade() -> None:
    """Forward."""
    op.execute(EXCHANGE)
