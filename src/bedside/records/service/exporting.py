"""The walk of an export: the record as it stood when it was asked for, page by page, from wherever it was left.

Readings that another room keeps come as the resources that they appear as. The walk holds one page at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from bedside import access
from bedside.fhir import dates
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model import rows as indexing
from bedside.records.model.bulk import NOT_EXPORTED, Place, Wish, compartment_types
from bedside.records.model.contents import Content
from bedside.records.model.json import encode
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import contents, reading, searching, subsetting
from bedside.records.service.registry import provided_types, provider_of, providers
from bedside.records.store import exporting as store
from bedside.records.store import reading as reading_store

PAGE = 1000
"""Resources of one step, and of one checkpoint."""
PATIENTS = 200
"""Patients whose readings are looked for in one step."""
_NARROWING = frozenset({"_include", "_revinclude", "_sort", "_count", "_summary", "_elements", "_total", "_cursor"})


class Line(NamedTuple):
    """A line to write. part: output, deleted or error. content: a Binary's bytes, kept beside it, to be its data."""

    part: str
    type: str
    body: bytes
    content: Content | None = None


class Step(NamedTuple):
    """What one step found, and where the next begins; None: that was the last."""

    lines: list[Line]
    next: Place | None


async def settled(ctx: Ctx, wish: Wish) -> Wish:
    """The wish with its types told and allowed, its filters understood, its group's members named.

    Raises Forbidden for a type that the asker may not read, NotFound for the group, Refused for a filter.
    """
    types = list(wish.types)
    if not types:
        known = sorted({*await reading_store.types(ctx.sql, ctx.tenant), *provided_types()})
        within = [t for t in known if t not in NOT_EXPORTED and (wish.level == "system" or t in compartment_types())]
        types = [one for one in within if await access.may(ctx, None, "R", what=one)]
        if not types:
            await access.authorise(ctx, None, "R", what="*" if not within else within[0])
    for one in types:
        await access.authorise(ctx, None, "R", what=one)
    for type_, query in wish.filters:
        _understood(type_, query)
        await access.authorise(ctx, None, "E", what=type_)
    patients = wish.patients
    if wish.level == "group" and wish.group is not None:
        members = await _members(ctx, wish.group)
        strangers = set(patients) - set(members)
        if strangers:
            raise refuse("value", "patient", "Not every patient named is in the group.", status=400)
        patients = patients or tuple(members) or ("",)  # an empty group has nobody's resources
    return msgspec.structs.replace(wish, types=tuple(types), patients=patients)


def _understood(type_: str, query: str) -> list[tuple[str, str]]:
    pairs = searching.pairs_of(query)
    for name, _ in pairs:
        if name.partition(":")[0] in _NARROWING:
            raise refuse("not-supported", "_typeFilter", f"{name} narrows nothing; leave it out.", status=400)
    searching.parse(type_, pairs)
    return pairs


async def _members(ctx: Ctx, id_: str) -> list[str]:
    """The patients of a group and of the groups in it. Raises NotFound, Forbidden."""
    found: dict[str, None] = {}
    groups, seen = [id_], {id_}
    while groups:
        here = groups.pop()
        try:
            group = (await reading.read(ctx, "Group", here)).resource
        except NotFound:
            if here == id_:
                raise
            continue
        for member in group.get("member") or ():
            until = (member.get("period") or {}).get("end")
            if member.get("inactive") or (until and dates.span(until).high <= ctx.clock.now()):
                continue
            type_, _, one = str((member.get("entity") or {}).get("reference", "")).partition("/")
            if type_ == "Patient" and one:
                found[one] = None
            elif type_ == "Group" and one not in seen:
                seen.add(one)
                groups.append(one)
    return list(found)


async def total(ctx: Ctx, wish: Wish, at: datetime) -> int:
    """How many rows the walk will meet, nearly: readings of other rooms are not counted beforehand."""
    return sum(
        [await store.count(ctx.sql, ctx.tenant, _walk(wish, one, at)) for one in wish.types if not wish.filters_of(one)]
    )


def _walk(wish: Wish, type_: str, at: datetime) -> store.Walk:
    return store.Walk(type_, at, wish.since, wish.level != "system", wish.patients or None)


async def step(ctx: Ctx, wish: Wish, at: datetime, place: Place) -> Step:
    """The next page, from the place on. Patients are noted in the trail."""
    type_ = wish.types[place.type]
    await access.authorise(ctx, None, "R", what=type_)
    work = _Type(ctx, wish, at, type_)
    stages = work.stages()
    lines, after = await stages[place.stage](place.after)
    if after is not None:
        return Step(lines, Place(place.type, place.stage, after))
    if place.stage + 1 < len(stages):
        return Step(lines, Place(place.type, place.stage + 1))
    if place.type + 1 < len(wish.types):
        return Step(lines, Place(place.type + 1))
    return Step(lines, None)


