"""References that would lead to nothing, seen after a write and before its commit."""

from collections.abc import Sequence

from bedside.foundation.database import Connection, Row


async def referring(sql: Connection, tenant: int, rid: int, params: Sequence[int], limit: int) -> list[Row]:
    """Living resources that refer to one, itself left out. params: every reference parameter there may be."""
    rows: list[Row] = await sql.fetch(
        "select r.rid, r.type, r.id, r.patients from records.resource r where r.tenant = $1 and r.body is not null"
        " and r.rid in (select e.rid from records.entry e"
        "  where e.tenant = $1 and e.param = any($2::int[]) and e.key = $3 and e.rid <> $3 limit $4)"
        " order by r.type, r.id",
        tenant,
        params,
        rid,
        limit,
    )
    return rows


async def still_named(sql: Connection, tenant: int, rids: Sequence[int], params: Sequence[int]) -> set[int]:
    """Which of these are referred to by any other."""
    rows = await sql.fetch(
        "select v.rid from unnest($3::bigint[]) as v(rid) where exists (select from records.entry e"
        " where e.tenant = $1 and e.param = any($2::int[]) and e.key = v.rid and e.rid <> v.rid)",
        tenant,
        params,
        rids,
    )
    return {row["rid"] for row in rows}


async def referred(sql: Connection, tenant: int, rids: Sequence[int], params: Sequence[int]) -> list[Row]:
    """(rid, target): which resources the index says that these refer to. Only those named by type and id."""
    rows: list[Row] = await sql.fetch(
        "select distinct e.rid, e.key as target from records.entry e"
        " where e.tenant = $1 and e.rid = any($2::bigint[]) and e.param = any($3::int[]) and e.extra <> 0",
        tenant,
        rids,
        params,
    )
    return rows


async def living(sql: Connection, tenant: int, rids: Sequence[int]) -> set[int]:
    """Which of these stand there. They stay until the transaction ends: a deletion waits for it."""
    rows = await sql.fetch(
        "select rid from records.resource where tenant = $1 and rid = any($2::bigint[]) and body is not null"
        " order by rid for key share",
        tenant,
        sorted(set(rids)),
    )
    return {row["rid"] for row in rows}
