"""The patient's readings: this week, each sign over time with its target and what it means, "that was not me"."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.http import ctx_of
from bedside.web.clinician import vitals
from bedside.web.clinician.chart import charted, curves
from bedside.web.kit import page_of, render
from bedside.web.patient.aims import LOOKED_BACK, WEEKS, aimed, aims, kept
from bedside.web.patient.meaning import all_of, meaning
from bedside.web.patient.waiting import waiting_words
from bedside.web.patient.whose import whose


async def page(request: Request) -> Response:
    """GET /readings?span=."""
    zone = page_of(request).zone
    async with access.work(ctx_of(request), "opened the readings", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        span, charts = await curves(ctx, patient, request.query_params.get("span"), "month")
        targets = await monitoring.targets(ctx, patient)
        now = ctx.clock.now()
        recent = await charted(ctx, patient, vitals.SIGNS, now - LOOKED_BACK, now)
        newest = all_of((await monitoring.latest(ctx, [patient]))[patient])
        plan = (await monitoring.plans(ctx, [patient])).get(patient)
    return render(
        request,
        "patient/readings.html",
        name=name,
        span=span,
        spans={key: words for key, (_, words) in vitals.SPANS.items()},
        charts=[aimed(chart, targets) for chart in charts],
        kept_days=kept(recent, now, zone),
        weeks=WEEKS,
        aims=aims(recent, targets, now, zone),
        newest={one.key: (one, meaning(one, plan, targets)) for one in newest},
        withdrawn="withdrawn" in request.query_params,
        patient=patient,
        kept=waiting_words(request),
    )


ROUTES: list[BaseRoute] = [Route("/readings", page)]
