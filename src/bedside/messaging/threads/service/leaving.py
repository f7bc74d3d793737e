"""The conversations of somebody who works here no longer go to a colleague or back to the team (hazard H103)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.messaging.threads.model.thread import Event
from bedside.messaging.threads.service.finding import CLINIC
from bedside.messaging.threads.service.telling import tell
from bedside.messaging.threads.store import choices
from bedside.messaging.threads.store import threads as store

FAR = timedelta(days=2 * 366)
"""Beyond any absence."""


async def held(ctx: Ctx, person: str) -> int:
    """How many open threads they have taken. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return len(await store.held(ctx.sql, ctx.tenant, person, lock=False))


async def hand_on(ctx: Ctx, person: access.Person, to: access.Person | None) -> int:
    """All to a colleague, who is told; to None, or one who answers no patient: to each patient's team. Their absences,
    and those in which they stand in, end. Returns how many. An administrator's. Raises Forbidden."""
    await access.require(ctx, "administrator")
    now = ctx.clock.now()
    heir = to if to is not None and to.roles & CLINIC else None
    found = await store.held(ctx.sql, ctx.tenant, person.id, lock=True)
    for thread in found:
        ctx.trail.patients.setdefault(thread.patient, set()).add("U")
        moved = replace(thread, assigned=heir.id if heir else None, assigned_name=heir.name if heir else None)
        await store.update(ctx.sql, ctx.tenant, moved)
        event = Event(now, person.id, person.name, "handed", heir.name if heir else "")
        await store.add_event(ctx.sql, ctx.tenant, thread.id, event)
    for away in await choices.aways(ctx.sql, ctx.tenant, now, now + FAR, involving=[person.id]):
        await choices.end_away(ctx.sql, ctx.tenant, away.id, now)
        await access.unrelate(ctx, source=f"away/{away.id}")
    if found and heir:
        await tell(ctx, [heir.id], "messaging.handed")
    return len(found)
