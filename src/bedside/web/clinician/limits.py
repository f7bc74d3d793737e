"""Which limits judge a patient, each with its source; their own above the defaults; the SpO2 scale of NEWS2."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import SAME
from bedside.web.kit.places import N_
from bedside.web.kit.written import translator
from bedside.web.wall.words import CAUSES, LIMITED, PRIORITIES, SIDES, WITHOUT

NOTHING = {"metric": "systolic", "comparison": ">=", "limit": "", "priority": "medium", "reason": "", "off": ""}


async def page(request: Request) -> Response:
    """GET /patients/{id}/limits."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked at a patient's limits", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        name = name_of(await records.read(ctx, "Patient", patient))
        plan = await monitoring.limits(ctx, patient)
        own = await monitoring.own_limits(ctx, patient)
    translate = translator(page_of(request).language)
    return render(
        request,
        "clinician/limits.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        plan=plan,
        own=own,
        typed=typed or NOTHING,
        error=error,
        limited=LIMITED,
        named={key: f"{translate(words.metric(key))} ({SAME[ucum].word})" for key, ucum in LIMITED.items()},
        sides=SIDES,
        priorities=PRIORITIES,
        metric=words.metric,
        causes=CAUSES,
        without=WITHOUT,
        done="done" in request.query_params,
    )


async def keep(request: Request) -> Response:
    """Set one of a patient's own limits, or switch a default off, with the reason."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in NOTHING}
    try:
        limit = taken(typed)
        async with access.work(ctx_of(request), "set a patient's own limit") as ctx:
            await _allowed(ctx)
            await monitoring.set_limits(ctx, request.path_params["id"], [limit])
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


def taken(typed: dict[str, str]) -> monitoring.PatientLimit:
    """The form as monitoring takes it. Raises Invalid naming the field."""
    if typed["metric"] not in LIMITED:
        raise Invalid(N_("Choose what the limit is for."), where="metric")
    if typed["off"] == "yes":
        value = None
    else:
        try:
            value = float(typed["limit"].replace(",", "."))
        except ValueError:
            raise Invalid(N_("Only a number, please."), where="limit") from None
        if not monitoring.possible(typed["metric"], value):
            raise Invalid(N_("No value can lie there: check the number and its unit."), where="limit")
    if not typed["reason"]:
        raise Invalid(N_("Say why this patient has a limit of their own."), where="reason")
    return monitoring.PatientLimit(typed["metric"], typed["comparison"], value, typed["priority"], typed["reason"])  # type: ignore[arg-type]


async def drop(request: Request) -> Response:
    """Take one of a patient's own limits away: the default of its place holds again."""
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("metric", "comparison", "priority")}
    async with access.work(ctx_of(request), "took a patient's own limit away") as ctx:
        await _allowed(ctx)
        limit = monitoring.PatientLimit(typed["metric"], typed["comparison"], None, typed["priority"])  # type: ignore[arg-type]
        await monitoring.drop_limit(ctx, request.path_params["id"], limit)
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


async def scale(request: Request) -> Response:
    """The SpO2 scale of NEWS2: 2 for a target of 88-92 %, set by a clinician, with the reason."""
    form = await request.form()
    wanted = 2 if form.get("scale") == "2" else 1
    try:
        async with access.work(ctx_of(request), "set a patient's SpO2 scale") as ctx:
            await access.require(ctx, "clinician")
            reason = str(form.get("why") or "")
            await monitoring.set_profile(ctx, request.path_params["id"], news2_scale=wanted, reason=reason)
    except Invalid as error:
        return await _page(request, Invalid(error.message, where="why", remedy=error.remedy))
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


async def _allowed(ctx: Ctx) -> None:
    """Limits are a clinician's decision: a nurse reads them."""
    await access.require(ctx, "clinician")


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/limits", page, methods=["GET"]),
    Route("/patients/{id}/limits", keep, methods=["POST"]),
    Route("/patients/{id}/limits/drop", drop, methods=["POST"]),
    Route("/patients/{id}/limits/scale", scale, methods=["POST"]),
]
