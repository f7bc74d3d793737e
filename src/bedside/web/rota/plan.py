"""One place's plan: its zone, its duties, and the form that adds one."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.rota.words import DAYS, times, weekdays


async def page(request: Request) -> Response:
    """GET /admin/rota/{place}."""
    return await _page(request, request.path_params["place"])


async def _page(
    request: Request, place: str, error: BedsideError | None = None, typed: dict[str, Any] | None = None
) -> Response:
    async with access.work(ctx_of(request), "opened the on-call plan of a place", readonly=True) as ctx:
        there, duties = await access.rota.planned(ctx, place)
        colleagues = await access.rota.colleagues(ctx)
    page = page_of(request)
    today = page.now.astimezone(page.zone).date()
    blank = {"when": "always", "first": today.isoformat(), "step": "1", "begins": "08:00", "ends": "16:00"}
    return render(
        request,
        "rota/plan.html",
        error.status if error else 200,
        place=there,
        duties=duties,
        colleagues=colleagues,
        days=DAYS,
        weekdays=weekdays,
        times=times,
        zones=sorted(available_timezones()),
        clinic_zone=request.app.state.clinic.zone,
        error=error,
        typed=typed or blank,
        chosen=(typed or {}).get("days", [str(day) for day in range(1, 6)]),
        done=next((word for word in ("added", "ended", "zone") if word in request.query_params), None),
    )


async def add(request: Request) -> Response:
    """POST: plan a duty; what is wrong is said beside its field."""
    place = request.path_params["place"]
    sent = await request.form()
    form: dict[str, Any] = {**sent, "days": [str(day) for day in sent.getlist("days")]}
    try:
        person, _, role = str(form.get("person") or "").partition(" ")
        async with access.work(ctx_of(request), "planned a duty") as ctx:
            await access.rota.add_duty(
                ctx,
                person=person,
                place=place,
                role=role,
                step=_step(str(form.get("step") or "")),
                first=_day(form, "first"),
                last=_day(form, "last") if form.get("last") else None,
                hours=_hours(form),
            )
    except (Invalid, Conflict) as error:
        return await _page(request, place, error, form)
    return RedirectResponse(f"/admin/rota/{place}?added", 303)


def _step(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _day(form: dict[str, Any], name: str) -> date:
    try:
        return date.fromisoformat(str(form.get(name) or ""))
    except ValueError:
        raise Invalid("Write a day.", where=name) from None


def _hours(form: dict[str, Any]) -> tuple[list[int], time, time] | None:
    if form.get("when") != "hours":
        return None
    read = []
    for name in ("begins", "ends"):
        try:
            read.append(time.fromisoformat(str(form.get(name) or "")))
        except ValueError:
            raise Invalid("A time is written as 08:30.", where=name) from None
    days = [int(day) for day in form["days"] if day in {str(one) for one in DAYS}]
    return days, read[0], read[1]


async def end(request: Request) -> Response:
    """POST: a duty ends now."""
    place = str((await request.form()).get("place") or "")
    try:
        async with access.work(ctx_of(request), "ended a duty") as ctx:
            await access.rota.end_duty(ctx, request.path_params["id"])
    except Conflict as error:
        return await _page(request, place, error)
    return RedirectResponse(f"/admin/rota/{place}?ended", 303)


async def zone(request: Request) -> Response:
    """POST: in which zone the place's duties are planned."""
    place = request.path_params["place"]
    form = dict(await request.form())
    try:
        async with access.work(ctx_of(request), "set the time zone of a place") as ctx:
            await access.rota.set_zone(ctx, place, str(form.get("zone") or "").strip())
    except Invalid as error:
        return await _page(request, place, error)
    return RedirectResponse(f"/admin/rota/{place}?zone", 303)
