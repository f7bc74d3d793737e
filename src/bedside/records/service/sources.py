"""Where the matches of a search come from: of each type the store's rows, the views of read providers, audit entries.

Each source gives its rows in the order of the sort and goes on after any of them, so that pages stay while data
changes; `searching` puts the sources together.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from bedside import access
from bedside.fhir import grammar
from bedside.fhir.dates import EARLIEST
from bedside.fhir.grammar import Filter
from bedside.fhir.query import Compartment, Condition, Query
from bedside.foundation.context import Ctx
from bedside.foundation.database import Alike, Reader, Row
from bedside.foundation.errors import Forbidden
from bedside.records.model import rows as indexing
from bedside.records.model.json import encode
from bedside.records.model.openness import outside
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import auditing, terms
from bedside.records.service.reading import stored
from bedside.records.service.registry import providers
from bedside.records.service.sights import Sights
from bedside.records.store import ordering, providing
from bedside.records.store import searching as store
from bedside.records.store.conditions import WORDS
from bedside.records.store.providing import ProviderSearch
from bedside.records.store.searching import Search

OPENED = 20_000
"""Resources that one search may open: to look for words, or to sort by codes, which the index does not keep."""
ESTIMATED = 10_000
"""Up to so many matches an estimated total is an exact one."""


class Match(NamedTuple):
    """keys: by which sources are merged. end: where its source goes on. row: as the source gave it; None when it is
    whole. stored: the resource, empty until it is whole. kept: whether the store has it."""

    keys: Sequence[Any]
    end: list[Any]
    row: Row | None
    stored: Stored
    kept: bool = True


_BY_THEMSELVES = frozenset({"AuditEvent", "Parameters"})
"""Types that a search across all types leaves out: audit entries are found by themselves, parameters never kept."""

_EMPTY = Stored("", "", 0, EARLIEST, False, False, b"")


async def opened(ctx: Ctx, query: Query) -> "list[Part]":
    """The search of each type, decided before anything is looked for: who may see what.

    Where the caller did not name the types, those that they may not read are left out, so long as any is left.
    Raises Forbidden, SignInNeeded, Refused.
    """
    if query.named:
        return [await Part.open(ctx, one, query) for one in query.types]
    parts: list[Part] = []
    last: Forbidden | None = None
    refused = ctx.trail.refused
    for one in query.types:
        if one in _BY_THEMSELVES:
            continue
        try:
            parts.append(await Part.open(ctx, one, query))
        except Forbidden as error:
            last = error
    if not parts and last is not None:
        raise last
    ctx.trail.refused = refused  # nobody asked for the types that were left out
    return parts


class Part:
    """The search of one type."""

    def __init__(self, ctx: Ctx, type_: str, query: Query, asked: list[str], visible: frozenset[str] | None) -> None:
        self.ctx, self.type, self.query = ctx, type_, query
        self.asked, self.visible = asked, visible
        self.filters: Sequence[Condition] = query.filters
        self.views: Sequence[ReadProvider] = providers(type_)
        self.sights = Sights(ctx)

    @classmethod
    async def open(cls, ctx: Ctx, type_: str, query: Query) -> "Part":
        """Decide who may see what. Raises Forbidden, SignInNeeded, Refused."""
        letter = "E" if ctx.actor.kind == "client" else "R"
        if type_ == "AuditEvent":
            return cls(ctx, type_, query, [], None)  # access decides by itself
        asked = _named(query.filters) if type_ == "Patient" else store.asked_patients(type_, query.filters)[0]
        # Who may see a patient's compartment sees in it the other patients whom they may see anyway, no more.
        whose = [one.id for one in query.filters if isinstance(one, Compartment) and one.name == "Patient"]
        for patient in dict.fromkeys([*asked, *whose]):
            await access.authorise(ctx, patient, letter, what=type_)
        if not asked and not whose:
            await access.authorise(ctx, None, letter, what=type_)
        part = cls(ctx, type_, query, asked, None if asked else await access.visible(ctx, type_))
        part.filters = await terms.resolved(ctx, type_, query.filters)
        await part.sights.through(part.filters)
        return part

    def search(self, limit: int, after: Sequence[Any] | None, filters: Sequence[Condition] | None = None) -> Search:
        """What is asked of the store."""
        seen = None if self.visible is None else sorted(self.visible)
        may = outside(self.ctx.actor.kind, self.ctx.actor.roles, self.type)
        chosen = self.filters if filters is None else filters
        return Search(self.type, chosen, self.query.sort, limit, seen, may, after, self.sights.known, providers)

    def provider_search(self, provider: ReadProvider, limit: int, after: Sequence[Any] | None) -> ProviderSearch:
        """What is asked of a view."""
        patients = self.asked or (None if self.visible is None else sorted(self.visible))
        return ProviderSearch(
            provider,
            self.filters,
            patients,
            after=after,
            limit=limit,
            sort=self.query.sort,
            sights=self.sights.known,
            providers=providers,
        )

    async def affordable(self) -> None:
        """Raises Refused where too many resources would have to be opened, one by one."""
        words = [one for one in self.filters if isinstance(one, Filter) and one.parameter.code in WORDS]
        sorts = [key for key in self.query.sort if ordering.from_bodies(key)]
        if self.type == "AuditEvent" or not (words or sorts):
            return
        rest = [one for one in self.filters if one not in words]
        found = await store.count(self.ctx.sql, self.ctx.tenant, self.search(1, None, rest), OPENED + 1)
        if found > OPENED:
            where = words[0].parameter.code if words else "_sort"
            what = f"This would open more than {OPENED} resources. Narrow the search, say to one patient."
            raise refuse("too-costly", where, what, status=400)

    async def count(self, most: int | None = None) -> int:
        """All matches; most: no further is counted."""
        if self.type == "AuditEvent":
            raise refuse("not-supported", "_summary", "Audit entries are not counted.", status=400)
        sql, tenant = self.ctx.sql, self.ctx.tenant
        total = await store.count(sql, tenant, self.search(1, None), most)
        for provider in self.views:
            total += await providing.count(sql, tenant, self.provider_search(provider, 1, None), most)
        return total

    async def estimate(self) -> int:
        """About how many matches there are: exactly, where they are few."""
        found = await self.count(ESTIMATED + 1)
        if found <= ESTIMATED:
            return found
        return max(found, await store.guess(self.ctx.sql, self.ctx.tenant, self.search(1, None)))

    def by_time(self) -> bool:
        """Whether without a sort the store's rows come newest first, so that those of views can come between them."""
        chosen = store.plan(self.search(1, None))
        return bool(self.views) and store.by_time(chosen)

    def sources(self) -> "list[Source]":
        """In a fixed order."""
        if self.type == "AuditEvent":
            return [_Audited(self)]
        return [_Stored(self), *(_Provided(self, provider) for provider in self.views)]


