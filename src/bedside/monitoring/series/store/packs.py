"""SQL of packs as they landed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.series.store.copied import copied

PACK = (
    *("tenant", "device", "patient", "received_at", "seq", "digest"),
    *("t_min", "t_max", "metric", "time", "value", "flags", "sent_value", "sent_unit"),
)


async def append(sql: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Packs, in the order of PACK."""
    if len(rows) < 4:
        await sql.executemany(
            f"insert into monitoring.pack ({', '.join(PACK)}) "  # noqa: S608 - names of ours
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            rows,
        )
        return
    source = memoryview(copied(rows))  # of plain bytes asyncpg thinks that they are a path
    await sql.copy_to_table("pack", schema_name="monitoring", columns=PACK, source=source, format="binary")


async def repeated(sql: Connection, device: int, seq: int, digest: bytes) -> bool:
    """Whether this very pack is held: same counter, same bytes."""
    return bool(
        await sql.fetchval(
            """select exists (select from monitoring.pack where device = $1 and seq = $2 and digest = $3)""",
            *(device, seq, digest),
        )
    )


async def unassigned(sql: Connection, tenant: int, device: int) -> list[dict[str, Any]]:
    """Packs of a device that wait for somebody to have held it then, locked."""
    rows = await sql.fetch(
        """select * from monitoring.pack where tenant = $1 and device = $2 and patient is null
           order by id for update""",
        *(tenant, device),
    )
    return [dict(row) for row in rows]


async def last_of(sql: Connection, tenant: int, device: str) -> tuple[dict[str, Any] | None, int]:
    """The pack that came last of a device, while it is in no chunk; and how many of its readings wait for a holder."""
    row = await sql.fetchrow(
        """select p.received_at, p.t_max, cardinality(p.metric) as count, p.seq
           from monitoring.pack p join monitoring.device d on d.number = p.device
           where d.tenant = $1 and d.name = $2 order by p.received_at desc, p.id desc limit 1""",
        *(tenant, device),
    )
    waiting = await sql.fetchval(
        """select coalesce(sum(cardinality(p.metric)), 0) from monitoring.pack p
           join monitoring.device d on d.number = p.device
           where d.tenant = $1 and d.name = $2 and p.tenant = $1 and p.patient is null""",
        *(tenant, device),
    )
    return (None if row is None else dict(row)), int(waiting)


async def remove(sql: Connection, packs: Sequence[int]) -> None:
    """Packs that are put back at once, split by who held the device."""
    await sql.execute("delete from monitoring.pack where id = any($1)", packs)


async def old(sql: Connection, before: datetime, relative_before: datetime, most: int) -> list[tuple[int, str]]:
    """Tenants and devices with packs to be put into chunks, most many: of a known patient, received before `before`;
    those of relative times, which seq and digest alone tell from a repeat, before relative_before."""
    rows = await sql.fetch(
        """select distinct p.tenant, d.name from monitoring.pack p join monitoring.device d on d.number = p.device
           where p.patient is not null
             and p.received_at < case when p.digest is null then $1::timestamptz else $2 end limit $3""",
        *(before, relative_before, most),
    )
    return [(row["tenant"], row["name"]) for row in rows]


async def take(
    sql: Connection, device: int, before: datetime, relative_before: datetime, most: int
) -> list[dict[str, Any]]:
    """Take such packs of a device out, the oldest first, most many: they go into chunks in this transaction."""
    rows = await sql.fetch(
        """delete from monitoring.pack where id = any(array(
               select id from monitoring.pack
               where device = $1 and patient is not null
                 and received_at < case when digest is null then $2::timestamptz else $3 end
               order by t_max limit $4))
           returning patient, received_at, metric, time, value, flags, sent_value, sent_unit""",
        *(device, before, relative_before, most),
    )
    return [dict(row) for row in rows]
