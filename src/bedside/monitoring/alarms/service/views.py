"""What others may see of alarms and scores, and whether anybody watches now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.monitoring.alarms.model import Alarm, worst_first
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import timers, watch
from bedside.monitoring.alarms.store.timers import Opening
from bedside.monitoring.rules.model import limits, news2
from bedside.monitoring.rules.model.limits import Plan
from bedside.monitoring.rules.model.news2 import News2Result

MOST = 500


async def alarms(
    ctx: Ctx,
    *,
    patient: str | None = None,
    patients: Iterable[str] | None = None,
    place: str | None = None,
    open_only: bool = True,
    limit: int = MOST,
) -> list[Alarm]:
    """Alarms that the actor may see: open ones worst first, else newest first; at most `limit`. Raises Forbidden for
    a patient the actor may not see; a list of a place or of all is only of those they may.
    """
    if patient is not None or patients is not None:
        wanted: frozenset[str] | None = frozenset({patient} if patient else ()) | frozenset(patients or ())
        for one in wanted or ():
            await access.authorise(ctx, one, "R", what="alarm")
    else:
        wanted = await access.visible(ctx, what="alarm")
        if place is not None:
            there = frozenset(stay.patient for stay in await access.patients_at(ctx, place))
            wanted = there if wanted is None else wanted & there
    found = await store.many(ctx.sql, ctx.tenant, patients=wanted, open_only=open_only, limit=limit)
    for alarm in found:
        ctx.trail.patients.setdefault(alarm.patient, set()).add("R")
    return worst_first(found) if open_only else found


async def alarm(ctx: Ctx, id: str) -> Alarm:
    """One alarm with its history. Raises NotFound, Forbidden."""
    found = await store.one(ctx.sql, ctx.tenant, id)
    if found is None:
        raise NotFound("There is no such alarm.")
    await access.authorise(ctx, found.patient, "R", what="alarm")
    ctx.trail.entities.append(f"Alarm/{id}")
    return replace(found, events=await store.history(ctx.sql, ctx.tenant, id))


async def scores(ctx: Ctx, patients: Sequence[str]) -> dict[str, News2Result]:
    """NEWS2 of each now, from the newest values that the judge knows."""
    now = ctx.clock.now()
    for patient in patients:
        await access.authorise(ctx, patient, "R", what="score")
    return {
        memory.patient: news2.score(memory.newest, memory.profile, now)
        for memory in await watch.read(ctx.sql, ctx.tenant, patients)
    }


async def score(ctx: Ctx, patient: str) -> News2Result:
    """NEWS2 of one patient now, with its inputs and what is missing or stale."""
    return (await scores(ctx, [patient]))[patient]


async def plans(ctx: Ctx, patients: Sequence[str]) -> dict[str, Plan]:
    """The limits that hold for each patient."""
    for patient in patients:
        await access.authorise(ctx, patient, "R", what="alarm")
    today = ctx.clock.now().date()
    return {
        memory.patient: limits.plan(memory.profile, memory.own, today)
        for memory in await watch.read(ctx.sql, ctx.tenant, patients)
    }


@dataclass(frozen=True, slots=True)
class Watched:
    """Whether anybody watches a patient's readings now. opens_at: when next, None when now or never."""

    now: bool
    places: tuple[str, ...]
    opens_at: datetime | None = None


async def watched(ctx: Ctx, patient: str) -> Watched:
    """By the hours of the places that watch the patient; a place without hours is watched around the clock."""
    await access.authorise(ctx, patient, "R", what="alarm")
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


async def set_hours(ctx: Ctx, place: str, openings: Iterable[tuple[int, time, time]], zone: str) -> None:
    """When a place is watched: (ISO weekday, opens, closes) in the zone; none at all means around the clock.

    An administrator's matter. Raises Invalid, Forbidden.
    """
    if ctx.actor.kind == "person":
        await access.require(ctx, "administrator")
    rows = [Opening(place, weekday, opens, closes, zone) for weekday, opens, closes in openings]
    if any(one.weekday not in range(1, 8) or one.opens >= one.closes for one in rows):
        raise Invalid("A day has hours that open before they close.", where="hours")
    await timers.put_hours(ctx.sql, ctx.tenant, place, rows)
    ctx.trail.wrote = True
