"""The glucose report of a patient: the consensus metrics, the modal day and each day, on one page that prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Conflict
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_

WIDTH, HEIGHT, TOP = 720.0, 260.0, 350.0
"""Of the picture, in its own units; the mg/dL at its upper edge: what lies above is drawn there."""
SMALL: Final = (100.0, 56.0)
"""Of a day's picture."""
DAY = 1440
WORDS = {
    "very-high": N_("Very high"),
    "high": N_("High"),
    "in-range": N_("In range"),
    "low": N_("Low"),
    "very-low": N_("Very low"),
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """Points of SVG polygons and polylines, in runs: where nothing is known there is a gap."""

    outer: list[str]
    inner: list[str]
    median: list[str]
    days: list[tuple[date, list[str]]]


async def page(request: Request) -> Response:
    """GET /patients/{id}/glucose."""
    patient, said = request.path_params["id"], page_of(request)
    report: monitoring.Agp | None = None
    off: BedsideError | None = None
    async with access.work(ctx_of(request), "opened the glucose report", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        name = name_of(await records.read(ctx, "Patient", patient))
        try:
            report = await monitoring.glucose_report(ctx, patient, said.zone)
        except Conflict as error:
            off = error
    return render(
        request,
        "clinician/glucose.html",
        patient=patient,
        name=name,
        report=report,
        off=off,
        drawn=drawing(report) if report else None,
        words=WORDS,
        lines=[(value, y_of(value)) for value in (54, 70, 180, 250)],
        hours=[(hour, x_of(hour * 60)) for hour in range(0, 25, 3)],
        size=(WIDTH, HEIGHT),
        small=SMALL,
        band=(y_of(180, SMALL[1]), y_of(70, SMALL[1])),
    )


def x_of(minute: float, width: float = WIDTH) -> float:
    """Where a minute of the day lies."""
    return round(minute / DAY * width, 1)


def y_of(value: float, height: float = HEIGHT) -> float:
    """Where a glucose lies, mg/dL."""
    return round(height * (1 - min(max(value, 0), TOP) / TOP), 1)


def drawing(report: monitoring.Agp) -> Drawn:
    """The report as a picture."""
    runs: list[list[monitoring.AgpSlot]] = []
    for slot in report.curve:
        if not runs or slot.minute - runs[-1][-1].minute > 15:
            runs.append([])
        runs[-1].append(slot)
    return Drawn(
        [_area([(s.minute, s.p5, s.p95) for s in run]) for run in runs],
        [_area([(s.minute, s.p25, s.p75) for s in run]) for run in runs],
        [_line([(s.minute + 7.5, s.p50) for s in run], WIDTH, HEIGHT) for run in runs],
        [(day, _days(points)) for day, points in report.daily],
    )


def _area(edges: list[tuple[int, float, float]]) -> str:
    upper = [f"{x_of(minute + 7.5)},{y_of(high)}" for minute, _, high in edges]
    lower = [f"{x_of(minute + 7.5)},{y_of(low)}" for minute, low, _ in reversed(edges)]
    return " ".join(upper + lower)


def _line(points: list[tuple[float, float]], width: float, height: float) -> str:
    return " ".join(f"{x_of(minute, width)},{y_of(value, height)}" for minute, value in points)


def _days(points: tuple[tuple[float, float], ...]) -> list[str]:
    runs: list[list[tuple[float, float]]] = []
    for point in points:
        if not runs or point[0] - runs[-1][-1][0] > 45:
            runs.append([])
        runs[-1].append(point)
    return [_line(run, *SMALL) for run in runs]


ROUTES: list[BaseRoute] = [Route("/patients/{id}/glucose", page)]
