"""monitoring: what people at home were told of alarms

Revision ID: 0027.3
Revises: 0027.2
"""

from alembic import op

revision = "0027.3"
down_revision = "0027.2"
branch_labels = None
depends_on = None

TOLD = """
-- An alarm that somebody at home has to read about. notice: what was sent for it; null where one was on its way.
create table monitoring.told (
    tenant integer not null,
    alarm text not null,
    person text not null,
    patient text not null,
    kind text not null check (kind in ('urgent', 'reading', 'device')),
    cause text not null,
    at timestamptz not null,
    notice text,
    read_at timestamptz,
    primary key (tenant, alarm, person)
);
create index told_person on monitoring.told (tenant, person, patient, at desc);
"""


BACK = """
drop table monitoring.told;
-- Since then the judge keeps the times of its readings as microseconds since 1970. Before, they were ISO 8601, and a
-- program of then that meets a number stores no pack of that patient any more.
create function monitoring.as_then(one jsonb) returns jsonb language sql as $$
    select case jsonb_typeof(one -> 4) when 'number' then jsonb_set(jsonb_set(one,
        '{4}', to_jsonb(timestamptz 'epoch' + (one ->> 4)::bigint * interval '1 microsecond')),
        '{5}', to_jsonb(timestamptz 'epoch' + (one ->> 5)::bigint * interval '1 microsecond')) else one end
$$;
update monitoring.watch set
    newest = coalesce((select jsonb_object_agg(key, monitoring.as_then(value)) from jsonb_each(newest)), '{}'),
    weights = coalesce((select jsonb_object_agg(key, monitoring.as_then(value)) from jsonb_each(weights)), '{}'),
    recent = coalesce((select jsonb_object_agg(key, coalesce((select jsonb_agg(monitoring.as_then(one) order by n)
        from jsonb_array_elements(value) with ordinality as each (one, n)), '[]')) from jsonb_each(recent)), '{}');
drop function monitoring.as_then(jsonb);
"""
LOSES = {
    "what people at home were told of alarms": "select count(*) from monitoring.told",
}


def upgrade() -> None:
    """Forward."""
    op.execute(TOLD)


def downgrade() -> None:
    """Back."""
    op.execute(BACK)
