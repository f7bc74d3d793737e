"""SQL of emergency accesses and their reviews."""

from __future__ import annotations

from datetime import datetime

from bedside.access.model.emergency import Emergency
from bedside.foundation.database import Connection

_OF_E = """select split_part(r.source, '/', 2) as id, r.person, p.name, r.patient, coalesce(r.reason, '') as reason,
    r.since, r.until, v.at, v.by, v.by_name, v.outcome, coalesce(v.note, '') as note
    from access.relation r join access.person p on p.id = r.person
    left join access.emergency_review v on v.tenant = r.tenant and v.source = r.source"""


async def waiting(
    sql: Connection, tenant: int, limit: int, after: tuple[datetime, str] | None
) -> tuple[list[Emergency], int]:
    """Those that nobody has reviewed, the oldest first, after one that began then and has that id; how many in all."""
    since, id_ = after or (None, None)
    rows = await sql.fetch(
        f"""{_OF_E} where r.tenant = $1 and r.kind = 'emergency' and v.source is null
        and ($2::timestamptz is null or (r.since, r.source) > ($2, 'emergency/' || $3::text))
        order by r.since, r.source limit $4""",
        *(tenant, since, id_, limit),
    )
    return [Emergency(**row) for row in rows], await how_many(sql, tenant)


async def how_many(sql: Connection, tenant: int) -> int:
    """Those that nobody has reviewed."""
    found: int = await sql.fetchval(
        """select count(*) from access.relation r where r.tenant = $1 and r.kind = 'emergency' and not exists (
        select from access.emergency_review v where v.tenant = r.tenant and v.source = r.source)""",
        tenant,
    )
    return found


async def reviewed(sql: Connection, tenant: int, since: datetime) -> list[Emergency]:
    """Those reviewed since then, the newest review first, at most 100."""
    rows = await sql.fetch(
        f"{_OF_E} where r.tenant = $1 and r.kind = 'emergency' and v.at >= $2 order by v.at desc limit 100",
        *(tenant, since),
    )
    return [Emergency(**row) for row in rows]


async def one(sql: Connection, tenant: int, id: str) -> Emergency | None:
    """One; nobody else reviews it until the transaction ends."""
    row = await sql.fetchrow(
        f"{_OF_E} where r.tenant = $1 and r.kind = 'emergency' and r.source = 'emergency/' || $2::text for update of r",
        *(tenant, id),
    )
    return Emergency(**row) if row else None


async def review(
    sql: Connection, tenant: int, id: str, at: datetime, by: str, by_name: str, outcome: str, note: str
) -> None:
    """It is reviewed."""
    await sql.execute(
        """insert into access.emergency_review (tenant, source, at, by, by_name, outcome, note)
        values ($1, 'emergency/' || $2::text, $3, $4, $5, $6, $7)""",
        *(tenant, id, at, by, by_name, outcome, note),
    )


async def take_back(sql: Connection, tenant: int, id: str) -> None:
    """It is not, after all: both stand in the audit."""
    await sql.execute(
        "delete from access.emergency_review where tenant = $1 and source = 'emergency/' || $2::text", *(tenant, id)
    )
