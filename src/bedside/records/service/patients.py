"""Find patients as people at a desk do: part of a name, a birth date however it is written, a number."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bedside import access
from bedside.fhir import joined
from bedside.fhir.texts import fold, spelt_out
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.stored import PatientRow
from bedside.records.store import duplicates
from bedside.records.store import patients as store

# 1974-12-25 · 25.12.1974 · 12/25/1974 and 25/12/1974 (both, where both are days) · 19741225
_DATES = re.compile(r"(?<!\d)(?:(\d{4})[-./](\d{1,2})[-./](\d{1,2})|(\d{1,2})([-./])(\d{1,2})[-./](\d{4}))(?!\d)")
_TIGHT = re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?!\d)")
_MEDICAL_RECORD = "MR"  # http://terminology.hl7.org/CodeSystem/v2-0203


async def find_patients(ctx: Ctx, text: str, *, limit: int = 20) -> list[PatientRow]:
    """Patients whom the actor may see, best first.

    Every word must begin a part of the name, accents and case aside (`mueller` and `muller` are `Müller`); a date must
    be the birth date; or the whole text (or one word of it) is an identifier. Raises SignInNeeded.
    """
    await access.authorise(ctx, None, "R", what="Patient")
    visible = await access.visible(ctx, "Patient")
    words = understood(text)
    bodies = await store.find(ctx.sql, ctx.tenant, words, None if visible is None else sorted(visible), min(limit, 200))
    found = [row_of(decode(body)) for body in bodies]
    for one in found:
        ctx.trail.patients.setdefault(one.id, set()).add("R")
    return found


async def in_care(ctx: Ctx, *, limit: int = 500) -> list[PatientRow]:
    """Whom the actor may see by a bond of their own, by name: to choose one of them. Raises SignInNeeded."""
    await access.authorise(ctx, None, "R", what="Patient")
    visible = await access.visible(ctx, "Patient")
    if not visible:
        return []
    bodies = await duplicates.bodies(ctx.sql, ctx.tenant, [indexing.rid("Patient", one) for one in sorted(visible)])
    found = [decode(body) for body in bodies.values()]
    rows = sorted((row_of(one) for one in found if not joined.goes_on(one)), key=lambda row: (fold(row.name), row.id))
    for one in rows[:limit]:
        ctx.trail.patients.setdefault(one.id, set()).add("R")
    return rows[:limit]


async def named(ctx: Ctx, ids: Iterable[str]) -> dict[str, PatientRow]:
    """These patients as lines, by id, read at once: for lists. Whom the actor may not see is left out."""
    visible = await access.visible(ctx, "Patient")
    wanted = {one for one in ids if visible is None or one in visible}
    if not wanted:
        return {}
    bodies = await duplicates.bodies(ctx.sql, ctx.tenant, [indexing.rid("Patient", one) for one in sorted(wanted)])
    rows = {row.id: row for row in map(row_of, map(decode, bodies.values()))}
    for one in rows:
        ctx.trail.patients.setdefault(one, set()).add("R")
    return rows


async def registered(ctx: Ctx) -> bool:
    """Whether the clinic has any patient: all that an administrator learns of them. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return await store.any_there(ctx.sql, ctx.tenant)


async def look_up(ctx: Ctx, *, name: str = "", born: date | None = None, number: str = "") -> list[PatientRow]:
    """Whoever of the whole clinic has this birth date and a name with each of these words, or this number.

    For those who may then ask for emergency access: nobody is found by a part of what is asked, nothing but name and
    birth date is answered, and each one found reads in "who looked" that they were looked for. Raises Invalid when too
    little was said, Forbidden, TooMany.
    """
    await access.require(ctx, "clinician", "nurse")
    # Of Ö the initial of Oester and not that of everybody with an O.
    words = [long for written in _words(name) if (long := {one for one in written if len(one) > 1})]
    if number.strip():
        asked = store.PatientWords([], [], [number.strip()[:200]])
    elif born is not None and words:
        low = datetime(born.year, born.month, born.day, tzinfo=UTC)
        span = (indexing.microseconds(low), indexing.microseconds(low + timedelta(days=1)))
        asked = store.PatientWords(words, [span], [])
    else:
        raise Invalid("Write the name and the birth date, or the number.", where="name")
    found = [row_of(decode(body)) for body in await store.find(ctx.sql, ctx.tenant, asked, None, 5)]
    for one in found:
        await access.authorise(ctx, one.id, "R", what="directory")
    return [PatientRow(one.id, one.name, one.birth_date, None, None) for one in found]


def understood(text: str) -> store.PatientWords:
    """What the typed text may mean."""
    text = text.strip()[:200]
    days = {day for match in _DATES.finditer(text) for day in _days(match)}
    days |= {day for match in _TIGHT.finditer(text) if (day := _day(*map(int, match.groups())))}
    rest = _TIGHT.sub(" ", _DATES.sub(" ", text)) if days else text
    names = _words(rest)
    numbers = list(dict.fromkeys([text, *text.split()])) if any(c.isdigit() for c in text) else []
    if numbers and not days and any(c.isdigit() for written in names for part in written for c in part):
        names = []  # nobody's name has a digit: it is a number
    births = [(indexing.microseconds(low), indexing.microseconds(low + timedelta(days=1))) for low in sorted(days)]
    return store.PatientWords(names, births, numbers)


def _words(text: str) -> list[set[str]]:
    """Its words, each in the ways in which it is written."""
    pairs = zip(fold(text).split(), spelt_out(text).split(), strict=True)
    return [written for pair in pairs if (written := {indexing.joined(one) for one in pair} - {""})]


def _days(match: re.Match[str]) -> set[datetime]:
    year, month, day, one, mark, other, late = match.groups()
    if year:
        found = {_day(int(year), int(month), int(day))}
    else:
        found = {_day(int(late), int(other), int(one))}  # day first
        if mark != ".":  # month first, as written in the United States
            found.add(_day(int(late), int(one), int(other)))
    return {one for one in found if one is not None}


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def row_of(patient: dict[str, Any]) -> PatientRow:
    """A Patient as one line."""
    return PatientRow(
        patient["id"], name_of(patient), _birth(patient.get("birthDate")), number_of(patient), patient.get("gender")
    )


def name_of(patient: dict[str, Any]) -> str:
    """The official or usual name, as it is spoken; empty where none is recorded."""
    names = patient.get("name") or []
    order = {"official": 0, "usual": 1, None: 2}
    for name in sorted(names, key=lambda n: order.get(n.get("use"), 3)):
        if name.get("text"):
            return str(name["text"])
        parts = [*(name.get("given") or []), name.get("family"), *(name.get("suffix") or [])]
        if said := " ".join(part for part in parts if part):
            return said
    return ""


def number_of(patient: dict[str, Any]) -> str | None:
    """The medical record number, else the first identifier."""
    identifiers = [one for one in patient.get("identifier") or [] if one.get("value")]
    for one in identifiers:
        codings = (one.get("type") or {}).get("coding") or []
        if any(coding.get("code") == _MEDICAL_RECORD for coding in codings):
            return str(one["value"])
    return str(identifiers[0]["value"]) if identifiers else None


def _birth(text: Any) -> date | None:
    return store.birth_of(text if isinstance(text, str) else None)
