"""The administrator's week: who is asked at each step of each place's ladder, gaps in words, and who stands in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.rota.words import shown


async def page(request: Request) -> Response:
    """GET /admin/rota; from: the first day shown."""
    return await week_page(request)


async def week_page(
    request: Request, error: BedsideError | None = None, typed: dict[str, Any] | None = None
) -> Response:
    """The week, with what was wrong about a substitute that was typed."""
    first = _first(request)
    async with access.work(ctx_of(request), "opened the on-call timetable", readonly=True) as ctx:
        weeks = await access.rota.weeks(ctx, first)
        substitutes = await access.rota.substitutes(ctx)
        colleagues = await access.rota.colleagues(ctx)
    page = page_of(request)
    today = page.now.astimezone(page.zone).date()
    names = {week.place.id: week.place.name for week in weeks}
    duties = {duty.id: duty for week in weeks for duty in week.duties}
    return render(
        request,
        "rota/week.html",
        error.status if error else 200,
        places=[shown(week) for week in weeks],
        names=names,
        away=sorted({duty.person: duty.name for duty in duties.values()}.items(), key=lambda one: one[1]),
        duties=sorted(duties.values(), key=lambda one: (one.name, names[one.place], one.step)),
        substitutes=substitutes,
        colleagues=colleagues,
        first=first,
        before=(first or today) - timedelta(days=7),
        after=(first or today) + timedelta(days=7),
        error=error,
        typed=typed or {"since-day": today.isoformat(), "since-time": "08:00", "until-time": "08:00"},
        done=next((word for word in ("set", "ended") if word in request.query_params), None),
    )


def _first(request: Request) -> date | None:
    try:
        return date.fromisoformat(request.query_params.get("from", ""))
    except ValueError:
        return None
