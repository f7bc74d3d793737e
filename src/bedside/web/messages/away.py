"""Out of office: from when to when somebody is away, and who answers messages instead."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.messages import form
from bedside.web.rota.words import moment


async def page(request: Request) -> Response:
    """GET /messages/away."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, Any] | None = None) -> Response:
    async with access.work(ctx_of(request), "opened their absences", readonly=True) as ctx:
        me = ctx.actor.id
        found = await messaging.threads.aways(ctx)
        now = await messaging.threads.stand_in(ctx)
        colleagues = [one for one in await messaging.threads.colleagues(ctx) if one.id != me]
    page = page_of(request)
    today = page.now.astimezone(page.zone).date().isoformat()
    return render(
        request,
        "messages/away.html",
        error.status if error else 200,
        me=me,
        found=found,
        by_rota=now if now is not None and not now.id else None,
        colleagues=colleagues,
        error=error,
        typed=typed or {"since-day": today, "since-time": "08:00", "until-time": "08:00"},
        done=next((word for word in ("set", "ended") if word in request.query_params), None),
    )


async def add(request: Request) -> Response:
    """POST: I am away."""
    given = dict(await request.form())
    try:
        zone = page_of(request).zone
        since, until = moment(given, "since", zone), moment(given, "until", zone)
        async with access.work(ctx_of(request), "went out of office") as ctx:
            await messaging.threads.go_away(ctx, substitute=str(given.get("by") or ""), since=since, until=until)
    except BedsideError as error:
        return await _page(request, form.again(error), given)
    return RedirectResponse("/messages/away?set", 303)


async def end(request: Request) -> Response:
    """POST: I am back."""
    async with access.work(ctx_of(request), "came back to the office") as ctx:
        await messaging.threads.back(ctx, request.path_params["id"])
    return RedirectResponse("/messages/away?ended", 303)


ROUTES: list[BaseRoute] = [
    Route("/messages/away", page),
    Route("/messages/away", add, methods=["POST"]),
    Route("/messages/away/{id}/end", end, methods=["POST"]),
]
