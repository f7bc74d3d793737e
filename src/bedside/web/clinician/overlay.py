"""One to four measurements of a patient on one time axis, with medicines, visits and alarms below; it prints.

The address says all of it (?show=…&show=…&span=…&until=…), so that a colleague who may see the patient sees the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, monitoring, prescribing, records
from bedside.fhir.concepts import code, in_error, words
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician import happened, vitals
from bedside.web.clinician.banner import banner_of
from bedside.web.clinician.chart import charted, laboratory_of
from bedside.web.clinician.resources import Resource, effective, moment
from bedside.web.clinician.timeline import HIGH, WIDE, Axis, Tick, lane
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import Unit, unit_of
from bedside.web.kit.places import N_
from bedside.web.kit.series import Chart, Dot, Line
from bedside.web.kit.written import clock
from bedside.web.wall.words import STATES, cause_of

TOGETHER = 4
ALARMS = 2000
"""Alarms of a patient that are read, the newest; beyond it the page says so."""
MORE = (
    vitals.Sign("mean-pressure", N_("Mean pressure"), ("mean-pressure",), (N_("Mean pressure"),), "mm[Hg]"),
    vitals.Sign("oxygen", N_("Added oxygen"), ("oxygen",), (N_("Added oxygen"),), "L/min"),
    vitals.Sign("bmi", N_("Body mass index"), ("bmi",), (N_("Body mass index"),), "kg/m2"),
    vitals.Sign("coma-score", N_("Coma score"), ("coma-score",), (N_("Coma score"),), "{score}"),
)
SIGNS = {sign.key: sign for sign in (*vitals.SIGNS, *MORE)}
MONTHS_NAMED = 2
"""Months of a year whose tick says the year too."""
LABORATORY = "lab-"
"""Before the code of a laboratory test, in the address."""


async def page(request: Request) -> Response:
    """GET /patients/{id}/overlay."""
    patient, said = request.path_params["id"], page_of(request)
    asked = list(dict.fromkeys(request.query_params.getlist("show")))
    error: BedsideError | None = None
    async with access.work(ctx_of(request), "opened the overlay", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        header = await banner_of(ctx, patient)
        now = ctx.clock.now()
        try:
            until = until_of(request.query_params.get("until", ""), now, said.zone)
        except Invalid as wrong:
            until, error = now, wrong
        results, whole = await laboratory_of(ctx, patient)
        tests = laboratory(results)
        known = {key: sign.title for key, sign in SIGNS.items()} | {key: chart.title for key, chart in tests.items()}
        latest = (await monitoring.latest(ctx, [patient]))[patient]
        shown = [key for key in asked if key in known] or usual(latest, list(tests))
        if len(shown) > TOGETHER:
            shown, error = shown[:TOGETHER], Invalid(N_("Choose at most four."), where="show")
        span = request.query_params.get("span", "month")
        span = span if span in vitals.SPANS else "month"
        since = vitals.beginning(span, until)
        if not whole:
            tests |= await _tests_since(ctx, patient, [key for key in shown if key in tests], since)
        signs = [SIGNS[key] for key in shown if key in SIGNS]
        charts = {chart.key: chart for chart in await charted(ctx, patient, signs, since, until)}
        spans = await _spans(ctx, patient)
        alarms = await monitoring.alarms(ctx, patient=patient, open_only=False, limit=ALARMS)
        talks = happened.conversations(await messaging.threads.of_patient(ctx, patient))
    drawn = [
        charts.get(key)
        or (replace(tests[key], since=since, until=until) if key in tests else nothing(key, since, until))
        for key in shown
    ]
    if span == "all":
        since = first_of(drawn, spans, until)
    axis = Axis(since, until, said.zone)
    names = {alarm.cause: cause_of(alarm) for alarm in alarms}
    found = [happened.within(each, axis) for each in (*spans, happened.alarms(alarms), talks)]
    return render(
        request,
        "clinician/overlay.html",
        error.status if error else 200,
        patient=header,
        error=error,
        known=known,
        shown=shown,
        span=span,
        spans={key: text for key, (_, text) in vitals.SPANS.items()},
        until=until.astimezone(said.zone).date().isoformat() if "until" in request.query_params and not error else "",
        until_at=until,
        since=since,
        axis=axis,
        wide=WIDE,
        high=HIGH,
        tick_words=lambda tick: tick_words(tick, said.language, said.zone),
        lanes=[lane(chart, axis, unit_for(chart, said.units)) for chart in drawn],
        medicines=found[0],
        visits=found[1],
        alarms=found[2],
        talks=found[3],
        talk_bars=[happened.bar(one, axis) for one in found[3]],
        medicine_tracks=happened.tracks(found[0], axis),
        visit_bars=[happened.bar(one, axis) for one in found[1]],
        alarm_bars={
            priority: [happened.bar(one, axis) for one in found[2] if one.kind == priority]
            for priority in ("high", "medium", "low")
        },
        causes=names,
        states=STATES,
        cut=len(alarms) >= ALARMS,
        earlier=address(shown, span, since),
        later=address(shown, span, until + (until - since)) if until + (until - since) < now else "",
        newest=address(shown, span, None),
    )


def unit_for(chart: Chart, units: str) -> Unit:
    """A laboratory's value keeps the laboratory's unit and its decimals."""
    return Unit(chart.ucum, digits=4) if chart.key.startswith(LABORATORY) else unit_of(chart.ucum, units)


def usual(latest: list[monitoring.Latest], tests: list[str]) -> list[str]:
    """What is shown when nothing was chosen: the first two signs that are measured."""
    there = {one.metric for one in latest}
    return ([key for key, sign in SIGNS.items() if there & set(sign.metrics)] or tests or list(SIGNS))[:2]


def tick_words(tick: Tick, language: str, zone: ZoneInfo) -> str:
    """What stands under the axis."""
    if tick.form == "clock":
        return clock(tick.at, zone)
    local = tick.at.astimezone(zone)
    if tick.form == "day":
        return f"{local:%-d} {format_date(local.date(), 'MMM', locale=language)}"
    form = "y" if tick.form == "year" else "MMM y" if local.month <= MONTHS_NAMED else "MMM"
    return str(format_date(local.date(), form, locale=language))


def until_of(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The end of that day on the reader's clock, at most now. Raises Invalid."""
    if not text:
        return now
    try:
        day = date.fromisoformat(text)
        end = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    except (ValueError, OverflowError):
        raise Invalid(N_("Write the day as 2026-01-31."), where="until") from None
    return max(min(end.astimezone(UTC), now), datetime(1901, 1, 1, tzinfo=UTC))