def _named(filters: Sequence[Condition]) -> list[str]:
    """The patients whom a search of Patients names."""
    return [
        v.code
        for f in filters
        if isinstance(f, Filter) and f.parameter.code == "_id" and f.modifier is None and f.missing is None
        for v in f.values
        if isinstance(v, grammar.TokenValue) and v.code
    ]


class _Stored:
    """The store's own rows."""

    def __init__(self, part: Part) -> None:
        self.part = part

    def asks(self, limit: int, after: Sequence[Any] | None) -> Alike:
        question, self.order = store.asks(self.part.ctx.tenant, self.part.search(limit, after))
        return question

    def found(self, rows: list[Row]) -> list[Match]:
        hits = store.hits(rows, self.order)
        keys = len(self.part.query.sort) or 1
        return [
            Match([_plain(end) for end in ends[:keys]], ends, row, _EMPTY)
            for ends, row in zip(hits.ends, hits.rows, strict=True)
        ]

    async def whole(self, rows: Sequence[Row]) -> list[Stored]:
        trail = self.part.ctx.trail
        for row in rows:
            for patient in row["patients"]:
                trail.patients.setdefault(patient, set()).add("R")
        return [stored(row) for row in rows]


class _Provided:
    """The rows of a view."""

    def __init__(self, part: Part, provider: ReadProvider) -> None:
        self.part, self.provider = part, provider

    def asks(self, limit: int, after: Sequence[Any] | None) -> Alike:
        return providing.asks(self.part.ctx.tenant, self.part.provider_search(self.provider, limit, after))

    async def empty(self, sql: Reader) -> bool:
        """Whether nothing of those who are asked for can be here."""
        patients, holders = self.part.asked, self.provider.holders
        if not patients or not holders:
            return False
        question = providing.Held(self.part.ctx.tenant, holders, tuple(patients))
        return not await sql.together(providing.held, question)

    def found(self, rows: list[Row]) -> list[Match]:
        names = [f"k{n}" for n in range(len(self.part.query.sort) or 1)]
        return [
            Match([_plain(row[k]) for k in names], [*(row[k] for k in names), row["id"]], row, _EMPTY, False)
            for row in rows
        ]

    async def whole(self, rows: Sequence[Row]) -> list[Stored]:
        ctx = self.part.ctx
        rendered = await self.provider.render(ctx, [row["id"] for row in rows]) if rows else {}
        found = []
        for row in rows:
            if row["id"] in rendered:
                ctx.trail.patients.setdefault(row["patient"], set()).add("R")
                body = encode(rendered[row["id"]])
                found.append(Stored(self.part.type, row["id"], row["version"], row["updated"], False, False, body))
            else:
                found.append(_EMPTY)
        return found


