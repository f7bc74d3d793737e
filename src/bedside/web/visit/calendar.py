"""Calendar files: one planned visit for whoever is in it, and the secret link by which a person's calendar follows all
of them. Neither says anything of health, nor names the other one.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, visits
from bedside.foundation.errors import N_
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.visit.entry import door, patient_of

MADE = N_("made a calendar link")
ENDED = N_("ended a calendar link")


def _file(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _base(request: Request) -> str:
    return str(request.app.state.settings.public_url)


async def one(request: Request) -> Response:
    """GET /visits/{visit}.ics: for staff."""
    async with access.work(ctx_of(request), "took a visit into a calendar", readonly=True) as ctx:
        content = await visits.calendars.one(ctx, request.path_params["visit"], _base(request))
    return _file(content, "visit.ics")


async def own(request: Request) -> Response:
    """GET /visit/{visit}.ics: for the patient, signed in or let in by a link."""
    async with access.work(await patient_of(request), "took a visit into a calendar", readonly=True) as ctx:
        content = await visits.calendars.one(ctx, request.path_params["visit"], _base(request))
    return _file(content, "visit.ics")


async def page(request: Request) -> Response:
    """GET /calendar: whether a link is there, and what it is."""
    return await _page(request)


async def _page(request: Request, secret: str | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the calendar link", readonly=True) as ctx:
        stands = await visits.calendars.stands(ctx)
    link = f"{_base(request).rstrip('/')}/calendar/{secret}.ics" if secret else None
    response = render(
        request,
        "visit/calendar.html",
        staff=not page_of(request).patient,
        stands=stands,
        link=link,
        follow=f"webcal:{link.partition(':')[2]}" if link else None,
        ended="ended" in request.query_params,
    )
    if secret:
        response.headers["cache-control"] = "no-store"
    return response


async def make(request: Request) -> Response:
    """POST /calendar: a new link, shown in this answer alone."""
    async with access.work(ctx_of(request), MADE) as ctx:
        secret = await visits.calendars.make(ctx)
    return await _page(request, secret)


async def end(request: Request) -> Response:
    """POST /calendar/end."""
    async with access.work(ctx_of(request), ENDED) as ctx:
        await visits.calendars.end(ctx)
    return RedirectResponse("/calendar?ended", 303)


async def follow(request: Request) -> Response:
    """GET /calendar/{secret}.ics: what a calendar fetches by itself."""
    async with access.work(door(request), "a calendar followed the visits") as ctx:
        content = await visits.calendars.follow(ctx, request.path_params["secret"], _base(request))
    return _file(content, "visits.ics")


ROUTES: list[BaseRoute] = [
    Route("/visits/{visit}.ics", one),
    Route("/visit/{visit}.ics", own),
    Route("/calendar", page, methods=["GET"]),
    Route("/calendar", make, methods=["POST"]),
    Route("/calendar/end", end, methods=["POST"]),
    Route("/calendar/{secret}.ics", follow),
]
