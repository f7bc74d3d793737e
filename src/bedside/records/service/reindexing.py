"""The search index of what was written by an earlier Bedside, brought to what this one writes.

A page of resources is one short transaction, and where it ended is committed with it: stopped at any moment it goes on
from there, beside everybody who reads and writes, and two that run at once share the pages. Rows that are as they
should be stay untouched, so that doing it again costs a look and no write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bedside import access
from bedside.fhir import index
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.rows import Rows
from bedside.records.store import phrases
from bedside.records.store import reindexing as store
from bedside.records.store.reindexing import Entry, Place, Word

GENERATION = 3
"""What the index holds: raised with every change to what `model/rows.py` writes, so that it is brought up to date."""
PAGE = 200
"""Resources of one transaction."""
MOST_BYTES = 16 * 1024 * 1024
"""Of them together."""


class Reindexed(NamedTuple):
    """Resources looked at, and those whose rows had to be written."""

    done: int
    renewed: int


async def reindex(ctx: Ctx, tell: Callable[[int, int], None] | None = None, *, again: bool = False) -> Reindexed:
    """Bring the whole index up to date, from where it stands. ctx: without a transaction.

    tell is given how many are done and how many there are. again: from the start, though it was done before.
    """
    async with access.work(ctx, "brought the search index up to date") as inner:
        place = await store.begin(inner.sql, GENERATION, ctx.clock.now(), again=again)
        if place.ended is None:
            inner.trail.entities.append(f"reindex/{GENERATION}")
            inner.trail.wrote = True
    while place.ended is None:
        place = await ctx.database.attempt(lambda: _step(ctx))
        if tell:
            tell(place.done, max(place.total, place.done))
    return Reindexed(place.done, place.renewed)


async def catch_up(ctx: Ctx, _: dict[str, Any]) -> None:
    """The same as a worker does it by itself after an upgrade; nothing when it is done."""
    await reindex(ctx)


async def _step(ctx: Ctx) -> Place:
    async with ctx.database.transaction() as sql:
        place = await store.begin(sql, GENERATION, ctx.clock.now(), again=False)
        if place.ended is not None:
            return place
        found = await store.page(sql, place, PAGE, MOST_BYTES)
        if found:
            tenant, rid = found[-1]["tenant"], found[-1]["rid"]
            renewed = place.renewed + await _renew(ctx.with_(tx=sql), tenant, found)
            place = place._replace(tenant=tenant, rid=rid, done=place.done + len(found), renewed=renewed)
        else:
            place = place._replace(ended=ctx.clock.now())
        await store.move(sql, GENERATION, place)
        return place


async def _renew(ctx: Ctx, tenant: int, found: list[Row]) -> int:
    entries, words = await store.standing(ctx.sql, tenant, [row["rid"] for row in found])
    fresh, wrong = Rows(), []
    for row in found:
        made, rid = Rows(), row["rid"]
        if row["body"] is not None:
            only = indexing.shape(row["type"]).written
            values = index.extract(decode(row["body"]), composites=False, only=only, apart=True)
            indexing.add(made, row["type"], row["id"], values)
        same = _entries(made) == sorted(entries.get(rid, ())) and _words(made) == sorted(words.get(rid, ()))
        if same:
            fresh.phrases |= made.phrases  # they may be missing though the rows are there
            continue
        wrong.append(rid)
        fresh.extend(made)
    if wrong:
        await store.renew(ctx.sql, tenant, wrong, fresh)
    await phrases.learn(ctx.database, ctx.sql, tenant, list(fresh.phrases))
    return len(wrong)


def _entries(made: Rows) -> list[Entry]:
    columns = (made.params, made.keys, made.extras, made.patients, made.ats, made.places)
    return sorted(zip(*columns, strict=True))


def _words(made: Rows) -> list[Word]:
    return sorted(zip(made.word_params, made.folded, made.exact, strict=True))
