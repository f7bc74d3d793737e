"""Search: what the store finds and what read providers hold, in one order, page by page."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import cmp_to_key, lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from bedside.fhir import grammar
from bedside.fhir.grammar import BadQuery, Sort
from bedside.fhir.query import Compartment, Query
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model import served
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Page, Stored
from bedside.records.service import including, sources
from bedside.records.service.sources import Match

DEFAULT_COUNT = 20
MOST = 1000
"""Entries of one page, however many are asked for."""

ASKED_AGAIN = 500
"""Characters of values up to which a query's meaning is remembered."""

Params = Mapping[str, str] | Iterable[tuple[str, str]] | str


class Found(NamedTuple):
    """A page with its resources as bytes. query: as it was understood."""

    matches: list[Stored]
    included: list[Stored]
    total: int | None
    next: str | None
    query: Query


class _Cursor(msgspec.Struct, array_like=True):
    """Where a page ended. of: digest of the search, said when it leaves. ends: the last keys that were taken of each
    source, by its number. done: the sources that have no more."""

    of: bytes
    ends: dict[int, list[Any]] = {}
    done: list[int] = []


def parse(
    type_: str | None,
    params: Params,
    *,
    strict: bool = True,
    bases: tuple[str, ...] = (),
    compartment: Compartment | None = None,
) -> Query:
    """The query of a type (None: across types), in a compartment. Raises Refused naming each parameter at fault."""
    pairs = params if isinstance(params, str) else list(params.items()) if isinstance(params, Mapping) else list(params)
    try:
        if isinstance(pairs, str) or sum(len(value) for _, value in pairs) > ASKED_AGAIN:
            query = grammar.parse(type_, pairs, strict=strict, bases=bases, compartment=compartment)
        else:
            query = _parsed(type_, tuple(pairs), strict, bases, compartment)
    except BadQuery as error:
        raise Refused(error.issues, status=400) from None
    return _answerable(query, strict=strict)


@lru_cache(maxsize=1024)
def _parsed(
    type_: str | None,
    pairs: tuple[tuple[str, str], ...],
    strict: bool,
    bases: tuple[str, ...],
    compartment: Compartment | None,
) -> Query:
    """A wall, a chart and a device ask the same again and again; what a query means hangs on its text alone."""
    return grammar.parse(type_, pairs, strict=strict, bases=bases, compartment=compartment)


def _answerable(query: Query, *, strict: bool) -> Query:
    """The query without what is not answered here, which is named; under strict handling it is refused."""
    left = [served.name(one) for one in query.filters if not served.served(one)]
    left += [f"_sort={key.parameter.code}" for key in query.sort if not _sorts(query, key)]
    left += [f"_revinclude={one.source}" for one in query.revincludes if not served.includes(one)]
    if not left:
        return query
    if strict:
        raise Refused([served.issue("error", where) for where in left], status=400)
    return msgspec.structs.replace(
        query,
        filters=tuple(one for one in query.filters if served.served(one)),
        sort=tuple(key for key in query.sort if _sorts(query, key)),
        revincludes=tuple(one for one in query.revincludes if served.includes(one)),
        ignored=(*query.ignored, *(served.issue("warning", where) for where in left)),
    )


def _sorts(query: Query, key: Sort) -> bool:
    return all(served.sorts(one, key) for one in query.types)


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The parameters of a query string, decoded, in order."""
    return parse_qsl(text, keep_blank_values=True, errors="strict")


def literal(text: str) -> str:
    """A value in which nothing is a sign of the search language."""
    for sign in ("\\", ",", "|", "$"):
        text = text.replace(sign, f"\\{sign}")
    return text


async def search(ctx: Ctx, type_: str | None, params: Params, *, strict: bool = True, provided: bool = True) -> Found:
    """One page. provided: with what other rooms' views hold. Raises Refused, Forbidden, SignInNeeded."""
    return await run(ctx, parse(type_, params, strict=strict), provided=provided)


async def run(ctx: Ctx, query: Query, *, provided: bool = True) -> Found:
    """One page of a query already understood."""
    cursor = _open(query)
    limit = min(query.count if query.count is not None else DEFAULT_COUNT, MOST)
    only_total = query.summary == "count" or limit == 0
    parts = await sources.opened(ctx, query)
    ctx.trail.entities += [part.type for part in parts[:10]]
    for part in parts:
        part.views = part.views if provided else ()
        await part.affordable()
    matches, end = ([], None) if only_total else await _page(ctx, query, parts, cursor, limit)
    total = await _total(query, parts, only_total=only_total)
    if total is None and query.cursor is None and query.total != "none" and end is None:
        total = len(matches)
    found = [one.stored for one in matches]
    added = await including.included(ctx, query, matches) if matches else []
    return Found(found, added, total, None if end is None else _close(end, query), query)


