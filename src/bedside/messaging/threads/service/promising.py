"""By when the site answers."""

from __future__ import annotations

from datetime import datetime

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.messaging.threads.model.promise import Promise
from bedside.messaging.threads.store import choices as store

LONGEST = 14
"""Working days: later is no answer."""


async def promise(ctx: Ctx) -> Promise:
    """What the site promises; nobody is refused: it stands beside every form."""
    return await store.promise(ctx.sql, ctx.tenant) or Promise()


async def by_when(ctx: Ctx, at: datetime | None = None) -> datetime | None:
    """By when a message of now (or at) is answered, UTC; None for a site that promises nothing."""
    clinic = await access.clinics.clinic(ctx)
    return (await promise(ctx)).until(at or ctx.clock.now(), clinic.zone if clinic else "UTC")


async def set_promise(ctx: Ctx, said: Promise) -> None:
    """From now on this is promised; what was promised stays so. An administrator's. Raises Forbidden, Invalid."""
    await access.require(ctx, "administrator")
    if not 0 <= said.days <= LONGEST:
        raise Invalid("From 0 to %(most)s working days.", where="days", most=LONGEST)
    if not said.weekdays or not said.weekdays <= set(range(1, 8)):
        raise Invalid("Choose at least one day of the week.", where="weekdays")
    await store.put_promise(ctx.sql, ctx.tenant, said, ctx.actor.name, ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append("messaging/promise")
