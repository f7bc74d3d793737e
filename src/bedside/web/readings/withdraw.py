""" "That was not me": a reading is taken back with its reason, its alarm is told, and the history keeps it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.errors import Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.kit.places import N_
from bedside.web.patient.meaning import latest_of
from bedside.web.patient.whose import whose

REASONS = (
    ("another-person", N_("Somebody else used the device")),
    ("typing", N_("I typed it wrong")),
    ("device", N_("The device was not put on right")),
    ("other", N_("Something else")),
)


async def page(request: Request) -> Response:
    """Why? Asked once, so that nobody wonders later."""
    return await _page(request, None)


async def keep(request: Request) -> Response:
    """Withdraw it."""
    form = await request.form()
    reason, reading = str(form.get("reason", "")), str(form.get("reading", ""))
    if reason not in dict(REASONS):
        return await _page(request, Invalid(N_("Choose a reason."), where="reason"), reading)
    async with access.work(ctx_of(request), "took a reading back") as ctx:
        patient, _ = await whose(request, ctx)
        await monitoring.withdraw(ctx, reading, f"that was not me: {reason}")
    staff = "id" in request.path_params
    return RedirectResponse(f"/patients/{patient}" if staff else "/readings?withdrawn=1", 303)


async def _page(request: Request, error: Invalid | None, reading: str | None = None) -> Response:
    staff, which = "id" in request.path_params, reading or request.query_params.get("reading", "")
    async with access.work(ctx_of(request), "asked to take a reading back", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        found = await monitoring.one_reading(ctx, patient, which)
    return render(
        request,
        "readings/withdraw.html",
        error.status if error else 200,
        reading=which,
        shown=latest_of(found),
        withdrawn=not found,
        reasons=REASONS,
        error=error,
        name=name,
        staff=staff,
        home=f"/patients/{patient}" if staff else "/readings",
    )


ROUTES: list[BaseRoute] = [
    Route("/readings/withdraw", page, methods=["GET"]),
    Route("/readings/withdraw", keep, methods=["POST"]),
    Route("/patients/{id}/withdraw", page, methods=["GET"]),
    Route("/patients/{id}/withdraw", keep, methods=["POST"]),
]