async def _total(query: Query, parts: Sequence[sources.Part], *, only_total: bool) -> int | None:
    if only_total or query.total == "accurate":
        return sum([await part.count() for part in parts])
    if query.total == "estimate":
        return sum([await part.estimate() for part in parts])
    return None


async def _page(
    ctx: Ctx, query: Query, parts: Sequence[sources.Part], cursor: _Cursor, limit: int
) -> tuple[list[Match], _Cursor | None]:
    """At most limit matches, and where the next page begins, None after the last.

    Where there is a sort, the sources (each type's rows, and each view's) are merged by it; else they follow one
    another, but for one patient's rows and readings, which are merged by time.
    """
    each = [source for part in parts for source in part.sources()]
    merged = bool(query.sort) or (len(parts) == 1 and parts[0].by_time())
    taken: list[tuple[int, Match]] = []
    complete: set[int] = set(cursor.done)
    left = [n for n in range(len(each)) if n not in complete]
    while left and len(taken) <= limit:
        now, left = (left, []) if merged else (left[:1], left[1:])
        wanted = limit + 1 if merged else limit + 1 - len(taken)
        pages = await sources.pages(ctx, [(each[n], wanted, cursor.ends.get(n)) for n in now])
        for n, found in zip(now, pages, strict=True):
            taken += [(n, one) for one in found]
            if len(found) < wanted:
                complete.add(n)
    if merged:
        descending = [key.descending for key in query.sort] or [True]
        compare = cmp_to_key(lambda one, other: _compare(one, other, descending))
        taken.sort(key=lambda one: compare(one[1].keys))  # stable
    page, rest = taken[:limit], taken[limit:]
    ends = dict(cursor.ends) | {n: one.end for n, one in page}
    done = sorted(complete - {n for n, _ in rest})
    matches = await sources.whole(each, page)
    if len(done) == len(each):
        return matches, None
    return matches, _Cursor(cursor.of, {n: end for n, end in ends.items() if n not in done}, done)


def _compare(one: Any, other: Any, descending: Sequence[bool]) -> int:
    for a, b, down in zip(one, other, descending, strict=False):
        if a != b:
            return -1 if (a < b) is not down else 1
    return 0


def _digest(query: Query) -> bytes:
    text = repr((query.types, query.filters, query.sort))
    return blake2b(text.encode(), digest_size=6).digest()


def _open(query: Query) -> _Cursor:
    if query.cursor is None:
        return _Cursor(b"")
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        cursor = msgspec.msgpack.decode(base64.urlsafe_b64decode(padded), type=_Cursor)
    except (ValueError, msgspec.MsgspecError):
        cursor = None
    if cursor is None or cursor.of != _digest(query):
        raise refuse("value", "_cursor", "This is no page of this search. Begin at its first page.", status=400)
    return cursor


def _close(cursor: _Cursor, query: Query) -> str:
    cursor.of = _digest(query)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()


def page_of(found: Found) -> Page:
    """As it crosses the face."""
    return Page(
        [one.resource for one in found.matches],
        found.total,
        found.next,
        [one.resource for one in found.included],
        list(found.query.ignored),
    )


async def only(ctx: Ctx, type_: str, params: Params) -> Stored | None:
    """The one match of criteria, None when there is none. Raises PreconditionFailed when several match."""
    from bedside.foundation.errors import PreconditionFailed

    query = parse(type_, params)
    if not query.filters:
        raise refuse("required", type_, "Criteria are needed, and none were given.", status=400)
    found = await run(ctx, msgspec.structs.replace(query, count=2, sort=(), cursor=None, includes=(), revincludes=()))
    if len(found.matches) > 1:
        raise PreconditionFailed(f"Several {type_} resources match the criteria.", remedy="Narrow them.")
    return found.matches[0] if found.matches else None


async def one(ctx: Ctx, type_: str, params: Params) -> Stored:
    """As `only`, raising NotFound."""
    found = await only(ctx, type_, params)
    if found is None:
        raise NotFound(f"No {type_} matches the criteria.")
    return found
