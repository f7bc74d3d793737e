"""A patient's targets: what a clinician hopes for, metric by metric, with why, and all that was set before."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import SAME
from bedside.web.kit.places import N_
from bedside.web.kit.written import translator
from bedside.web.wall.words import LIMITED

NOTHING = {"metric": "systolic", "low": "", "high": "", "reason": ""}
UNITS = LIMITED | {"bmi": "kg/m2"}


async def page(request: Request) -> Response:
    """GET /patients/{id}/targets."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked at a patient's targets", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        name = name_of(await records.read(ctx, "Patient", patient))
        held = await monitoring.targets(ctx, patient)
        before = await monitoring.target_history(ctx, patient)
    translate = translator(page_of(request).language)
    return render(
        request,
        "clinician/targets.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        held=list(held.values()),
        ours={one.id for one in before},
        before=before,
        typed=typed or NOTHING,
        error=error,
        named={key: f"{translate(words.metric(key))} ({SAME[ucum].word})" for key, ucum in UNITS.items()},
        units=UNITS,
        metric=words.metric,
        done="done" in request.query_params,
    )


async def keep(request: Request) -> Response:
    """POST: set a target, with the reason."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in NOTHING}
    try:
        target = monitoring.Target(typed["metric"], _end(typed, "low"), _end(typed, "high"), typed["reason"])
        async with access.work(ctx_of(request), "set a patient's target") as ctx:
            await monitoring.set_target(ctx, request.path_params["id"], target)
    except Invalid as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/patients/{request.path_params['id']}/targets?done=1", 303)


async def end(request: Request) -> Response:
    """POST: a target no longer holds, with the reason."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "ended a patient's target") as ctx:
            reason = str(form.get("reason") or "")
            await monitoring.end_target(ctx, request.path_params["id"], str(form.get("metric") or ""), reason)
    except Invalid as error:
        return await _page(request, Invalid(error.message, where="ending"))
    return RedirectResponse(f"/patients/{request.path_params['id']}/targets?done=1", 303)


def _end(typed: dict[str, str], name: str) -> float | None:
    """An end as typed, None for an empty one. Raises Invalid."""
    try:
        return float(typed[name].replace(",", ".")) if typed[name] else None
    except ValueError:
        raise Invalid(N_("Only a number, please."), where=name) from None


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/targets", page, methods=["GET"]),
    Route("/patients/{id}/targets", keep, methods=["POST"]),
    Route("/patients/{id}/targets/end", end, methods=["POST"]),
]