def address(shown: list[str], span: str, until: datetime | None) -> str:
    """The query of another time."""
    pairs = [*(("show", key) for key in shown), ("span", span)]
    return "?" + urlencode(pairs + ([("until", f"{until:%Y-%m-%d}")] if until else []))


def laboratory(observations: list[Resource]) -> dict[str, Chart]:
    """Laboratory tests with at least one number, by key: values in the unit of the newest. Charted vital signs are not
    among them."""
    by_test: dict[str, list[tuple[datetime, Resource]]] = {}
    for one in observations:
        key, at = code(one.get("code")), moment(effective(one))
        counts = one.get("status") not in {"cancelled", "registered"}
        number = (one.get("valueQuantity") or {}).get("value")
        if key and key not in vitals.LOINC and at is not None and counts and number is not None:
            by_test.setdefault(key, []).append((at, one))
    found: dict[str, Chart] = {}
    for key, rows in sorted(by_test.items(), key=lambda item: words(item[1][0][1].get("code")).lower()):
        rows.sort(key=lambda row: row[0])
        unit = _unit(rows[-1][1])
        dots = tuple(
            Dot(at, float(one["valueQuantity"]["value"]), "imported", wrong=in_error(one))
            for at, one in rows
            if _unit(one) == unit and "comparator" not in one["valueQuantity"]
        )
        title = words(rows[-1][1].get("code"))
        ends = rows[0][0], rows[-1][0]
        found[LABORATORY + key] = Chart(
            LABORATORY + key, title, unit, (Line(title, dots),), (_range(rows[-1][1]),), *ends
        )
    return found


async def _tests_since(ctx: Ctx, patient: str, keys: list[str], since: datetime) -> dict[str, Chart]:
    """Every value of these tests since then, where a patient has more results than are read for the choice."""
    found: dict[str, Chart] = {}
    for key in keys:
        wanted = {"patient": patient, "category": "laboratory", "code": key.removeprefix(LABORATORY)}
        page = await records.every(ctx, "Observation", {**wanted, "date": f"ge{since:%Y-%m-%d}"}, provided=False)
        found |= laboratory(page.entries)
    return {key: chart for key, chart in found.items() if key in keys}


def _unit(observation: Resource) -> str:
    quantity = observation["valueQuantity"]
    return str(quantity.get("unit") or quantity.get("code") or "")


def _range(observation: Resource) -> tuple[float | None, float | None]:
    for one in observation.get("referenceRange") or []:
        low, high = (one.get(end, {}).get("value") for end in ("low", "high"))
        return (None if low is None else float(low), None if high is None else float(high))
    return (None, None)


def nothing(key: str, since: datetime, until: datetime) -> Chart:
    """An empty lane: a measurement that was chosen and not made then."""
    sign = SIGNS[key]
    lines = tuple(Line(name, ()) for name in sign.names)
    return Chart(key, sign.title, sign.ucum, lines, ((None, None),) * len(lines), since, until)


def first_of(charts: list[Chart], spans: list[list[happened.Span]], until: datetime) -> datetime:
    """Where "all" begins: a little before the first measurement, else the first thing that happened."""
    times = [d.at for chart in charts for line in chart.lines for d in line.dots]
    times = times or [one.since for each in spans for one in each if one.since < until]
    first = min(times, default=until - timedelta(days=30))
    return first - max((until - first) / 40, timedelta(hours=1))


async def _spans(ctx: Ctx, patient: str) -> list[list[happened.Span]]:
    """Medicines and visits."""
    requests, statements, encounters, appointments = [
        (await records.every(ctx, type_, {"patient": patient}, provided=False)).entries
        for type_ in ("MedicationRequest", "MedicationStatement", "Encounter", "Appointment")
    ]
    now = ctx.clock.now()
    taken = {p.id for p in await prescribing.of_patient(ctx, patient) if p.taken(now)}
    return [happened.medicines(requests, statements, taken), happened.visits(encounters, appointments)]


ROUTES: list[BaseRoute] = [Route("/patients/{id}/overlay", page)]
