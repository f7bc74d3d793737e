"""Search: what the store finds and what read providers hold, in one order, page by page."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from bedside import access
from bedside.fhir import grammar
from bedside.fhir.grammar import BadQuery, Filter, Has
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model import rows as indexing
from bedside.records.model import served
from bedside.records.model.json import encode
from bedside.records.model.openness import outside
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Page, Stored
from bedside.records.service import auditing, including
from bedside.records.service.reading import stored
from bedside.records.service.registry import providers
from bedside.records.store import providing
from bedside.records.store import searching as store
from bedside.records.store.providing import ProviderSearch
from bedside.records.store.searching import Search

DEFAULT_COUNT = 20
MOST = 1000
"""Entries of one page, however many are asked for."""

Params = Mapping[str, str] | Iterable[tuple[str, str]] | str


class Found(NamedTuple):
    """A page with its resources as bytes. query: as it was understood."""

    matches: list[Stored]
    included: list[Stored]
    total: int | None
    next: str | None
    query: Query


class _Cursor(msgspec.Struct, array_like=True):
    """Where a page ended. of: digest of the search. n: which of its types. after: the store's last keys, None before
    its first row. done: the store has no more. provided: the last (moment, id) of each view. seen: matches so far."""

    of: bytes
    n: int = 0
    after: list[Any] | None = None
    done: bool = False
    provided: dict[str, list[Any]] = {}
    finished: list[str] = []


def parse(type_: str | None, params: Params, *, strict: bool = True, bases: tuple[str, ...] = ()) -> Query:
    """The query of a type (None: across types). Raises Refused naming each parameter at fault."""
    pairs = params if isinstance(params, str) else list(params.items()) if isinstance(params, Mapping) else list(params)
    try:
        query = grammar.parse(type_, pairs, strict=strict, bases=bases)
    except BadQuery as error:
        raise Refused(error.issues, status=400) from None
    return _answerable(query, strict=strict)


def _answerable(query: Query, *, strict: bool) -> Query:
    """The query without what is not answered here, which is named; under strict handling it is refused."""
    left = [served.name(one) for one in query.filters if not served.served(one)]
    left += [f"_sort={key.parameter.code}" for key in query.sort if not served.sorts(key)]
    if not left:
        return query
    if strict:
        raise Refused([served.issue("error", where) for where in left], status=400)
    return msgspec.structs.replace(
        query,
        filters=tuple(one for one in query.filters if served.served(one)),
        sort=tuple(key for key in query.sort if served.sorts(key)),
        ignored=(*query.ignored, *(served.issue("warning", where) for where in left)),
    )


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The parameters of a query string, decoded, in order."""
    return parse_qsl(text, keep_blank_values=True, errors="strict")


async def search(ctx: Ctx, type_: str | None, params: Params, *, strict: bool = True) -> Found:
    """One page. Raises Refused, Forbidden, SignInNeeded."""
    return await run(ctx, parse(type_, params, strict=strict))


async def run(ctx: Ctx, query: Query) -> Found:
    """One page of a query already understood."""
    cursor = _open(query)
    limit = min(query.count if query.count is not None else DEFAULT_COUNT, MOST)
    ctx.trail.entities += list(query.types[:10])
    only_total = query.summary == "count" or limit == 0
    total = 0 if only_total or query.total == "accurate" else None
    matches: list[Stored] = []
    first = cursor.n == 0 and cursor.after is None and not cursor.provided and not cursor.finished
    for n, one in enumerate(query.types):
        if total is None and (n < cursor.n or len(matches) >= limit):
            continue
        part = await _Part.open(ctx, one, query)
        if total is not None:
            total += await part.count()
        if n < cursor.n or len(matches) >= limit or only_total:
            continue
        here = cursor if n == cursor.n else _Cursor(cursor.of, n)
        found, cursor = await part.page(here, limit - len(matches))
        matches += found
    more = not only_total and cursor.n < len(query.types)
    if total is None and first and not more:
        total = len(matches)
    included = [] if only_total else await including.included(ctx, query, matches)
    return Found(matches, included, total, _close(cursor) if more else None, query)


