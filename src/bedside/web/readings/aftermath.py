"""After a reading: what it means; after a high pressure rest, repeat and the danger symptoms, which raise an alarm."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.errors import Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.patient.meaning import HIGH_PRESSURE, latest_of, meaning
from bedside.web.patient.whose import whose


async def sent(request: Request) -> Response:
    """What was just sent, and what it means, or that it was taken back.

    A pressure that raised an alarm leads to rest, repeat and symptoms.
    """
    async with access.work(ctx_of(request), "saw what a reading means", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        # This one, not the newest: what a device sent meanwhile would be shown, and taken back, in its place.
        found = await monitoring.one_reading(ctx, patient, request.path_params["reading"])
        plan = (await monitoring.plans(ctx, [patient])).get(patient)
        watched = await monitoring.watched(ctx, patient)
        alarms = await monitoring.alarms(ctx, patient=patient)
    shown = latest_of(found)
    return render(
        request,
        "readings/sent.html",
        reading=shown,
        withdrawn=not found,
        meaning=meaning(shown, plan) if shown else None,
        high=any(a.cause in HIGH_PRESSURE for a in alarms) and shown is not None and shown.key == "blood-pressure",
        watched=watched,
        symptoms=monitoring.DANGER_SYMPTOMS,
    )


async def rest(request: Request) -> Response:
    """After a high pressure: rest, repeat, and do you have any of these?"""
    async with access.work(ctx_of(request), "read what to do after a high pressure", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        watched = await monitoring.watched(ctx, patient)
    return render(request, "readings/rest.html", symptoms=monitoring.DANGER_SYMPTOMS, watched=watched, error=None)


async def symptoms(request: Request) -> Response:
    """Ticked symptoms: the emergency number at once, and a high alarm at the clinic."""
    form = await request.form()
    ticked = [str(v) for v in form.getlist("symptom")]
    try:
        async with access.work(ctx_of(request), "reported danger symptoms") as ctx:
            patient, _ = await whose(request, ctx)
            if ticked:
                await monitoring.report_symptoms(ctx, patient, ticked)
    except Invalid as error:
        return render(
            request,
            "readings/rest.html",
            error.status,
            symptoms=monitoring.DANGER_SYMPTOMS,
            watched=None,
            error=error,
        )
    if not ticked:
        return RedirectResponse("/home", 303)
    return render(request, "readings/danger.html", ticked=[monitoring.DANGER_SYMPTOMS[t] for t in ticked])


ROUTES: list[BaseRoute] = [
    Route("/readings/sent/{reading}", sent),
    Route("/readings/rest", rest),
    Route("/readings/symptoms", symptoms, methods=["POST"]),
]
