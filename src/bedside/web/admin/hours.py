"""When each ward and programme is watched: the administrator sees it, and sets it for one of them."""

from __future__ import annotations

from datetime import time
from typing import Any
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, monitoring
from bedside.foundation.errors import N_, BedsideError, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

DAYS = {
    1: N_("Monday"),
    2: N_("Tuesday"),
    3: N_("Wednesday"),
    4: N_("Thursday"),
    5: N_("Friday"),
    6: N_("Saturday"),
    7: N_("Sunday"),
}
SPANS = (1, 2)
"""How many spans of a day the form has: a pause at noon, or the two ends of a night."""
SAID = (
    N_("There is no such time zone."),
    N_("Write it as Europe/Madrid."),
    N_("This day closes before it opens."),
    N_("A watch over midnight is two: until 0:00, and from 0:00 on the next day."),
    N_("The two spans of this day overlap."),
    N_("Write both times, or neither."),
    N_("A time is written as 08:30."),
    N_("Write the hours of at least one day, or choose around the clock."),
)


async def listing(request: Request) -> Response:
    """GET: every ward and programme with its hours."""
    async with access.work(ctx_of(request), "opened the monitoring hours", readonly=True) as ctx:
        known = await monitoring.hours(ctx)
        names = {place.id: place.name for place in await access.places(ctx)}
    rows = [(key, names[key], by_day(found), found[0].zone if found else "") for key, found in known.items()]
    rows.sort(key=lambda row: row[1])
    return render(request, "admin/hours.html", rows=rows, days=DAYS, done="set" in request.query_params)


def by_day(openings: list[monitoring.Opening]) -> dict[int, list[str]]:
    """Each watched day's spans as they are read."""
    found: dict[int, list[str]] = {}
    for one in openings:
        found.setdefault(one.weekday, []).append(f"{_clock(one.opens)}–{_clock(one.closes, end=True)}")
    return found


def _clock(at: time, *, end: bool = False) -> str:
    return "24:00" if end and at == time.max else f"{at:%H:%M}"


async def edit(request: Request) -> Response:
    """GET: the form of one place."""
    return await _form(request)


async def _form(request: Request, error: BedsideError | None = None, typed: dict[str, Any] | None = None) -> Response:
    place = request.path_params["place"]
    async with access.work(ctx_of(request), "opened the monitoring hours", readonly=True) as ctx:
        known = await monitoring.hours(ctx)
        if place not in known:
            raise NotFound("There is no such ward or programme.")
        (name,) = [one.name for one in await access.places(ctx) if one.id == place]
    return render(
        request,
        "admin/hours_form.html",
        error.status if error else 200,
        place=place,
        name=name,
        values=typed if typed is not None else _values(known[place], request.app.state.clinic.zone),
        days=DAYS,
        spans=SPANS,
        zones=sorted(available_timezones()),
        error=error,
    )


def _values(openings: list[monitoring.Opening], zone: str) -> dict[str, str]:
    found = {"when": "hours" if openings else "always", "zone": openings[0].zone if openings else zone}
    for day in DAYS:
        for n, one in enumerate((one for one in openings if one.weekday == day), 1):
            found[f"opens-{day}-{n}"] = _clock(one.opens)
            # The field of a time of day knows no 24:00.
            found[f"closes-{day}-{n}"] = "00:00" if one.closes == time.max else _clock(one.closes)
    return found


def _time(text: str, day: int) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise Invalid("A time is written as 08:30.", where=str(day)) from None


def read(form: dict[str, Any]) -> list[tuple[int, time, time]]:
    """The spans of the form. Raises Invalid, where naming the weekday."""
    if form.get("when") != "hours":
        return []
    spans = []
    for day in DAYS:
        for n in SPANS:
            opens, closes = (str(form.get(f"{name}-{day}-{n}") or "").strip() for name in ("opens", "closes"))
            if bool(opens) != bool(closes):
                raise Invalid("Write both times, or neither.", where=str(day))
            if opens:
                spans.append((day, _time(opens, day), _time(closes, day)))
    if not spans:
        raise Invalid("Write the hours of at least one day, or choose around the clock.", where="when")
    return spans


async def save(request: Request) -> Response:
    """POST: set them; what is wrong is said beside its day, with what was typed."""
    form = dict(await request.form())
    try:
        async with access.work(ctx_of(request), "set monitoring hours") as ctx:
            await access.require(ctx, "administrator")
            zone = str(form.get("zone") or "").strip()
            await monitoring.set_hours(ctx, request.path_params["place"], read(form), zone)
    except Invalid as error:
        return await _form(request, error, form)
    return RedirectResponse("/admin/hours?set", 303)