class _Part:
    """The search of one type."""

    def __init__(self, ctx: Ctx, type_: str, query: Query, asked: list[str], visible: frozenset[str] | None) -> None:
        self.ctx, self.type, self.query = ctx, type_, query
        self.asked, self.visible = asked, visible
        self.filters: Sequence[Filter | Has] = query.filters

    @classmethod
    async def open(cls, ctx: Ctx, type_: str, query: Query) -> "_Part":
        """Decide who may see what before anything is looked for."""
        letter = "E" if ctx.actor.kind == "client" else "R"
        if type_ == "AuditEvent":
            return cls(ctx, type_, query, [], None)  # access decides by itself
        asked, _ = store.asked_patients(type_, query.filters)
        if type_ == "Patient":
            asked = [
                v.code
                for f in query.filters
                if isinstance(f, Filter) and f.parameter.code == "_id" and f.modifier is None and f.missing is None
                for v in f.values
                if isinstance(v, grammar.TokenValue) and v.code
            ]
        if asked:
            for patient in dict.fromkeys(asked):
                await access.authorise(ctx, patient, letter, what=type_)
            return cls(ctx, type_, query, asked, None)
        await access.authorise(ctx, None, letter, what=type_)
        return cls(ctx, type_, query, [], await access.visible(ctx, type_))

    def _search(self, limit: int, after: Sequence[Any] | None) -> Search:
        seen = None if self.visible is None else sorted(self.visible)
        may = outside(self.ctx.actor.kind, self.ctx.actor.roles, self.type)
        return Search(self.type, self.filters, self.query.sort, limit, seen, may, after)

    def _provider_search(self, provider: ReadProvider, limit: int, after: Sequence[Any] | None) -> ProviderSearch:
        by, descending = "at", True
        if self.query.sort:
            by = "updated" if self.query.sort[0].parameter.code == "_lastUpdated" else "at"
            descending = self.query.sort[0].descending
        patients = self.asked or (None if self.visible is None else sorted(self.visible))
        return ProviderSearch(provider, self.filters, patients, by, descending, after, limit)

    async def count(self) -> int:
        """All matches."""
        if self.type == "AuditEvent":
            raise refuse("not-supported", "_summary", "Audit entries are not counted.", status=400)
        total = await store.count(self.ctx.sql, self.ctx.tenant, self._search(1, None))
        for provider in providers(self.type):
            total += await providing.count(self.ctx.sql, self.ctx.tenant, self._provider_search(provider, 1, None))
        return total

    async def page(self, cursor: _Cursor, limit: int) -> tuple[list[Stored], _Cursor]:
        """At most limit matches, and where the next page begins (the next type's start when this one is done)."""
        if self.type == "AuditEvent":
            return await self._audit(cursor, limit)
        sql, tenant = self.ctx.sql, self.ctx.tenant
        taken: list[tuple[Any, str | None, Any, Any]] = []  # order, view (None: the store), end, row
        if not cursor.done:
            hits = await store.page(sql, tenant, self._search(limit + 1, cursor.after))
            merged = _moment_order(self.type, self.query, hits.order)
            taken = [
                (_microseconds(end[0]) if merged else None, None, end, row)
                for end, row in zip(hits.ends, hits.rows, strict=True)
            ]
        else:
            merged = False
        complete: set[str | None] = {None} if len(taken) <= limit else set()
        for provider in providers(self.type):
            if provider.view in cursor.finished:
                continue
            query = self._provider_search(provider, limit + 1, cursor.provided.get(provider.view))
            rows = await providing.page(sql, tenant, query)
            taken += [(_microseconds(row[query.by]), provider.view, [row[query.by], row["id"]], row) for row in rows]
            if len(rows) <= limit:
                complete.add(provider.view)
        if merged and len({view for _, view, *_ in taken}) > 1:
            descending = not self.query.sort or self.query.sort[0].descending
            taken.sort(key=lambda one: one[0], reverse=descending)  # stable: each source keeps its own order
        page, rest = taken[:limit], taken[limit:]
        left = {view for _, view, *_ in rest}
        return await self._whole(page), self._next(cursor, page, complete - left)

    def _next(
        self, cursor: _Cursor, page: list[tuple[Any, str | None, Any, Any]], complete: set[str | None]
    ) -> _Cursor:
        after, provided = cursor.after, dict(cursor.provided)
        for _, view, end, _ in page:
            if view is None:
                after = end
            else:
                provided[view] = end
        done = cursor.done or None in complete
        finished = [*cursor.finished, *(view for view in complete if view is not None)]
        if done and all(p.view in finished for p in providers(self.type)):
            return _Cursor(cursor.of, cursor.n + 1)
        return _Cursor(cursor.of, cursor.n, after, done, provided, finished)

    async def _whole(self, page: list[tuple[Any, str | None, Any, Any]]) -> list[Stored]:
        """The resources of a page, each patient noted."""
        rendered: dict[str, dict[str, Any]] = {}
        for provider in providers(self.type):
            ids = [row["id"] for _, view, _, row in page if view == provider.view]
            if ids:
                rendered |= await provider.render(self.ctx, ids)
        result = []
        for _, view, _, row in page:
            if view is None:
                for patient in row["patients"]:
                    self.ctx.trail.patients.setdefault(patient, set()).add("R")
                result.append(stored(row))
            elif row["id"] in rendered:
                self.ctx.trail.patients.setdefault(row["patient"], set()).add("R")
                body = encode(rendered[row["id"]])
                result.append(Stored(self.type, row["id"], row["version"], row["updated"], False, False, body))
        return result

    async def _audit(self, cursor: _Cursor, limit: int) -> tuple[list[Stored], _Cursor]:
        before = cursor.after[0] if cursor.after else None
        found = await auditing.search(self.ctx, self.filters, before=before, limit=limit + 1)
        if len(found) <= limit:
            return found, _Cursor(cursor.of, cursor.n + 1)
        return found[:limit], _Cursor(cursor.of, cursor.n, [found[limit - 1].id])


def _moment_order(type_: str, query: Query, order: list[store.Order]) -> bool:
    """Whether the first key of the order is a moment, so that providers' rows can be merged into it."""
    if query.sort:
        code = query.sort[0].parameter.code
        return code == "_lastUpdated" or code == indexing.shape(type_).date
    return order[0].expression == "e.at"


def _microseconds(value: Any) -> int:
    return value if isinstance(value, int) else indexing.microseconds(value)


def _digest(query: Query) -> bytes:
    text = repr((query.types, query.filters, query.sort))
    return blake2b(text.encode(), digest_size=6).digest()


def _open(query: Query) -> _Cursor:
    digest = _digest(query)
    if query.cursor is None:
        return _Cursor(digest)
    try:
        padded = query.cursor + "=" * (-len(query.cursor) % 4)
        cursor = msgspec.msgpack.decode(base64.urlsafe_b64decode(padded), type=_Cursor)
    except (ValueError, msgspec.MsgspecError):
        cursor = None
    if cursor is None or cursor.of != digest:
        raise refuse("value", "_cursor", "This is no page of this search. Begin at its first page.", status=400)
    return cursor


def _close(cursor: _Cursor) -> str:
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
