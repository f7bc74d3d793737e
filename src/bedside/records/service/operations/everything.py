"""`$everything`: all that belongs to a patient or an Encounter, readings included, and what it refers to, in pages."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from bedside import access
from bedside.fhir import references
from bedside.fhir.definitions import resource_types, search_parameters
from bedside.fhir.grammar import DateValue, Filter
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.records.model.json import decode
from bedside.records.model.openness import outside
from bedside.records.model.operation import Call, Reply
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, reading
from bedside.records.service.registry import provided_types, providers
from bedside.records.service.searching import Found
from bedside.records.store import everything as store
from bedside.records.store import providing
from bedside.records.store.everything import Circle
from bedside.records.store.providing import ProviderSearch

DEFAULT_COUNT = 100
MOST = 1000
"""Entries of one page, however many are asked for."""
NOT_RECORDED = frozenset({"AuditEvent", "Parameters"})
"""Who looked is asked of AuditEvent itself."""


async def patient(ctx: Ctx, call: Call) -> Reply:
    """Patient/[id]/$everything, or the caller's own as Patient/$everything. Raises Refused, NotFound, Forbidden."""
    call.given.only("start", "end", "_since", "_type", "_count", "_cursor")
    id_ = call.id or _own(ctx)
    await reading.read(ctx, "Patient", id_)
    types = await readable(ctx, id_, call.given.texts("_type"))
    return await _page(ctx, call, Circle(f"Patient/{id_}", (), [id_], types.may, types.kept))


async def encounter(ctx: Ctx, call: Call) -> Reply:
    """Encounter/[id]/$everything: with its patient, and nothing of another's. Raises Refused, NotFound, Forbidden."""
    call.given.only("_since", "_type", "_count", "_cursor")
    one = await reading.read(ctx, "Encounter", str(call.id))
    subject = references.parse((decode(one.body).get("subject") or {}).get("reference", ""))
    whose = [subject.id] if subject.type == "Patient" and subject.local and subject.id else []
    types = await readable(ctx, whose[0] if whose else None, call.given.texts("_type"))
    also = [f"Patient/{patient}" for patient in whose]
    return await _page(ctx, call, Circle(one.reference, also, whose, types.may, types.kept))


def _own(ctx: Ctx) -> str:
    type_, _, id_ = (ctx.actor.reference or "").partition("/")
    if type_ != "Patient":
        raise refuse(
            "too-costly", "Patient", "Name the patient: Patient/[id]/$everything. All of them is an export.", status=400
        )
    return id_


class Readable(NamedTuple):
    """may: the types that the actor may read of the patient. kept: those of them that were asked for."""

    may: list[str]
    kept: list[str]


async def readable(ctx: Ctx, patient: str | None, asked: Sequence[str]) -> Readable:
    """Which types the actor may read. Raises Refused for a type that R4 does not have, Forbidden for one asked for."""
    every = sorted(resource_types() - NOT_RECORDED)
    for one in asked:
        if one not in every:
            raise refuse("value", "_type", "R4 has no such type, or it is asked for elsewhere.", status=400)
        await access.authorise(ctx, patient, "R", what=one)
    if await access.may(ctx, patient, "R", what="*"):
        return Readable(every, sorted(set(asked)) or every)
    may = [one for one in every if await access.may(ctx, patient, "R", what=one)]
    return Readable(may, [one for one in may if one in asked] if asked else may)


class _Cursor(msgspec.Struct, array_like=True):
    """Where a page ended. of: the root. phase: 0 the record's own, then each view, then what they refer to."""

    of: str
    phase: int = 0
    after: list[Any] = []


_FIRST = (-1, -1)


async def _page(ctx: Ctx, call: Call, circle: Circle) -> Reply:
    given = call.given
    since, start, end = given.span("_since"), given.span("start"), given.span("end")
    circle = circle._replace(
        since=since.low if since else None, start=start.low if start else None, end=end.high if end else None
    )
    limit = min(given.number("_count", 1) or DEFAULT_COUNT, MOST)
    cursor = _open(given.text("_cursor"), circle.root)
    ctx.trail.entities.append(f"{circle.root}/$everything")
    walk = _Walk(ctx, circle)
    found: list[Stored] = []
    while len(found) < limit and cursor.phase <= walk.last:
        found += await walk.step(cursor, limit - len(found))
    more = _close(cursor) if cursor.phase <= walk.last else None
    page = Found(found, [], None, more, Query((), cursor=given.text("_cursor")))
    made = bundles.searchset(page, base=call.base, path=call.path, pairs=given.pairs(), now=ctx.clock.now())
    return Reply(made)