class _Type:
    """The walk of one type: its stages, each from a position to the lines of a page and the next position."""

    def __init__(self, ctx: Ctx, wish: Wish, at: datetime, type_: str) -> None:
        self.ctx, self.wish, self.at, self.type = ctx, wish, at, type_
        elements = wish.elements_of(type_)
        self.query: Query | None = searching.parse(type_, {"_elements": ",".join(elements)}) if elements else None

    def stages(self) -> list[Any]:
        """Filtered types are searched, filter by filter; others are walked, then what their providers hold."""
        filters = self.wish.filters_of(self.type)
        if filters:
            found: list[Any] = [lambda after, n=n: self._sought(filters, n, after) for n in range(len(filters))]
            return [*found, self._gone] if self.wish.since else found
        views = [lambda after, p=provider: self._provided(p, after) for provider in providers(self.type)]
        return [self._kept, *views]

    def _line(self, one: Stored) -> Line:
        return Line("output", one.type, (subsetting.subset(one, self.query) if self.query else one).body)

    async def _whole(self, one: Stored) -> Line:
        line = self._line(one)
        if self.type == "Binary" and self.query is None:
            return line._replace(content=await contents.of(self.ctx, one))
        return line

    def _deletion(self, id_: str) -> Line:
        reference = f"{self.type}/{id_}"
        entry = {"request": {"method": "DELETE", "url": reference}}
        return Line("deleted", self.type, encode({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}))

    def _note(self, patients: Sequence[str]) -> None:
        for patient in patients:
            self.ctx.trail.patients.setdefault(patient, set()).add("R")

    async def _kept(self, after: list[Any] | None, *, only_gone: bool = False) -> tuple[list[Line], list[Any] | None]:
        walk = _walk(self.wish, self.type, self.at)
        rows = await store.page(self.ctx.sql, self.ctx.tenant, walk, after[0] if after else -1, PAGE)
        lines = []
        for row in rows:
            self._note(row["patients"])
            if row["body"] is None:
                lines.append(self._deletion(row["id"]))
            elif not only_gone:
                lines.append(await self._whole(reading.stored(row)))
        return lines, [rows[-1]["born"]] if len(rows) == PAGE else None

    async def _gone(self, after: list[Any] | None) -> tuple[list[Line], list[Any] | None]:
        return await self._kept(after, only_gone=True)

    async def _sought(
        self, filters: Sequence[str], n: int, after: list[Any] | None
    ) -> tuple[list[Line], list[Any] | None]:
        """What one filter finds and none before it did."""
        extra = [("_count", str(PAGE))]
        if self.wish.since:
            extra.append(("_lastUpdated", f"gt{self.wish.since.isoformat().replace('+00:00', 'Z')}"))
        if after:
            extra.append(("_cursor", after[0]))
        found = await searching.search(self.ctx, self.type, [*_understood(self.type, filters[n]), *extra])
        matches = found.matches
        for earlier in filters[:n]:
            if ids := ",".join(one.id for one in matches):
                pairs = [*_understood(self.type, earlier), ("_id", ids), ("_count", str(PAGE))]
                again = {one.id for one in (await searching.search(self.ctx, self.type, pairs)).matches}
                matches = [one for one in matches if one.id not in again]
        matches = await self._as_they_stood(matches)
        return [await self._whole(one) for one in matches], [found.next] if found.next else None

    async def _as_they_stood(self, matches: list[Stored]) -> list[Stored]:
        """Each as it stood when the export was asked for, where it belongs to whom the export is of."""
        own = [one for one in matches if provider_of(self.type, one.id) is None]
        rids = [indexing.rid(self.type, one.id) for one in own]
        rows = await store.standing(self.ctx.sql, self.ctx.tenant, rids, self.at)
        result = []
        for one in matches:
            row = rows.get(one.id)
            if row is not None:
                if row["body"] is None or not self._wanted(row["patients"]):
                    continue
                if self.wish.since and row["updated"] <= self.wish.since:
                    continue
                result.append(one._replace(version=row["version"], updated=row["updated"], body=row["body"]))
            elif (provider := provider_of(self.type, one.id)) is not None and one.updated <= self.at:
                patient = await provider.patient_of(self.ctx, one.id)
                if patient is not None and self._wanted([patient]):
                    result.append(one)
        return result

    def _wanted(self, patients: Sequence[str]) -> bool:
        if self.wish.patients:
            return not set(self.wish.patients).isdisjoint(patients)
        return self.wish.level == "system" or bool(patients)

    async def _provided(self, provider: ReadProvider, after: list[Any] | None) -> tuple[list[Line], list[Any] | None]:
        """Readings, patient by patient. after: the last patient that is done, and within the next one's the end."""
        done, end = (after[0], after[1]) if after else (-1, None)
        lines: list[Line] = []
        patients = await self._patients(done)
        for mark, patient in patients:
            while True:
                last = (datetime.fromisoformat(end[0]), end[1]) if end else None
                walk = store.ProvidedWalk(provider, patient, self.at, self.wish.since)
                rows = await store.provided(self.ctx.sql, self.ctx.tenant, walk, last, PAGE)
                lines += await self._rendered(provider, patient, rows)
                if len(rows) < PAGE:
                    break
                end = [rows[-1]["at"].isoformat(), rows[-1]["id"]]
                if len(lines) >= PAGE:
                    return lines, [done, end]
            done, end = mark, None
            if len(lines) >= PAGE:
                return lines, [done, None]
        return lines, [done, None] if len(patients) == PATIENTS else None

    async def _patients(self, after: int) -> list[tuple[int, str]]:
        if self.wish.patients:
            named = list(enumerate(self.wish.patients))
            return named[after + 1 : after + 1 + PATIENTS]
        return await store.patient_ids(self.ctx.sql, self.ctx.tenant, after, PATIENTS)

    async def _rendered(self, provider: ReadProvider, patient: str, rows: Sequence[Any]) -> list[Line]:
        if not rows:
            return []
        self._note([patient])
        found = await provider.render(self.ctx, [row["id"] for row in rows])
        lines = []
        for row in rows:
            resource = found.get(row["id"])
            if row["updated"] > self.at:  # changed since: as it read before, if it was there
                every = await provider.versions(self.ctx, row["id"])
                before = [one for one in every if dates.span(one["meta"]["lastUpdated"]).low <= self.at]
                resource = before[0] if before else None
            if resource is not None:
                lines.append(self._line(reading.as_stored(resource)))
        return lines
