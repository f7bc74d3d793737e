"""Me: language, units, light or dark, signing out everywhere, and who looked at my record."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.http import ctx_of
from bedside.web.entry import quiet, shown, told_by
from bedside.web.kit import page_of, render
from bedside.web.patient.looked import lines
from bedside.web.patient.whose import whose

LISTED = 50


async def page(request: Request) -> Response:
    """GET /me."""
    async with access.work(ctx_of(request), "opened their own page", readonly=True) as ctx:
        await access.require(ctx, "patient", "caregiver")
        person = await access.person(ctx, ctx.actor.id)
        silence = await messaging.quiet_hours(ctx)
        channel = await messaging.told_by(ctx)
    theme = page_of(request).theme
    return render(
        request,
        "patient/me.html",
        person=person,
        theme=theme,
        saved="saved" in request.query_params,
        silence=silence,
        channel=channel,
        quiet_error=request.query_params.get("quiet"),
        zones=shown.zones(),
        zone_error="zone" in request.query_params,
    )


async def who_looked(request: Request) -> Response:
    """GET /me/who-looked: the audit of one's own record in words, newest first."""
    before = request.query_params.get("before")
    async with access.work(ctx_of(request), "looked who had looked", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        found = await access.who_looked(ctx, patient, before=before, limit=LISTED)
    return render(
        request,
        "patient/who_looked.html",
        lines=lines(found, ctx_of(request).actor.id, own=not page_of(request).acting_for),
        older=found[-1].id if len(found) == LISTED else None,
        first=before is None,
    )


ROUTES: list[BaseRoute] = [
    Route("/me", page, methods=["GET"]),
    Route("/me", shown.save, methods=["POST"]),
    Route("/me/quiet", quiet.save, methods=["POST"]),
    Route("/me/told-by", told_by.save, methods=["POST"]),
    Route("/me/who-looked", who_looked),
]
