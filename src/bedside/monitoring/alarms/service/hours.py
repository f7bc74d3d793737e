"""When a ward or programme is watched, and whether anybody watches a patient now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.monitoring.alarms.model import Opening
from bedside.monitoring.alarms.service import functions
from bedside.monitoring.alarms.store import timers

MIDNIGHT = time(0, 0)
END_OF_DAY = time.max
"""How a span that lasts until midnight is kept: a day's last microsecond."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Whether anybody watches a patient's readings now. opens_at: when next, None when now or never."""

    now: bool
    places: tuple[str, ...]
    opens_at: datetime | None = None


async def watched(ctx: Ctx, patient: str) -> Watched:
    """By the hours of the places that watch the patient; a place without hours is watched around the clock.

    Where alarms are off in this installation nobody is watched.
    """
    await access.authorise(ctx, patient, "R", what="alarm")
    if not await functions.alarms_on(ctx):
        return Watched(False, ())
    names = {place.id: place.name for place in await access.places(ctx)}
    places = [stay.place for stay in await access.places_of(ctx, patient)]
    openings = await timers.hours(ctx.sql, ctx.tenant, places)
    return in_hours(places, openings, ctx.clock.now(), names)


def in_hours(places: Sequence[str], openings: Sequence[Opening], now: datetime, names: dict[str, str]) -> Watched:
    """The pure part of `watched`: daylight saving is the zone's matter."""
    known = tuple(names.get(place, place) for place in places)
    if not places:
        return Watched(False, ())
    by_place: dict[str, list[Opening]] = {place: [] for place in places}
    for one in openings:
        by_place[one.place].append(one)
    if any(not found for found in by_place.values()):
        return Watched(True, known)
    next_open: datetime | None = None
    for one in openings:
        zone = ZoneInfo(one.zone)
        today = now.astimezone(zone).date()
        for ahead in range(8):
            day = today + timedelta(days=ahead)
            if day.isoweekday() != one.weekday:
                continue
            opens, closes = (datetime.combine(day, at, zone) for at in (one.opens, one.closes))
            if opens <= now < closes:
                return Watched(True, known)
            if opens > now and (next_open is None or opens < next_open):
                next_open = opens
    return Watched(False, known, next_open)


async def hours(ctx: Ctx) -> dict[str, list[Opening]]:
    """The openings of every ward and programme, by its id, in the order of the week; none: around the clock.

    An administrator's matter. Raises Forbidden.
    """
    await access.require(ctx, "administrator")
    found: dict[str, list[Opening]] = {
        place.id: [] for place in await access.places(ctx) if place.kind in {"ward", "programme"}
    }
    for one in await timers.hours(ctx.sql, ctx.tenant, list(found)):
        found[one.place].append(one)
    return found


async def set_hours(ctx: Ctx, place: str, openings: Iterable[tuple[int, time, time]], zone: str) -> None:
    """When a place is watched: (ISO weekday, opens, closes) in the zone; none at all means around the clock.

    closes at 0:00 is the midnight that ends the day; a night's watch is two spans. An administrator's matter. Raises
    Invalid (where: the weekday's number, or zone), NotFound, Forbidden.
    """
    if ctx.actor.kind == "person":
        await access.require(ctx, "administrator")
    if place not in {one.id for one in await access.places(ctx) if one.kind in {"ward", "programme"}}:
        raise NotFound("There is no such ward or programme.")
    if zone not in available_timezones():
        raise Invalid("There is no such time zone.", where="zone", remedy="Write it as Europe/Madrid.")
    rows = sorted(
        (
            Opening(place, day, opens, END_OF_DAY if closes == MIDNIGHT else closes, zone)
            for day, opens, closes in openings
        ),
        key=lambda one: (one.weekday, one.opens),
    )
    for one in rows:
        if one.weekday not in range(1, 8):
            raise Invalid("A weekday is 1, Monday, to 7, Sunday.", where=str(one.weekday))
        if one.opens >= one.closes:
            raise Invalid(
                "This day closes before it opens.",
                where=str(one.weekday),
                remedy="A watch over midnight is two: until 0:00, and from 0:00 on the next day.",
            )
    for one, other in pairwise(rows):
        if one.weekday == other.weekday and other.opens < one.closes:
            raise Invalid("The two spans of this day overlap.", where=str(one.weekday))
    await timers.put_hours(ctx.sql, ctx.tenant, place, rows)
    ctx.trail.entities.append(f"place/{place}")
    ctx.trail.wrote = True
