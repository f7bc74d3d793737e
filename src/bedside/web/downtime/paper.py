"""What was written on paper while nothing ran: a line of a sheet is typed in with the time at which it was written.

Once: what one patient's staff measured at one moment has one identity, and the words are kept under sheet, moment and
what they say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Invalid, Unprocessable
from bedside.foundation.http import ctx_of
from bedside.web.clinician.papers import SYSTEM
from bedside.web.clinician.words import metric
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import unit_of
from bedside.web.patient.whose import whose
from bedside.web.readings.typed import BY_KEY, Box

SHEET = re.compile(r"[A-Z0-9][A-Z0-9-]{0,39}")
MOST_WORDS = 2000
MOMENT = "%Y%m%dT%H%M%SZ"
KEYS = ("blood-pressure", "oxygen", "added-oxygen", "breathing", "temperature", "consciousness")
"""In the order of the sheet's columns."""


def _boxes() -> list[Box]:
    found: dict[str, Box] = {}
    for key in KEYS:
        for box in BY_KEY[key].boxes:
            found.setdefault(box.metric, box)
    return list(found.values())


BOXES = _boxes()
LETTERS = {BY_KEY["consciousness"].boxes[0].metric: BY_KEY["consciousness"].letters}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet. at: UTC."""

    sheet: str
    at: datetime
    values: tuple[monitoring.Typed, ...]
    words: str


def line(form: dict[str, Any], units: str, zone: ZoneInfo) -> Line:
    """What was typed. Raises Invalid naming the field at fault."""
    sheet = str(form.get("sheet") or "").strip().upper()
    if not SHEET.fullmatch(sheet):
        raise Invalid(N_("The number stands above the lines of the sheet."), where="sheet")
    try:
        day = date.fromisoformat(str(form.get("day") or "").strip())
    except ValueError:
        raise Invalid(N_("Which day?"), where="day") from None
    try:
        clock = time.fromisoformat(str(form.get("clock") or "").strip().replace(".", ":"))
    except ValueError:
        raise Invalid(N_("Write the time as 14:05."), where="clock") from None
    values = []
    for box in BOXES:
        text = str(form.get(box.metric) or "").strip().replace(",", ".")
        if not text:
            continue
        if box.metric in LETTERS:
            values.append(monitoring.Typed(box.metric, text))
            continue
        try:
            values.append(monitoring.Typed(box.metric, float(text), unit_of(box.ucum, units).sent))
        except ValueError:
            raise Invalid(N_("Only a number, please."), where=box.metric) from None
    words = str(form.get("words") or "").strip()
    if len(words) > MOST_WORDS:
        raise Invalid(N_("At most %(most)s letters."), where="words", most=MOST_WORDS)
    if not values and not words:
        raise Invalid(N_("Type what stands in the line."), where="systolic")
    return Line(sheet, access.instant(day, clock.replace(tzinfo=None), zone), tuple(values), words)


async def page(request: Request) -> Response:
    """GET /patients/{id}/paper."""
    async with access.work(ctx_of(request), "opened the form for what was written on paper", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        at = _moment(request.query_params.get("at", ""))
        doubled = await monitoring.conflicts(ctx, patient, at=at) if at else []
    kept = request.query_params.get("kept") == "1"
    shown = {"sheet": request.query_params.get("sheet", ""), "day": request.query_params.get("day", "")}
    return _page(request, patient, name, shown, kept=kept, doubled=doubled)


def _moment(text: str) -> datetime | None:
    """Of an address that `keep` made."""
    try:
        return datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None


async def keep(request: Request) -> Response:
    """POST: one line; then on to the next of the same sheet."""
    form, shown = dict(await request.form()), page_of(request)
    patient = request.path_params["id"]
    try:
        async with access.work(ctx_of(request), "typed in what was written on paper") as ctx:
            patient, _ = await whose(request, ctx)
            typed = line(form, shown.units, shown.zone)
            doubled = await _keep(ctx, patient, typed, confirmed=form.get("confirmed") == "yes")
    except (Invalid, Unprocessable) as error:
        async with access.work(ctx_of(request), "corrected what was written on paper", readonly=True) as ctx:
            patient, name = await whose(request, ctx)
        return _page(request, patient, name, form, error=error)
    day = str(form.get("day") or "")
    about = f"&at={typed.at:{MOMENT}}" if doubled else ""
    return RedirectResponse(f"/patients/{patient}/paper?kept=1&sheet={typed.sheet}&day={day}{about}", 303)


async def _keep(ctx: Ctx, patient: str, typed: Line, *, confirmed: bool) -> bool:
    """Whether one of its values stands beside another of its moment, as a conflict. Hazard H181."""
    doubled = False
    if typed.at > ctx.clock.now():
        raise Invalid(N_("That is in the future."), where="clock")
    if typed.values:
        first, *rest = typed.values
        made = await monitoring.enter_readings(
            ctx,
            monitoring.NewReading(
                patient, first.metric, first.value, first.unit, typed.at, tuple(rest), confirmed=confirmed
            ),
        )
        others = {(one.id, one.other) for one in await monitoring.conflicts(ctx, patient, at=typed.at)}
        doubled = any((one.id, one.value) in others for one in made)
    if typed.words:
        # Two lines may have been written in one minute: what says something else is another line.
        said = sha256(" ".join(typed.words.split()).encode()).hexdigest()[:12]
        key = f"{typed.sheet}/{typed.at:%Y%m%dT%H%MZ}/{patient}/{said}"
        await records.create_if_none(
            ctx,
            {
                "resourceType": "Communication",
                "identifier": [{"system": SYSTEM, "value": key}],
                "status": "completed",
                "subject": {"reference": f"Patient/{patient}"},
                "sent": typed.at.isoformat().replace("+00:00", "Z"),
                "payload": [{"contentString": typed.words}],
                "note": [{"text": f"Written on paper (sheet {typed.sheet}), typed in by {ctx.actor.name}."}],
            },
            [("identifier", f"{SYSTEM}|{key}")],
        )
    return doubled


def _page(
    request: Request,
    patient: str,
    name: str,
    typed: dict[str, Any],
    *,
    error: BedsideError | None = None,
    kept: bool = False,
    doubled: Sequence[monitoring.Conflict] = (),
) -> Response:
    unusual = error if isinstance(error, Unprocessable) else None
    today = page_of(request).now.astimezone(page_of(request).zone).date().isoformat()
    return render(
        request,
        "downtime/paper.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        boxes=BOXES,
        letters=LETTERS,
        typed={"day": today, **{key: value for key, value in typed.items() if value}},
        error=None if unusual else error,
        unusual=unusual,
        kept=kept,
        doubled=doubled,
        metric=metric,
        said_by={letter: words for pairs in LETTERS.values() for letter, words in pairs},
    )


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/paper", page, methods=["GET"]),
    Route("/patients/{id}/paper", keep, methods=["POST"]),
]
