"""monitoring: one cause that silences many devices is one matter; gateways, and which device comes by which

Revision ID: 0029
Revises: 0028.2
"""

from alembic import op

revision = "0029"
down_revision = "0028.2"
branch_labels = None
depends_on = None

OUTAGE = """
-- A gateway that devices hand in at, by the name it gives itself. heard_at: when it last said that it is there.
create table monitoring.gateway (
    tenant integer not null,
    name text not null,
    heard_at timestamptz not null,
    primary key (tenant, name)
);
alter table monitoring.device add column via text;

-- Devices that one cause has silenced. scope: a ward, or a gateway. since: when last heard. devices: name to patient.
create table monitoring.outage (
    id bigint generated always as identity primary key,
    tenant integer not null,
    scope text not null check (scope in ('place', 'gateway')),
    name text not null,
    since timestamptz not null,
    found_at timestamptz not null,
    ended_at timestamptz,
    devices jsonb not null
);
create unique index outage_one on monitoring.outage (tenant, scope, name) where ended_at is null;
"""


BACK = """
drop table monitoring.outage;
alter table monitoring.device drop column via;
drop table monitoring.gateway;
"""
LOSES = {
    "outages of wards and gateways": "select count(*) from monitoring.outage",
    "gateways": "select count(*) from monitoring.gateway",
}


def upgrade() -> None:
    """Forward."""
    op.execute(OUTAGE)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
