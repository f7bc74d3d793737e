"""Which patients were merged into which."""

from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection, Row


async def insert(sql: Connection, merge: dict[str, Any]) -> None:
    """Keep that they were."""
    names = ("id", "tenant", "source", "target", "at", "by", "was")
    await sql.execute(
        "insert into records.merge (id, tenant, source, target, at, by, was) values ($1, $2, $3, $4, $5, $6, $7)",
        *(merge[name] for name in names),
    )


async def standing(sql: Connection, tenant: int, source: str) -> Row | None:
    """The merge by which this patient went into another, held until the transaction ends; None when there is none."""
    row: Row | None = await sql.fetchrow(
        "select id, source, target, at, by, was from records.merge"
        " where tenant = $1 and source = $2 and undone is null for update",
        tenant,
        source,
    )
    return row


async def all_standing(sql: Connection, tenant: int, limit: int) -> list[Row]:
    """The merges that hold, newest first."""
    rows: list[Row] = await sql.fetch(
        "select source, target, at, by, was from records.merge where tenant = $1 and undone is null"
        " order by at desc, id desc limit $2",
        tenant,
        limit,
    )
    return rows


async def undo(sql: Connection, id_: str, now: datetime) -> None:
    """It no longer holds."""
    await sql.execute("update records.merge set undone = $2 where id = $1 and undone is null", id_, now)
