"""/patients/calls: who cannot sign in and asks to be called; who that may be, and what came of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician.duplicates import DETAILS, GRADES
from bedside.web.desk import form as desk
from bedside.web.kit import render
from bedside.web.kit.places import N_

HERE = "/patients/calls"
CAME = {
    "not-reached": N_("Nobody answered, several times"),
    "not-sure": N_("Not sure that it was them: no code"),
    "nobody": N_("Nobody like them is a patient here"),
}


async def listing(request: Request) -> Response:
    """GET: those who wait, the longest first."""
    async with access.work(ctx_of(request), "looked who asks to be called", readonly=True) as ctx:
        found = await access.calling.waiting(ctx)
    return render(request, "desk/calls.html", found=found, done="done" in request.query_params)


async def page(request: Request) -> Response:
    """GET: one of them, and who of the clinic it may be."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    await access.require(ctx_of(request), *access.calling.CARE)
    await access.limits.spend(ctx_of(request), "registering", ctx_of(request).actor.id)
    async with access.work(ctx_of(request), "looked at a request to be called") as ctx:
        one = await access.calling.one(ctx, request.path_params["call"])
        typed = dict.fromkeys(desk.FIELDS, "") | {"given": one.given, "family": one.family, "birth": one.birth}
        likely = await records.likely(ctx, desk.patient(typed), but=one.id)
    return render(
        request,
        "desk/call.html",
        error.status if error else 200,
        one=one,
        likely=likely,
        details=DETAILS,
        grades=GRADES,
        came=CAME,
        error=error,
    )


async def close(request: Request) -> Response:
    """POST: what came of it, where no code was handed out."""
    outcome = str((await request.form()).get("outcome") or "")
    try:
        if outcome not in CAME:
            raise Invalid(N_("Choose one."), where="outcome")
        async with access.work(ctx_of(request), "answered a request to be called") as ctx:
            await access.calling.close(ctx, request.path_params["call"], outcome)
    except Invalid as error:
        return await _page(request, error)
    return RedirectResponse(f"{HERE}?done", 303)


ROUTES: list[BaseRoute] = [
    Route(HERE, listing),
    Route(f"{HERE}/{{call}}", page),
    Route(f"{HERE}/{{call}}", close, methods=["POST"]),
]
