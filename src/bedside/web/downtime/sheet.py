"""The downtime copy of a ward, a programme or the clinic: what is needed at the bed while nothing runs, on one page
that holds everything it needs, sealed. It is composed from what the rooms say, and shows how old it is.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from bedside import access, monitoring, prescribing, records, visits
from bedside.access import rota
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import BedsideError
from bedside.foundation.sealed import Lock, seal
from bedside.web.clinician import summary
from bedside.web.clinician.chart import Now, newest
from bedside.web.clinician.dosage import dosages
from bedside.web.clinician.resources import Resource
from bedside.web.kit import Clinic, Page, text_for
from bedside.web.wall.words import cause_of

OLD = timedelta(minutes=15)
"""An older copy is red."""
AHEAD = timedelta(hours=24)
PATIENTS = 500
"""Of one copy, at most; it says when there are more."""
LINES = 6
"""Empty lines of a sheet, to be written on by hand."""
HERE = Path(__file__).parent
LISTED = ("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One patient's. number: stands on the paper, and is typed in again with what was written on it."""

    number: str
    bed: str | None
    header: summary.Header
    problems: summary.Listing
    allergies: summary.Listing
    medicines: summary.Listing
    latest: Sequence[Now]
    alarms: Sequence[monitoring.Alarm]
    score: monitoring.News2Result | None
    visits: Sequence[visits.Visit]


@dataclass(frozen=True, slots=True)
class Copy:
    """place: None for what the whole clinic needs. turns: who is asked in the next day, step by step. more: how many
    patients more there are, whose visits are farthest from now."""

    key: str
    place: access.Place | None
    at: datetime
    sheets: Sequence[Sheet]
    turns: Sequence[access.Turn] = ()
    telephones: dict[str, str] = field(default_factory=dict)
    more: int = 0

    @property
    def schedule(self) -> list[tuple[Sheet, visits.Visit]]:
        """The open visits of these patients until a day from now, in order: what is planned for no time waits since it
        was asked for."""
        found = [(sheet, visit) for sheet in self.sheets for visit in sheet.visits]
        near = [one for one in found if (one[1].planned_at or self.at) < self.at + AHEAD]
        return sorted(near, key=lambda one: (one[1].planned_at or one[1].asked_at, one[1].id))


async def gather(ctx: Ctx, place: access.Place | None, clinic: Clinic) -> Copy:
    """As it stands at this moment. place None: the patients of every open visit until a day from now, wherever they
    are."""
    at = ctx.clock.now()
    stays: dict[str, str | None]
    more = 0
    if place is None:
        near = list(dict.fromkeys(visit.patient for visit in await visits.under_way(ctx, at + AHEAD)))
        more = len(near[PATIENTS:])
        stays = dict.fromkeys(near[:PATIENTS])
    else:
        stays = {stay.patient: stay.bed for stay in await access.patients_at(ctx, place.id)}
    key = "clinic" if place is None else place.id
    language = clinic.language or "en"
    found = []
    for n, (patient, bed) in enumerate(
        sorted(stays.items(), key=lambda one: (one[1] is None, _bed(one[1]), one[0])), 1
    ):
        number = f"{key[:12].upper()}-{at:%m%d-%H%M}-{n:02d}"
        try:
            found.append(await _sheet(ctx, patient, bed, number, language, clinic.units))
        except BedsideError:
            continue  # a record that was merged or erased meanwhile must not keep the others from their copy
    weeks = [week for week in await rota.weeks(ctx, days=2) if place is None or week.place.id == place.id]
    turns = [turn for week in weeks for turn in week.turns if turn.duty and turn.end > at and turn.start < at + AHEAD]
    asked = {turn.duty.person for turn in turns if turn.duty}
    telephones = {one.id: one.phone for one in await access.people(ctx) if one.id in asked and one.phone}
    return Copy(key, place, at, found, turns, telephones, more)


def _bed(bed: str | None) -> tuple[bool, str]:
    return (not (bed or "").isdigit(), (bed or "").zfill(6))


async def _sheet(ctx: Ctx, patient: str, bed: str | None, number: str, language: str, units: str) -> Sheet:
    record = await records.read(ctx, "Patient", patient)
    found: dict[str, list[Resource]] = {}
    for type_ in LISTED:
        found[type_] = (await records.every(ctx, type_, {"patient": patient})).entries
    ours = await prescribing.of_patient(ctx, patient)
    taken = {one.id for one in ours if one.taken(ctx.clock.now())}
    return Sheet(
        number,
        bed,
        summary.header(record, found["AllergyIntolerance"]),
        summary.problems(found["Condition"]),
        summary.allergies(found["AllergyIntolerance"]),
        summary.medicines(found["MedicationRequest"], found["MedicationStatement"], taken, dosages(ours, language)),
        newest((await monitoring.latest(ctx, [patient]))[patient], units),
        await monitoring.alarms(ctx, patient=patient),
        await monitoring.score(ctx, patient),
        await visits.of_patient(ctx, patient, open_only=True),
    )


def page_for(clinic: Clinic, copy: Copy) -> Page:
    """Nobody reads it now: in the clinic's language and units, by the place's clock."""
    zone = (copy.place.zone if copy.place else None) or clinic.zone
    return Page(
        language=clinic.language or "en",
        zone=ZoneInfo(zone),
        clinic=clinic,
        actor=NOBODY,
        now=copy.at,
        path="",
        units=clinic.units,
    )


def sealed(copy: Copy, clinic: Clinic, lock: Lock, book: str | None = None) -> str:
    """The whole file: opens from a disk with every server stopped, and asks nobody for anything. book: where the
    handbook's folder lies beside it, if one does."""
    page = page_for(clinic, copy)
    inside = text_for(page, "downtime/sheet.html", copy=copy, cause=cause_of, lines=range(LINES), ahead=AHEAD)
    name = copy.place.name if copy.place else clinic.name
    outside = {"key": copy.key, "at": copy.at.astimezone(UTC).isoformat(timespec="seconds")}
    label = orjson.dumps(outside).decode()
    style, script = (HERE / "sheet.css").read_text(), (HERE / "opening.js").read_text()
    return text_for(
        page,
        "downtime/shell.html",
        copy=copy,
        name=name,
        label=label,
        box=seal(lock, inside, label),
        salt=base64.b64encode(lock.salt).decode(),
        rounds=lock.rounds,
        old=int(OLD.total_seconds()),
        book=book,
        style=style,
        script=script,
        policy="default-src 'none'; base-uri 'none'; form-action 'none'; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
