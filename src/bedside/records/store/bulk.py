"""Bulk Data jobs and their files, as rows."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from bedside.foundation.database import Connection, Row
from bedside.records.model.bulk import Made

COLUMNS = (
    "id, tenant, kind, owner, actor, purpose, request, wish, state, asked, touched, ended, expires, fence, place, done,"
    " total, why"
)


async def insert(sql: Connection, job: dict[str, Any]) -> bool:
    """Keep a new job; False when its client has one of this kind at work already."""
    try:
        async with sql.transaction():
            await sql.execute(
                "insert into records.bulk"
                " (id, tenant, kind, owner, actor, purpose, request, wish, state, asked, touched)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, 'working', $9, $9)",
                *(job[name] for name in ("id", "tenant", "kind", "owner", "actor", "purpose", "request", "wish")),
                job["asked"],
            )
    except asyncpg.UniqueViolationError:
        return False
    return True


async def find(sql: Connection, tenant: int, id_: str) -> Row | None:
    """A job."""
    row: Row | None = await sql.fetchrow(
        f"select {COLUMNS} from records.bulk where tenant = $1 and id = $2",
        tenant,
        id_,
    )
    return row


async def begin(sql: Connection, tenant: int, id_: str, now: datetime) -> Row | None:
    """Take the job for a new run, which overtakes every older one; None when there is nothing to do."""
    row: Row | None = await sql.fetchrow(
        "update records.bulk set fence = fence + 1, touched = $3 where tenant = $1 and id = $2 and state = 'working'"
        f" returning {COLUMNS}",
        tenant,
        id_,
        now,
    )
    return row


async def size(sql: Connection, id_: str, fence: int, total: int) -> None:
    """How much there is to do, in all."""
    await sql.execute("update records.bulk set total = $3 where id = $1 and fence = $2", id_, fence, total)


async def move(
    sql: Connection, id_: str, fence: int, now: datetime, place: dict[str, Any], done: int, made: Sequence[Made]
) -> bool:
    """The work stands here now, with these files; False when this run was overtaken or cancelled."""
    moved = await sql.fetchval(
        "update records.bulk set place = $4, done = $5, touched = $3"
        " where id = $1 and fence = $2 and state = 'working' returning true",
        id_,
        fence,
        now,
        place,
        done,
    )
    if moved:
        for one in made:
            await sql.execute(
                "insert into records.bulk_file (bulk, n, name, part, type, lines, size)"
                " values ($1, $2, $3, $4, $5, $6, $7)"
                " on conflict (bulk, n) do update set lines = excluded.lines, size = excluded.size",
                id_,
                *one,
            )
    return bool(moved)


async def end(
    sql: Connection, id_: str, fence: int, state: str, now: datetime, expires: datetime, why: str | None = None
) -> bool:
    """The work is over; False when this run was overtaken or cancelled."""
    ended = await sql.fetchval(
        "update records.bulk set state = $3, ended = $4, expires = $5, why = $6"
        " where id = $1 and fence = $2 and state = 'working' returning true",
        id_,
        fence,
        state,
        now,
        expires,
        why,
    )
    return bool(ended)


async def cancel(sql: Connection, tenant: int, id_: str, now: datetime) -> None:
    """Neither work nor files are wanted any more."""
    await sql.execute(
        "update records.bulk set state = 'cancelled', ended = coalesce(ended, $3), expires = $3"
        " where tenant = $1 and id = $2",
        tenant,
        id_,
        now,
    )


async def files(sql: Connection, id_: str) -> list[Made]:
    """The files of a job, in the order they were begun."""
    rows = await sql.fetch(
        "select n, name, part, type, lines, size from records.bulk_file where bulk = $1 order by n", id_
    )
    return [Made(*row) for row in rows]


async def file(sql: Connection, id_: str, name: str) -> Made | None:
    """One of them."""
    row = await sql.fetchrow(
        "select n, name, part, type, lines, size from records.bulk_file where bulk = $1 and name = $2", id_, name
    )
    return Made(*row) if row else None


async def give_up(sql: Connection, before: datetime, now: datetime, why: str) -> None:
    """Work that has not moved since then has failed."""
    await sql.execute(
        "update records.bulk set state = 'failed', ended = $2, expires = $2, why = $3"
        " where state = 'working' and touched < $1",
        before,
        now,
        why,
    )


async def expired(sql: Connection, now: datetime) -> list[str]:
    """Jobs whose files are no longer promised."""
    rows = await sql.fetch("select id from records.bulk where state <> 'working' and expires <= $1", now)
    return [row["id"] for row in rows]


async def living(sql: Connection) -> set[str]:
    """Every job there is."""
    return {row["id"] for row in await sql.fetch("select id from records.bulk")}


async def forget(sql: Connection, ids: Sequence[str]) -> None:
    """Their rows go; what was exported is told by the audit."""
    await sql.execute("delete from records.bulk where id = any($1::text[])", list(ids))
