"""What others may see of alarms and scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.model import Alarm, worst_first
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.rules.model import limits, news2, spot
from bedside.monitoring.rules.model.limits import Plan
from bedside.monitoring.rules.model.news2 import News2Result

MOST = 500
"""Of those that are not only open, unless somebody asks for fewer."""


async def alarms(
    ctx: Ctx,
    *,
    patient: str | None = None,
    patients: Iterable[str] | None = None,
    place: str | None = None,
    open_only: bool = True,
    limit: int = MOST,
    raised: bool = True,
) -> list[Alarm]:
    """Alarms that the actor may see: all that are open, worst first; else the newest `limit`. Raises Forbidden for a
    patient the actor may not see; a list of a place or of all is only of those they may. raised False, with open_only
    False: those instead that were over within their delay and told nobody. What still waits is in no list.
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
    # What is open is never cut off: the oldest of them has waited longest.
    most = None if open_only else limit
    found = await store.many(ctx.sql, ctx.tenant, patients=wanted, open_only=open_only, limit=most, raised=raised)
    for alarm in found:
        ctx.trail.patients.setdefault(alarm.patient, set()).add("R")
    return worst_first(found) if open_only else found


async def alarm(ctx: Ctx, id: str) -> Alarm:
    """One alarm with its history. Raises NotFound, Forbidden."""
    found = await store.one(ctx.sql, ctx.tenant, id)
    if found is None:
        raise await access.absent(ctx, "R", "alarm", "There is no such alarm.")
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


async def spot_scores(ctx: Ctx, patient: str) -> list[spot.Spot]:
    """qSOFA and MEWS of one patient now."""
    await access.authorise(ctx, patient, "R", what="score")
    (memory,) = await watch.read(ctx.sql, ctx.tenant, [patient])
    return spot.scores(memory.newest, memory.profile, ctx.clock.now())


async def plans(ctx: Ctx, patients: Sequence[str]) -> dict[str, Plan]:
    """The limits that hold for each patient."""
    for patient in patients:
        await access.authorise(ctx, patient, "R", what="alarm")
    today = ctx.clock.now().date()
    return {
        memory.patient: limits.plan(memory.profile, memory.own, today)
        for memory in await watch.read(ctx.sql, ctx.tenant, patients)
    }
