"""The chart: everything the record and monitoring know of one patient, on one page that also prints as a sheet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.web.clinician import results, summary, vitals, words
from bedside.web.clinician.resources import Resource
from bedside.web.kit import render
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.series import Chart, Dot

MOST = 500
"""Resources of one type read for a page: beyond it the page says that there are more."""


@dataclass(frozen=True, slots=True)
class Now:
    """A sign's newest value as it reads now. text: "178/112"; at: its device time."""

    title: str
    text: str
    ucum: str
    at: datetime
    stale: bool
    source: str


async def page(request: Request) -> Response:
    """One patient's chart. ?span=day|week|month|year|all says how far back the curves go."""
    id_ = request.path_params["id"]
    async with access.work(ctx_of(request), "opened the chart", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        patient = await records.read(ctx, "Patient", id_)
        found = {type_: await _all(ctx, type_, id_) for type_ in LISTED}
        laboratory = await _all(ctx, "Observation", id_, category="laboratory")
        latest = (await monitoring.latest(ctx, [id_]))[id_]
        span, charts = await curves(ctx, id_, request.query_params.get("span"), bool(latest))
        alarms = await monitoring.alarms(ctx, patient=id_)
        score = await monitoring.score(ctx, id_)
    units = "us" if getattr(request.state, "units", None) == "us" else "metric"
    return render(
        request,
        "clinician/chart.html",
        patient=summary.header(patient, found["AllergyIntolerance"]),
        problems=summary.problems(found["Condition"]),
        allergies=summary.allergies(found["AllergyIntolerance"]),
        medicines=summary.medicines(found["MedicationRequest"], found["MedicationStatement"]),
        encounters=summary.encounters(found["Encounter"]),
        results=results.results(laboratory),
        latest=newest(latest, units),
        charts=charts,
        span=span,
        spans={key: words for key, (_, words) in vitals.SPANS.items()},
        alarms=alarms,
        score=score,
        cause=words.cause,
        metric=words.metric,
        value_of=words.value_of,
        why_no_score=words.WHY_NO_SCORE,
    )


LISTED = ("AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement", "Encounter")


async def _all(ctx: Ctx, type_: str, patient: str, **more: str) -> list[Resource]:
    page = await records.search(ctx, type_, {"patient": patient, "_count": str(MOST), **more})
    return page.entries


async def curves(ctx: Ctx, patient: str, wanted: str | None, monitored: bool) -> tuple[str, list[Chart]]:
    """The span shown and its charts: a week where the patient is monitored, else all that was ever imported."""
    span = wanted if wanted in vitals.SPANS else ("week" if monitored else "all")
    until = ctx.clock.now()
    since = max(until - vitals.SPANS[span][0], datetime(1900, 1, 1, tzinfo=until.tzinfo))
    dots: dict[str, list[list[Dot]]] = {}
    gaps: dict[str, list[tuple[datetime, datetime]]] = {}
    for metric in (m for sign in vitals.SIGNS for m in sign.metrics):
        series = await monitoring.series(ctx, patient, metric, since, until + timedelta(seconds=1))
        dots[metric] = [vitals.measured(series.points)]
        gaps[metric] = [(g.since, g.until) for g in series.gaps]
    # Readings are Observations too: what monitoring keeps is drawn from monitoring, the rest was imported.
    page = await records.search(
        ctx,
        "Observation",
        [("patient", patient), ("category", "vital-signs"), ("date", f"ge{since:%Y-%m-%d}"), ("_count", str(MOST))],
    )
    for metric, more in vitals.imported(o for o in page.entries if not monitoring_owns(o)).items():
        dots.setdefault(metric, []).append(more)
    plan = (await monitoring.plans(ctx, [patient])).get(patient)
    return span, vitals.charts(dots, gaps, plan.rows if plan else (), since, until)


def monitoring_owns(observation: Resource) -> bool:
    """Whether an Observation is monitoring's own picture of a reading."""
    return str(observation["id"]).startswith(("r.", "p."))


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
                vitals.source_of(first.source),
            )
        )
    return shown


def _said(value: float | str, unit: Any) -> str:
    return value if isinstance(value, str) else f"{unit.show(value):g}"


ROUTES: list[BaseRoute] = [Route("/patients/{id}", page)]
