"""Whom a patient lets in, and which of them are told when there is an alarm."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import render


async def page(request: Request) -> Response:
    """GET /me/caregivers."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "opened whom they let in", readonly=True) as ctx:
        found = await access.caregivers.of_patient(ctx, await _mine(ctx))
    return render(
        request,
        "patient/caregivers.html",
        error.status if error else 200,
        people=[(one, access.caregivers.reads_alarms(one)) for one in found],
        error=error,
        saved="saved" in request.query_params,
    )


async def _mine(ctx: Ctx) -> str:
    await access.require(ctx, "patient")
    patient = (await access.person(ctx, ctx.actor.id)).patient
    if patient is None:
        raise Forbidden("Only the patient decides this.")
    return patient


async def save(request: Request) -> Response:
    """POST /me/caregivers/{person}: told of alarms, or not."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "chose who is told of alarms") as ctx:
            person = request.path_params["person"]
            await access.caregivers.set_alerts(ctx, await _mine(ctx), person, on=form.get("alerts") == "yes")
    except (Conflict, NotFound) as error:
        return await _page(request, error)
    return RedirectResponse("/me/caregivers?saved=1", 303)


ROUTES: list[BaseRoute] = [
    Route("/me/caregivers", page),
    Route("/me/caregivers/{person}", save, methods=["POST"]),
]
