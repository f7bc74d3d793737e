"""Patient $match, and the work list of pairs that may be one person. Both show only whom the asker may see."""

from typing import Any, NamedTuple

from bedside import access
from bedside.fhir import joined
from bedside.fhir.texts import fold, shortened, spelt_out
from bedside.foundation.context import Actor, Ctx, Trail
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.likeness import Likeness, likeness, usable
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import PatientRow, Stored
from bedside.records.service import reading, searching
from bedside.records.service.patients import row_of
from bedside.records.store import duplicates as store

LOOKED_AT = 200
"""Candidates that each detail may bring."""
MOST_PAIRS = 2000
"""Pairs that one look at the work list compares."""


class Match(NamedTuple):
    """A patient who may be the one asked for."""

    patient: Stored
    likeness: Likeness


async def match(ctx: Ctx, asked: dict[str, Any], *, limit: int = 20, only_certain: bool = False) -> list[Match]:
    """The likeliest first. only_certain: the one that is certain, where one alone is. Raises Refused, Forbidden.

    Found by identifier, birth date, name, telephone and mail; then each candidate is compared in all of its details.
    """
    if not usable(asked):
        raise refuse("required", "Patient", "Nobody can be found by this: give a number, a name or a birth date.")
    candidates: dict[str, Stored] = {}
    for pairs in _ways(asked):
        found = await searching.search(ctx, "Patient", [*pairs, ("_count", str(LOOKED_AT))])
        candidates |= {one.id: one for one in found.matches}
    matches = []
    for one in candidates.values():
        patient = one.resource
        if not joined.goes_on(patient) and (alike := likeness(asked, patient)).grade != "certainly-not":
            matches.append(Match(one, alike))
    matches.sort(key=lambda m: (-m.likeness.score, m.patient.id))
    if only_certain:
        certain = [one for one in matches if one.likeness.grade == "certain"]
        return certain if len(certain) == 1 else []
    return matches[:limit]


def _ways(asked: dict[str, Any]) -> list[list[tuple[str, str]]]:
    ways = [
        [(name, searching.literal(str(one["value"])))]
        for name in ("identifier", "telecom")
        for one in (asked.get(name) or ())[:10]
        if one.get("value")
    ]
    if birth := asked.get("birthDate"):
        ways.append([("birthdate", str(birth))])
    for name in (asked.get("name") or ())[:5]:
        given = (name.get("given") or [None])[0]
        family = str(name.get("family") or "")
        # A search of FHIR is blind to accents, not to spelling: by `muller` it finds Müller, by `mueller` it does not.
        spelt = {family, spelt_out(family), shortened(fold(family))} if family else ()
        ways += [[("family", searching.literal(one))] for one in sorted(spelt)]
        if family and given:
            ways.append([("family", searching.literal(family)), ("given", searching.literal(str(given)))])
        elif given:
            ways.append([("given", searching.literal(str(given)))])
    return ways


class Pair(NamedTuple):
    """Two patients who may be one person. found: what of each detail is same, near or other."""

    one: PatientRow
    other: PatientRow
    likeness: Likeness


async def likely_duplicates(ctx: Ctx, *, limit: int = 100) -> list[Pair]:
    """The pairs most alike first, each once, of patients whom the asker may both see. Raises Forbidden."""
    await access.authorise(ctx, None, "R", what="Patient")
    visible = await access.visible(ctx, "Patient")
    among = None if visible is None else [indexing.rid("Patient", one) for one in visible]
    rids = await store.pairs(ctx.sql, ctx.tenant, (-(1 << 63), -(1 << 63)), MOST_PAIRS, among)
    bodies = await store.bodies(ctx.sql, ctx.tenant, sorted({rid for pair in rids for rid in pair}))
    patients = {rid: decode(body) for rid, body in bodies.items()}
    pairs = []
    for first, second in rids:
        one, other = patients.get(first), patients.get(second)
        if one is None or other is None or joined.goes_on(one) or joined.goes_on(other):
            continue
        if visible is not None and not {one["id"], other["id"]} <= visible:
            continue
        alike = likeness(one, other)
        if alike.grade in ("certain", "probable"):
            pairs.append(Pair(row_of(one), row_of(other), alike))
    pairs.sort(key=lambda pair: (-pair.likeness.score, pair.one.id))
    for pair in pairs[:limit]:
        for row in (pair.one, pair.other):
            ctx.trail.patients.setdefault(row.id, set()).add("R")
    return pairs[:limit]


class Comparison(NamedTuple):
    """Two patients side by side. merged: one of them is merged into somebody already."""

    one: dict[str, Any]
    other: dict[str, Any]
    likeness: Likeness
    merged: bool


async def compare(ctx: Ctx, one: str, other: str) -> Comparison:
    """Both as they stand, and how alike they are. Raises NotFound, Gone, Forbidden."""
    first, second = [(await reading.read(ctx, "Patient", id_)).resource for id_ in (one, other)]
    return Comparison(first, second, likeness(first, second), any(map(joined.goes_on, (first, second))))


REGISTRATION = Actor("job", "registration", "registration", roles=frozenset({"system"}))
"""Looks through the whole clinic for who may be the one at the desk; only the likely ones are told of."""


class Likely(NamedTuple):
    """Somebody of the whole clinic who may be the one being registered: no more of them than the directory's.

    numbered: they have one of the numbers that were given. mine: the asker may open their chart.
    """

    row: PatientRow
    likeness: Likeness
    numbered: bool
    mine: bool


async def likely(ctx: Ctx, asked: dict[str, Any], *, but: str, limit: int = 10) -> list[Likely]:
    """Who is certainly or probably the one to be registered, or has their number: the likeliest first.

    The same comparison as $match, over all patients, since a second record is made of somebody whom the asker may not
    see as easily. Each one told of is a look into the directory, noted in their audit. but: an id that is left out, of
    the record about to be made. Raises Forbidden, Refused when nobody can be found by what is asked.
    """
    wide = ctx.with_(actor=REGISTRATION, purpose="HOPERAT", trail=Trail())
    found = {one.patient.id: one for one in await match(wide, asked, limit=LOOKED_AT)}
    numbers = [one for one in asked.get("identifier") or () if one.get("system") and one.get("value")]
    same: set[str] = set()
    for one in numbers:
        token = "|".join(searching.literal(str(one[part])) for part in ("system", "value"))
        page = await searching.search(wide, "Patient", [("identifier", token), ("_count", "5")])
        for stored in page.matches:
            same.add(stored.id)
            found.setdefault(stored.id, Match(stored, likeness(asked, stored.resource)))
    told = []
    for id_, one in found.items():
        if id_ != but and (id_ in same or one.likeness.grade in ("certain", "probable")):
            told.append(one)
    told.sort(key=lambda m: (m.patient.id not in same, -m.likeness.score, m.patient.id))
    shown = []
    for one in told[:limit]:
        await access.authorise(ctx, one.patient.id, "R", what="directory")
        row = row_of(one.patient.resource)
        mine = await access.may(ctx, one.patient.id, "R", what="Patient")
        seen = row if mine else PatientRow(row.id, row.name, row.birth_date, None, None)
        shown.append(Likely(seen, one.likeness, one.patient.id in same, mine))
    return shown
