"""Writes: resources with their index rows go in by one statement; many new ones by COPY (see copying)."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from bedside.foundation.database import Connection, Row
from bedside.foundation.errors import Conflict
from bedside.records.model.rows import Rows
from bedside.records.store.copying import copy
from bedside.records.store.versions import Versions

SPACE = 0x5EC0
"""The first half of our advisory locks' keys: other rooms have their own."""
PLACES = 1024
REMEDY = "Read it again and repeat your change."
MANY = 50
"""New resources that go by COPY: for fewer, its round trips cost more than it saves."""


class Race(Conflict):
    """Somebody else made or changed a resource between our look at it and our write."""

    def __init__(self) -> None:
        super().__init__("Somebody else wrote this resource at the same moment.", remedy=REMEDY)


_RESOURCES = """made as (
    insert into records.resource (tenant, updated, rid, type, id, version, method, patients, body)
    select $1, v.updated, v.rid, v.type, v.id, v.version, v.method, string_to_array(v.patients, ' '), v.body
    from unnest($2::timestamptz[], $3::text::bigint[], $4::text::text[], $5::text::text[], $6::text::int[],
        $7::text::text[], $8::text[], $9::bytea[])
        as v(updated, rid, type, id, version, method, patients, body)
)"""
_CHANGES = """was as (
    insert into records.history (tenant, rid, version, updated, type, id, method, patients, body)
    select r.tenant, r.rid, r.version, r.updated, r.type, r.id, r.method, r.patients, r.body
    from records.resource r where r.tenant = $1 and r.rid = any($3::text::bigint[])
), gone_entries as (
    delete from records.entry e where e.tenant = $1 and e.rid = any($3::text::bigint[])
), gone_words as (
    delete from records.word w where w.tenant = $1 and w.rid = any($3::text::bigint[])
), made as (
    update records.resource r
    set updated = v.updated, version = v.version, method = v.method, body = v.body,
        patients = string_to_array(v.patients, ' ')
    from unnest($2::timestamptz[], $3::text::bigint[], $4::text::text[], $5::text::text[], $6::text::int[],
        $7::text::text[], $8::text[], $9::bytea[])
        as v(updated, rid, type, id, version, method, patients, body)
    where r.tenant = $1 and r.rid = v.rid and r.version = v.version - 1
    returning 1
)"""


def _entries(first: int) -> str:
    """Rows of the index, their columns in the placeholders from the first on: see `entry_columns`."""
    n = [f"${first + i}::text::{kind}[]" for i, kind in enumerate(("bigint", "int", *["bigint"] * 4, "int"))]
    return f"""insert into records.entry (tenant, rid, param, key, extra, patient, at, place)
    select $1, e.rid, e.param, e.key, e.extra, e.patient, e.at, nullif(e.place, 0)
    from unnest({", ".join(n)}) as e(rid, param, key, extra, patient, at, place)"""


def _words(first: int) -> str:
    """Texts, their columns in the placeholders from the first on: see `word_columns`."""
    return f"""insert into records.word (tenant, rid, param, folded, exact)
    select $1, w.rid, w.param, w.folded, w.exact
    from unnest(${first}::text::bigint[], ${first + 1}::text::int[], ${first + 2}::text[], ${first + 3}::text[])
        as w(rid, param, folded, exact)"""


_ENTRIES = f", found as ({_entries(10)})"
_WORDS = f", said as ({_words(17)})"
INSERT_ENTRIES = _entries(2)
INSERT_WORD_ROWS = _words(2)
# Most resources have no texts: a statement without the table costs less.
INSERT = f"with {_RESOURCES}{_ENTRIES} select 1"
INSERT_WORDS = f"with {_RESOURCES}{_ENTRIES}{_WORDS} select 1"
CHANGE = f"with {_CHANGES}{_ENTRIES} select count(*) from made"
CHANGE_WORDS = f"with {_CHANGES}{_ENTRIES}{_WORDS} select count(*) from made"


