"""The patient's readings: each sign over time, with its table, and "that was not me" beside what was sent."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access
from bedside.foundation.http import ctx_of
from bedside.web.clinician import vitals
from bedside.web.clinician.chart import curves
from bedside.web.kit import render
from bedside.web.patient.waiting import waiting_words
from bedside.web.patient.whose import whose


async def page(request: Request) -> Response:
    """GET /readings?span=."""
    async with access.work(ctx_of(request), "opened the readings", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        span, charts = await curves(ctx, patient, request.query_params.get("span"), "month")
    return render(
        request,
        "patient/readings.html",
        span=span,
        spans={key: words for key, (_, words) in vitals.SPANS.items()},
        charts=charts,
        withdrawn="withdrawn" in request.query_params,
        patient=patient,
        kept=waiting_words(request),
    )


ROUTES: list[BaseRoute] = [Route("/readings", page)]
