"""One's own duties: what is planned, when one is asked, and who stands in; ill, one names somebody oneself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.rota.words import moment, stretches, times, weekdays

SHOWN = 28


async def page(request: Request) -> Response:
    """GET /duties."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, Any] | None = None) -> Response:
    async with access.work(ctx_of(request), "opened their duties", readonly=True) as ctx:
        me = ctx.actor.id
        duties, turns, substitutes = await access.rota.mine(ctx)
        colleagues = [one for one in await access.rota.colleagues(ctx) if one[0] != me]
        places = {place.id: place for place in await access.places(ctx)}
    page = page_of(request)
    today = page.now.astimezone(page.zone).date().isoformat()
    return render(
        request,
        "rota/mine.html",
        error.status if error else 200,
        me=me,
        duties=duties,
        turns=stretches(turns, me)[:SHOWN],
        substitutes=substitutes,
        colleagues=colleagues,
        places=places,
        until=page.now + timedelta(days=14) - timedelta(minutes=5),
        weekdays=weekdays,
        times=times,
        error=error,
        typed=typed or {"since-day": today, "since-time": "08:00", "until-time": "08:00"},
        done=next((word for word in ("set", "ended") if word in request.query_params), None),
    )


async def add(request: Request) -> Response:
    """POST: somebody stands in for me."""
    form = dict(await request.form())
    ctx = ctx_of(request)
    try:
        zone = page_of(request).zone
        since, until = moment(form, "since", zone), moment(form, "until", zone)
        async with access.work(ctx, "named a substitute") as inner:
            await access.rota.set_substitute(
                inner,
                person=ctx.actor.id,
                by=str(form.get("by") or ""),
                since=since,
                until=until,
                duty=str(form.get("duty") or "") or None,
            )
    except (Invalid, Conflict) as error:
        return await _page(request, error, form)
    return RedirectResponse("/duties?set", 303)


async def end(request: Request) -> Response:
    """POST: I am back."""
    try:
        async with access.work(ctx_of(request), "ended a substitution") as ctx:
            await access.rota.end_substitute(ctx, request.path_params["id"])
    except Conflict as error:
        return await _page(request, error)
    return RedirectResponse("/duties?ended", 303)