class _Walk:
    """The phases of one circle."""

    def __init__(self, ctx: Ctx, circle: Circle) -> None:
        self.ctx, self.circle = ctx, circle
        of_patient = circle.root.startswith("Patient/")
        self.views = [p for type_ in provided_types() for p in providers(type_)] if of_patient else []
        self.last = len(self.views) + 1

    async def step(self, cursor: _Cursor, limit: int) -> list[Stored]:
        """At most limit resources of the phase; the cursor goes on behind them."""
        if cursor.phase == 0:
            rows = await self._members(cursor, limit)
            ends = [[row["rank"], row["born"]] for row in rows]
        elif cursor.phase == self.last:
            rows = await self._supporting(cursor, limit)
            ends = [[row["born"]] for row in rows]
        else:
            return await self._readings(self.views[cursor.phase - 1], cursor, limit)
        self._advance(cursor, ends, limit)
        mine, actor = set(self.circle.patients), self.ctx.actor
        found = []
        for row in rows[:limit]:
            whose = mine.intersection(row["patients"])
            for patient in whose:
                self.ctx.trail.patients.setdefault(patient, set()).add("R")
            if whose or outside(actor.kind, actor.roles, row["type"]):
                found.append(reading.stored(row))
        return found

    def _advance(self, cursor: _Cursor, ends: Sequence[list[Any]], limit: int) -> None:
        if len(ends) > limit:
            cursor.after = ends[limit - 1]
        else:
            cursor.phase, cursor.after = cursor.phase + 1, []

    async def _members(self, cursor: _Cursor, limit: int) -> list[Row]:
        match cursor.after:
            case [int(rank), int(born)]:
                after = (rank, born)
            case []:
                after = _FIRST
            case _:
                raise _lost()
        return await store.members(self.ctx.sql, self.ctx.tenant, self.circle, after, limit + 1)

    async def _supporting(self, cursor: _Cursor, limit: int) -> list[Row]:
        match cursor.after:
            case [int(born)]:
                after = born
            case []:
                after = -1
            case _:
                raise _lost()
        actor = self.ctx.actor
        types = [
            one
            for one in self.circle.kept
            if outside(actor.kind, actor.roles, one) and await access.may(self.ctx, None, "R", what=one)
        ]
        return await store.supporting(self.ctx.sql, self.ctx.tenant, self.circle, types, after, limit + 1)

    async def _readings(self, view: ReadProvider, cursor: _Cursor, limit: int) -> list[Stored]:
        ctx, circle = self.ctx, self.circle
        if view.type not in circle.kept:
            self._advance(cursor, [], limit)
            return []
        filters: list[Filter] = []
        code = next(name for name, column in view.columns.items() if column.kind == "date")
        date = search_parameters(view.type)[code]
        if circle.start is not None:
            filters.append(Filter(date, None, (DateValue("ge", circle.start, circle.start),)))
        if circle.end is not None:
            filters.append(Filter(date, None, (DateValue("lt", circle.end, circle.end),)))
        match cursor.after:
            case [moment, str(id_)]:
                after: list[Any] | None = [_moment(moment), id_]
            case []:
                after = None
            case _:
                raise _lost()
        search = ProviderSearch(view, filters, circle.patients, after=after, limit=limit + 1, since=circle.since)
        rows = await providing.page(ctx.sql, ctx.tenant, search)
        self._advance(cursor, [[row["at"], row["id"]] for row in rows], limit)
        ids = [row["id"] for row in rows[:limit]]
        rendered = await view.render(ctx, ids) if ids else {}
        for patient in circle.patients if rendered else ():
            ctx.trail.patients.setdefault(patient, set()).add("R")
        return [reading.as_stored(rendered[one]) for one in ids if one in rendered]


def _moment(said: Any) -> datetime:
    if not isinstance(said, datetime):  # msgpack has a type of its own for it
        raise _lost()
    return said


def _lost() -> Refused:
    return refuse("value", "_cursor", "This is no page of this. Begin at its first page.", status=400)


def _open(text: str | None, root: str) -> _Cursor:
    if text is None:
        return _Cursor(root)
    try:
        cursor = msgspec.msgpack.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Cursor)
    except (ValueError, msgspec.MsgspecError):
        raise _lost() from None
    if cursor.of != root or cursor.phase < 0 or any(isinstance(n, int) and abs(n) >= 1 << 63 for n in cursor.after):
        raise _lost()
    return cursor


def _close(cursor: _Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()