class _Audited:
    """Audit entries, newest first."""

    def __init__(self, part: Part) -> None:
        self.part = part

    async def page(self, limit: int, after: Sequence[Any] | None) -> list[Match]:
        before = after[0] if after else None
        found = await auditing.search(self.part.ctx, self.part.filters, before=before, limit=limit)
        return [Match([indexing.microseconds(one.updated)], [one.id], None, one, False) for one in found]

    async def whole(self, rows: Sequence[Row]) -> list[Stored]:
        raise AssertionError(rows)


def _plain(value: Any) -> Any:
    """A key of any source as it compares with those of the others."""
    if isinstance(value, datetime):
        return indexing.microseconds(value)
    if isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            return ordering.LAST_NUMBER if value > 0 else ordering.FIRST_NUMBER
        return indexing.in_order(value)
    return value


Source: TypeAlias = _Stored | _Provided | _Audited


async def pages(ctx: Ctx, wanted: Sequence[tuple[Source, int, Sequence[Any] | None]]) -> list[list[Match]]:
    """A page of each source, where its last one ended; a unit of work that only reads asks all at once."""
    made: dict[int, list[Match]] = {}
    asked: list[tuple[int, _Stored | _Provided, Alike]] = []
    sql = ctx.sql
    for n, (source, limit, after) in enumerate(wanted):
        if isinstance(source, _Audited):
            made[n] = await source.page(limit, after)
        elif isinstance(sql, Reader) and isinstance(source, _Provided) and await source.empty(sql):
            made[n] = []
        else:
            asked.append((n, source, source.asks(limit, after)))
    questions = [one for _, _, one in asked]
    if isinstance(sql, Reader):
        answers = await sql.alike(questions)
    else:
        answers = [await sql.fetch(one.query, *one.arguments, 0) for one in questions]
    for (n, source, _), rows in zip(asked, answers, strict=True):
        made[n] = source.found(rows)
    return [made[n] for n in range(len(wanted))]


async def whole(each: Sequence[Any], page: Sequence[tuple[int, Match]]) -> list[Match]:
    """The matches of a page with their resources, in its order; what has gone meanwhile is left out."""
    made: dict[int, list[Stored]] = {}
    for n in {n for n, one in page if one.row is not None}:
        made[n] = await each[n].whole([one.row for m, one in page if m == n and one.row is not None])
    waiting = {n: iter(found) for n, found in made.items()}
    result = [one if one.row is None else one._replace(stored=next(waiting[n])) for n, one in page]
    return [one for one in result if one.stored.id]
