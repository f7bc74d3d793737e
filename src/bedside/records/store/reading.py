"""Reads by id, and history."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection, Reader, Row

_COLUMNS = "type, id, rid, version, updated, method, patients, body"


async def current(sql: Connection | Reader, tenant: int, rid: int) -> Row | None:
    """What stands there, deleted or not."""
    if isinstance(sql, Reader):
        return await sql.together(_currents, (tenant, rid))
    row: Row | None = await sql.fetchrow(
        f"select {_COLUMNS} from records.resource where tenant = $1 and rid = $2",
        tenant,
        rid,
    )
    return row


async def _currents(sql: Connection, places: list[tuple[int, int]]) -> list[Row | None]:
    """The same of several places at once."""
    rows = await sql.fetch(
        f"select tenant, {_COLUMNS} from unnest($1::int[], $2::bigint[]) as place(t, n)"
        " join records.resource on tenant = t and rid = n",
        [tenant for tenant, _ in places],
        [rid for _, rid in places],
    )
    found = {(row["tenant"], row["rid"]): row for row in rows}
    return [found.get(place) for place in places]


async def version(sql: Connection, tenant: int, rid: int, number: int) -> Row | None:
    """One version, the current one included."""
    row: Row | None = await sql.fetchrow(
        f"select {_COLUMNS} from records.resource where tenant = $1 and rid = $2 and version = $3"
        f" union all select {_COLUMNS} from records.history where tenant = $1 and rid = $2 and version = $3",
        tenant,
        rid,
        number,
    )
    return row


# When the version after an earlier one came: it stands in the one table or in the other.
_REPLACED = """ and coalesce(
    (select updated from records.resource n where (n.tenant, n.rid, n.version) = (v.tenant, v.rid, v.version + 1)),
    (select updated from records.history n where (n.tenant, n.rid, n.version) = (v.tenant, v.rid, v.version + 1))
) > {}"""


class Position(NamedTuple):
    """Where the last page of a history ended: newest first."""

    updated: datetime
    rid: int
    version: int


class Window(NamedTuple):
    """Which part of a history is asked for. types: None for all. patients: None for all. outside: also those of nobody.

    since, before: of lastUpdated, half open. from_: versions that still stood at that moment or later.
    """

    types: Sequence[str]
    patients: Sequence[str] | None = None
    outside: bool = True
    since: datetime | None = None
    before: datetime | None = None
    from_: datetime | None = None
    after: Position | None = None
    limit: int = 51


class Part(NamedTuple):
    """Which versions of one resource are asked for. since, before, from_: as of a Window. below: of a lower number."""

    since: datetime | None = None
    before: datetime | None = None
    from_: datetime | None = None
    below: int | None = None
    limit: int = 51


async def part(sql: Connection, tenant: int, rid: int, wanted: Part) -> tuple[list[Row], int]:
    """Some versions of one resource, newest first, and how many there are in all but for `below` and `limit`."""
    arguments: list[object] = [tenant, rid]
    where, replaced = "v.tenant = $1 and v.rid = $2", ""

    def bind(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    if wanted.since is not None:
        where += f" and v.updated >= {bind(wanted.since)}"
    if wanted.before is not None:
        where += f" and v.updated < {bind(wanted.before)}"
    if wanted.from_ is not None:
        replaced = _REPLACED.format(bind(wanted.from_))
    tables = (("resource", ""), ("history", replaced))
    counts = " + ".join(f"(select count(*) from records.{table} v where {where}{narrow})" for table, narrow in tables)
    total = await sql.fetchval(f"select {counts}", *arguments)
    below = "" if wanted.below is None else f" and v.version < {bind(wanted.below)}"
    limit = bind(wanted.limit)
    parts = " union all ".join(
        f"(select {_COLUMNS} from records.{table} v where {where}{below}{narrow} order by v.version desc limit {limit})"
        for table, narrow in tables
    )
    rows: list[Row] = await sql.fetch(f"select * from ({parts}) w order by version desc limit {limit}", *arguments)
    return rows, total


async def owners(sql: Connection, tenant: int, rid: int) -> list[list[str]]:
    """The patients of every version of one resource, each set once."""
    rows = await sql.fetch(
        "select patients from records.resource where tenant = $1 and rid = $2"
        " union select patients from records.history where tenant = $1 and rid = $2",
        tenant,
        rid,
    )
    return [list(row["patients"]) for row in rows]


async def versions(sql: Connection, tenant: int, rid: int) -> list[Row]:
    """Every version of one resource, newest first."""
    rows: list[Row] = await sql.fetch(
        f"select {_COLUMNS} from records.resource where tenant = $1 and rid = $2"
        f" union all select {_COLUMNS} from records.history where tenant = $1 and rid = $2 order by version desc",
        tenant,
        rid,
    )
    return rows


async def log(sql: Connection, tenant: int, window: Window) -> list[Row]:
    """Versions of types, newest first. Each type gives its newest few by its own index, then they are merged."""
    arguments: list[object] = [tenant, list(window.types), window.limit]
    conditions = ["v.tenant = $1", "v.type = t.type"]

    def bind(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    if window.patients is not None:
        mine = f"v.patients && {bind(list(window.patients))}::text[]"
        conditions.append(f"({mine} or v.patients = '{{}}')" if window.outside else mine)
    if window.since is not None:
        conditions.append(f"v.updated >= {bind(window.since)}")
    if window.before is not None:
        conditions.append(f"v.updated < {bind(window.before)}")
    if window.after is not None:
        updated, rid, number = window.after
        last = f"({bind(updated)}, {bind(rid)}::bigint, {bind(number)}::int)"
        conditions.append(f"v.updated <= ${len(arguments) - 2} and (v.updated, v.rid, v.version) < {last}")
    where = " and ".join(conditions)
    replaced = "" if window.from_ is None else _REPLACED.format(bind(window.from_))
    parts = " union all ".join(
        f"(select {_COLUMNS} from records.{table} v where {where}{narrow}"
        " order by v.updated desc, v.rid desc, v.version desc limit $3)"
        for table, narrow in (("resource", ""), ("history", replaced))
    )
    rows: list[Row] = await sql.fetch(
        f"select w.* from unnest($2::text[]) as t(type) cross join lateral ({parts}) w"
        " order by w.updated desc, w.rid desc, w.version desc limit $3",
        *arguments,
    )
    return rows


async def types(sql: Connection, tenant: int) -> list[str]:
    """The types there are, by stepping through the index."""
    rows = await sql.fetch(
        """with recursive step as (
             (select type from records.resource where tenant = $1 order by type limit 1)
             union all
             select (select r.type from records.resource r where r.tenant = $1 and r.type > step.type
                     order by r.type limit 1)
             from step where step.type is not null
           ) select type from step where type is not null""",
        tenant,
    )
    return [row["type"] for row in rows]
