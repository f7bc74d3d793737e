"""SQL of technical events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection


async def note(
    sql: Connection,
    tenant: int,
    kind: str,
    device: str,
    patient: str | None,
    at: datetime,
    count: int,
    detail: dict[str, Any],
) -> None:
    """A new event, or a higher count of the unseen one. Of what was refused the last 20 are kept, newest first: another
    reason does not hide the one before it. Of how late or how far ahead the most is kept."""
    await sql.execute(
        """insert into monitoring.technical_event as e
           (tenant, kind, device, patient, first_at, last_at, count, detail)
           values ($1, $2, $3, $4, $5, $5, $6, $7)
           on conflict (tenant, kind, device) where seen_at is null do update
           set last_at = greatest(e.last_at, excluded.last_at), count = e.count + excluded.count,
               patient = coalesce(excluded.patient, e.patient),
               detail = excluded.detail || case when excluded.detail ? 'refused' then jsonb_build_object('refused', (
                 select jsonb_agg(kept.one order by kept.n) from (
                   select one, n from jsonb_array_elements(
                     (excluded.detail -> 'refused') || coalesce(e.detail -> 'refused', '[]')
                   ) with ordinality as both_of (one, n) order by n limit 20
                 ) as kept
               )) else '{}' end || case when excluded.detail ? 'most_seconds' then jsonb_build_object('most_seconds',
                 greatest((excluded.detail ->> 'most_seconds')::bigint, (e.detail ->> 'most_seconds')::bigint)
               ) else '{}' end""",
        *(tenant, kind, device, patient, at, count, detail),
    )


async def last(sql: Connection, tenant: int, kind: str, device: str, since: datetime) -> datetime | None:
    """When it last happened after `since`, seen or not."""
    at: datetime | None = await sql.fetchval(
        """select max(last_at) from monitoring.technical_event
           where tenant = $1 and last_at > $4 and kind = $2 and device = $3""",
        *(tenant, kind, device, since),
    )
    return at


async def events(
    sql: Connection, tenant: int, device: str | None, unseen: bool, last: Sequence[str]
) -> list[dict[str, Any]]:
    """The newest first, the kinds of `last` after all others. Of those that nobody has seen all, a line a device and
    kind: whose they are is known only later. Else at most 500."""
    rows = await sql.fetch(
        """select id, kind, device, patient, first_at, last_at, count, detail, seen_by
           from monitoring.technical_event
           where tenant = $1 and ($2::text is null or device = $2) and (not $3 or seen_at is null)
           order by kind = any($4), last_at desc limit case when $3 then null else 500 end""",
        *(tenant, device, unseen, last),
    )
    return [dict(row) for row in rows]


async def seen(sql: Connection, tenant: int, events: Sequence[int], by: str, at: datetime) -> int:
    """How many of these were open, and are seen from this moment."""
    rows = await sql.fetch(
        """update monitoring.technical_event set seen_by = $3, seen_at = $4
           where tenant = $1 and id = any($2) and seen_at is null returning id""",
        *(tenant, list(events), by, at),
    )
    return len(rows)


async def not_seen(sql: Connection, tenant: int, by: str, since: datetime) -> int:
    """What somebody said last to have seen, together, if not before since: open again. Where the same happened anew
    meanwhile, the two are one line. How many."""
    rows = await sql.fetch(
        """with slip as (select * from monitoring.technical_event where tenant = $1 and seen_by = $2 and seen_at = (
               select max(seen_at) from monitoring.technical_event
               where tenant = $1 and seen_by = $2 and seen_at >= $3)),
           joined as (update monitoring.technical_event e
               set count = e.count + slip.count, first_at = least(e.first_at, slip.first_at)
               from slip where e.tenant = $1 and e.kind = slip.kind and e.device = slip.device and e.seen_at is null
               returning slip.id)
           select slip.id, joined.id is not null as joined from slip left join joined using (id)""",
        *(tenant, by, since),
    )
    await sql.execute(
        "delete from monitoring.technical_event where tenant = $1 and id = any($2)",
        *(tenant, [row["id"] for row in rows if row["joined"]]),
    )
    await sql.execute(
        "update monitoring.technical_event set seen_by = null, seen_at = null where tenant = $1 and id = any($2)",
        *(tenant, [row["id"] for row in rows if not row["joined"]]),
    )
    return len(rows)