async def insert(sql: Connection, tenant: int, versions: Versions, rows: Rows) -> None:
    """Write new resources. Raises Race when one of them was made by somebody else meanwhile."""
    try:
        if len(versions.rids) >= MANY:
            await copy(sql, tenant, versions, rows)
        else:
            await _run(sql, INSERT, INSERT_WORDS, tenant, versions, rows)
    except asyncpg.UniqueViolationError as error:
        raise Race from error


async def change(sql: Connection, tenant: int, versions: Versions, rows: Rows) -> None:
    """Write next versions (deletions too) of resources that `lock` holds; what stood there becomes history.

    Raises Race when the version before is not what stands there.
    """
    changed = await _run(sql, CHANGE, CHANGE_WORDS, tenant, versions, rows)
    if changed != len(versions.rids):
        raise Race


async def _run(sql: Connection, plain: str, with_words: str, tenant: int, versions: Versions, rows: Rows) -> int:
    values = arguments(tenant, versions, rows)
    return int(await sql.fetchval(with_words if rows.word_rids else plain, *values))


def arguments(tenant: int, versions: Versions, rows: Rows) -> list[Any]:
    """The arguments of INSERT, CHANGE and, where there are words, of their longer forms.

    Numbers, types, ids and methods go as the text of an array: asyncpg asks of each member of a list whether it is a
    list itself, which for an Observation's fifty numbers costs more than all the rest of the statement.
    """
    updated, rids, types, ids, numbers, methods, patients, bodies = versions.columns()
    made = [tenant, updated, _array(rids), _array(types), _array(ids), _array(numbers), _array(methods)]
    made += [patients, bodies]
    made += entry_columns(rows)
    if rows.word_rids:
        made += word_columns(rows)
    return made


def entry_columns(rows: Rows) -> list[Any]:
    """Of INSERT_ENTRIES, after the tenant."""
    columns = (rows.rids, rows.params, rows.keys, rows.extras, rows.patients, rows.ats, rows.places)
    return [_array(each) for each in columns]


def word_columns(rows: Rows) -> list[Any]:
    """Of INSERT_WORD_ROWS, after the tenant."""
    return [_array(rows.word_rids), _array(rows.word_params), rows.folded, rows.exact]


def _array(values: Iterable[object]) -> str:
    """PostgreSQL's text of an array whose members need no quotes."""
    return f"{{{','.join(map(str, values))}}}"


async def lock(sql: Connection, tenant: int, rids: Sequence[int], *, places: bool = True) -> dict[int, Row]:
    """Hold resources, and the places of those not there yet, until the transaction ends; what stands there, by rid.

    Locks are taken in one order, so that two transactions over the same resources wait and never embrace. places:
    False for whoever writes so many that others would wait for nothing; what somebody else makes meanwhile raises Race.
    """
    ordered = sorted(set(rids))
    found = await _held(sql, tenant, ordered)
    missing = [rid for rid in ordered if rid not in found]
    if missing and places:
        await claim(sql, missing)
        found |= await _held(sql, tenant, missing)
    return found


async def _held(sql: Connection, tenant: int, rids: Sequence[int]) -> dict[int, Row]:
    rows = await sql.fetch(
        "select rid, version, updated, method, patients, body from records.resource"
        " where tenant = $1 and rid = any($2::bigint[]) order by rid for update",
        tenant,
        rids,
    )
    return {row["rid"]: row for row in rows}


async def claim(sql: Connection, keys: Sequence[int]) -> None:
    """One transaction at a time for each key: a place to be made, or the criteria of a conditional write.

    Keys share PLACES locks: a transaction of thousands must not fill the server's lock table, and two that meet in
    one place by chance only wait for each other.
    """
    places = sorted({key % PLACES for key in keys})
    await sql.fetch("select pg_advisory_xact_lock($1, p) from unnest($2::int[]) as p order by p", SPACE, places)
