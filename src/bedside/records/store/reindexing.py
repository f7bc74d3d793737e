"""The search index written anew, a page of resources at a time, and how far that has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection, Row
from bedside.records.model.rows import Rows
from bedside.records.store import writing

FIRST = (-(1 << 31), -(1 << 63))
"""Before the first tenant's first resource."""

Entry = tuple[int, int, int, int, int, int]
"""param, key, extra, patient, at, place (0: none)."""
Word = tuple[int, str, str]
"""param, folded, exact."""


class Place(NamedTuple):
    """How far it has come: after which resource, how many of how many, how many of them had to be written."""

    tenant: int
    rid: int
    done: int
    renewed: int
    total: int
    ended: datetime | None


async def begin(sql: Connection, generation: int, now: datetime, *, again: bool) -> Place:
    """Where this generation stands, begun if need be. again: from the first resource, whatever was done."""
    total = await sql.fetchval("select count(*) from records.resource") if again else None
    place = await _held(sql, generation)
    if place is None or again:
        if total is None:
            total = await sql.fetchval("select count(*) from records.resource")
        await sql.execute(
            "insert into records.reindex (generation, tenant, rid, done, renewed, total, began)"
            " values ($1, $2, $3, 0, 0, $4, $5) on conflict (generation) do update"
            " set tenant = $2, rid = $3, done = 0, renewed = 0, total = $4, began = $5, ended = null",
            generation,
            *FIRST,
            total,
            now,
        )
        return Place(*FIRST, 0, 0, total, None)
    return place


async def _held(sql: Connection, generation: int) -> Place | None:
    row = await sql.fetchrow(
        "select tenant, rid, done, renewed, total, ended from records.reindex where generation = $1 for update",
        generation,
    )
    return None if row is None else Place(**row)


async def move(sql: Connection, generation: int, place: Place) -> None:
    """Say how far it has come."""
    await sql.execute(
        "update records.reindex set tenant = $2, rid = $3, done = $4, renewed = $5, total = $6, ended = $7"
        " where generation = $1",
        generation,
        *place,
    )


async def page(sql: Connection, place: Place, limit: int, most: int) -> list[Row]:
    """The next resources of one tenant, deleted ones too, held against writers until the transaction ends.

    At most `limit` of them, and no more than `most` bytes, but for a single one that is larger.
    """
    held = await sql.fetch(
        "select tenant, rid, coalesce(octet_length(body), 0) as size from records.resource"
        " where (tenant, rid) > ($1, $2) order by tenant, rid limit $3 for update",
        place.tenant,
        place.rid,
        limit,
    )
    rids: list[int] = []
    size = 0
    for row in held:
        size += row["size"]
        if row["tenant"] != held[0]["tenant"] or (rids and size > most):
            break
        rids.append(row["rid"])
    rows: list[Row] = await sql.fetch(
        "select tenant, rid, type, id, body from records.resource where tenant = $1 and rid = any($2::bigint[])"
        " order by rid",
        held[0]["tenant"] if held else 0,
        rids,
    )
    return rows


async def standing(
    sql: Connection, tenant: int, rids: Sequence[int]
) -> tuple[dict[int, list[Entry]], dict[int, list[Word]]]:
    """The rows there are, by resource."""
    entries: dict[int, list[Entry]] = {}
    rows = await sql.fetch(
        "select rid, param, key, extra, patient, at, coalesce(place, 0) from records.entry"
        " where tenant = $1 and rid = any($2::bigint[])",
        tenant,
        rids,
    )
    for rid, *rest in rows:
        entries.setdefault(rid, []).append(tuple(rest))
    words: dict[int, list[Word]] = {}
    rows = await sql.fetch(
        "select rid, param, folded, exact from records.word where tenant = $1 and rid = any($2::bigint[])", tenant, rids
    )
    for rid, *said in rows:
        words.setdefault(rid, []).append(tuple(said))
    return entries, words


async def renew(sql: Connection, tenant: int, rids: Sequence[int], rows: Rows) -> None:
    """Put these rows in the place of those that the resources have."""
    await sql.execute("delete from records.entry where tenant = $1 and rid = any($2::bigint[])", tenant, rids)
    await sql.execute("delete from records.word where tenant = $1 and rid = any($2::bigint[])", tenant, rids)
    await sql.execute(writing.INSERT_ENTRIES, tenant, *writing.entry_columns(rows))
    await sql.execute(writing.INSERT_WORD_ROWS, tenant, *writing.word_columns(rows))
