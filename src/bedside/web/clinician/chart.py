"""The chart: everything the record and monitoring know of one patient, on one page that also prints as a sheet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, prescribing, records
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.web.clinician import results, summary, vitals, words
from bedside.web.clinician.dosage import dosages
from bedside.web.clinician.resources import Resource
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.places import N_
from bedside.web.kit.series import Chart, Dot, Stretch
from bedside.web.kit.written import age_words
from bedside.web.wall.words import cause_of, value_of

MOST = 500
EACH = 4
"""Of a test: what is shown is the newest and the one before, which may have been entered in error."""
"""Resources of one type read for a page: beyond it the page says that there are more."""


@dataclass(frozen=True, slots=True)
class Now:
    """A sign's newest value as it reads now. text: "178/112"; at: its device time."""

    title: str
    text: str
    ucum: str
    at: datetime
    stale: bool
    stale_at: datetime
    source: str


async def page(request: Request) -> Response:
    """One patient's chart. ?span=day|week|month|year|all says how far back the curves go."""
    id_ = request.path_params["id"]
    async with access.work(ctx_of(request), "opened the chart", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        patient = await records.read(ctx, "Patient", id_)
        found = {type_: (await records.every(ctx, type_, {"patient": id_})).entries for type_ in LISTED}
        laboratory, _ = await laboratory_of(ctx, id_)
        latest = (await monitoring.latest(ctx, [id_]))[id_]
        span, charts = await curves(ctx, id_, request.query_params.get("span"), usual_span(latest))
        alarms = await monitoring.alarms(ctx, patient=id_)
        score = await monitoring.score(ctx, id_)
        spots = await monitoring.spot_scores(ctx, id_)
        pressure = await monitoring.pressure_category(ctx, id_)
        refills = [r for r in await prescribing.refills(ctx, id_) if r.open]
        ours = await prescribing.of_patient(ctx, id_)
        taken = {p.id for p in ours if p.taken(ctx.clock.now())}
        conflicts = await monitoring.conflicts(ctx, id_)
    language = page_of(request).language
    units = "us" if getattr(request.state, "units", None) == "us" else "metric"
    return render(
        request,
        "clinician/chart.html",
        patient=summary.header(patient, found["AllergyIntolerance"]),
        problems=summary.problems(found["Condition"]),
        allergies=summary.allergies(found["AllergyIntolerance"]),
        medicines=summary.medicines(
            found["MedicationRequest"], found["MedicationStatement"], taken, dosages(ours, language)
        ),
        encounters=summary.encounters(found["Encounter"]),
        results=results.results(laboratory),
        latest=newest(latest, units),
        charts=charts,
        span=span,
        spans={key: words for key, (_, words) in vitals.SPANS.items()},
        alarms=alarms,
        score=score,
        spots=spots,
        pressure=pressure,
        categories=words.CATEGORIES,
        why_no_category=words.WHY_NO_CATEGORY,
        age_words=age_words(page_of(request).language),
        refills=refills,
        conflicts=conflicts,
        cause=cause_of,
        metric=words.metric,
        value_of=value_of,
        why_no_score=words.WHY_NO_SCORE,
        registered="registered" in request.query_params,
    )


LISTED = ("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement", "Encounter")


async def laboratory_of(ctx: Ctx, patient: str) -> tuple[list[Resource], bool]:
    """The newest laboratory results, and the newest few of each test of which these hold none; and whether that is
    all that there are."""
    wanted = {"patient": patient, "category": "laboratory"}
    page = await records.search(ctx, "Observation", {**wanted, "_count": str(MOST)})
    if page.next is None:
        return page.entries, True
    known = {one["id"] for one in page.entries}
    more = await records.newest(ctx, wanted, EACH)
    return page.entries + [one for one in more if one["id"] not in known], False


def usual_span(latest: list[monitoring.Latest]) -> str:
    """A day beside a continuous monitor, a week of other readings, else all that was ever imported."""
    if any(one.device_kind == "monitor" for one in latest):
        return "day"
    return "week" if latest else "all"


async def curves(ctx: Ctx, patient: str, wanted: str | None, usual: str) -> tuple[str, list[Chart]]:
    """The span shown, the wanted or the usual one, and its charts."""
    span = wanted if wanted in vitals.SPANS else usual
    until = ctx.clock.now()
    return span, await charted(ctx, patient, vitals.SIGNS, vitals.beginning(span, until), until)


async def charted(
    ctx: Ctx, patient: str, signs: Sequence[vitals.Sign], since: datetime, until: datetime
) -> list[Chart]:
    """A chart of each of these signs of which anything was measured in the span, by monitoring or by an import."""
    dots: dict[str, list[list[Dot]]] = {}
    gaps: dict[str, list[tuple[datetime, datetime]]] = {}
    counts: dict[str, int] = {}
    stretches: dict[str, tuple[Stretch, ...]] = {}
    for metric in (m for sign in signs for m in sign.metrics):
        series = await monitoring.series(ctx, patient, metric, since, until + timedelta(seconds=1))
        dots[metric] = [vitals.measured(series.points)]
        gaps[metric] = [(g.since, g.until) for g in series.gaps]
        stretches[metric] = vitals.summarised(series.summaries)
        if series.thinned:
            counts[metric] = series.count
    # Readings are Observations too: what monitoring keeps was drawn above, the rest was imported.
    page = await records.search(
        ctx,
        "Observation",
        [
            *(("patient", patient), ("category", "vital-signs"), ("_count", str(MOST))),
            *(("date", f"ge{since:%Y-%m-%d}"), ("date", f"lt{until + timedelta(days=1):%Y-%m-%d}")),
        ],
        provided=False,
    )
    for metric, more in vitals.imported(page.entries).items():
        dots.setdefault(metric, []).append(more)
    plan = (await monitoring.plans(ctx, [patient])).get(patient)
    return vitals.charts(dots, gaps, plan.rows if plan else (), since, until, counts, signs, stretches)


def newest(latest: list[monitoring.Latest], units: str) -> list[Now]:
    """The newest value of each sign, pressure as one: upper over lower only where both are of one moment."""
    by_metric = {one.metric: one for one in latest}
    shown: list[Now] = []
    for sign in vitals.SIGNS:
        found = [by_metric[m] for m in sign.metrics if m in by_metric]
        if not found:
            continue
        first = found[0]
        together = [f for f in found if f.device_time == first.device_time]
        unit = unit_of(sign.ucum, units)
        text = (
            "/".join(_said(f.value, unit) for f in together)
            if len(together) == len(sign.metrics)
            else _said(first.value, unit)
        )
        shown.append(
            Now(
                sign.title,
                text,
                sign.ucum,
                first.device_time,
                any(f.stale for f in together),
                min(f.stale_at for f in together),
                vitals.source_of(first.source),
            )
        )
    for metric, title, ucum in OBSERVED:
        if (seen := by_metric.get(metric)) is not None:
            text = ACVPU[seen.value] if isinstance(seen.value, str) else _said(seen.value, unit_of(ucum, units))
            source = vitals.source_of(seen.source)
            shown.append(Now(title, text, ucum, seen.device_time, seen.stale, seen.stale_at, source))
    return shown


OBSERVED = (("consciousness", N_("Consciousness"), ""), ("oxygen", N_("Added oxygen"), "L/min"))
"""What nurses see and record; it has no curve, and NEWS2 rests on it."""
ACVPU = {
    "A": N_("alert"),
    "C": N_("new confusion"),
    "V": N_("responds to voice"),
    "P": N_("responds to pain"),
    "U": N_("unresponsive"),
}


def _said(value: float | str, unit: Any) -> str:
    return value if isinstance(value, str) else f"{unit.show(value):g}"


ROUTES: list[BaseRoute] = [Route("/patients/{id}", page)]
