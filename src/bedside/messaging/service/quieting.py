"""Quiet hours that people set, and what waits for their end."""

from __future__ import annotations

from datetime import time

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.messaging import store
from bedside.messaging.service.routing import PEOPLE
from bedside.messaging.service.sending import ask_delivery, quiet_until


async def quiet_hours(ctx: Ctx) -> tuple[time, time] | None:
    """When one's own quiet hours begin and end, by the clock of one's own zone; None without any."""
    return await store.quiet(ctx.sql, ctx.tenant, ctx.actor.id)


async def set_quiet_hours(ctx: Ctx, hours: tuple[time, time] | None) -> None:
    """One's own, or none; what waits keeps to them from now on. Raises Forbidden, Invalid."""
    await access.require(ctx, *PEOPLE)
    if hours is not None and hours[0] == hours[1]:
        raise Invalid("Quiet hours end at another time than they begin.", where="quiet")
    person = await access.person(ctx, ctx.actor.id)
    await store.put_quiet(ctx.sql, ctx.tenant, person.id, hours)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{person.id}")
    at = await quiet_until(ctx, person) or ctx.clock.now()
    for waits, due in await store.waiting_of(ctx.sql, ctx.tenant, person.id):
        if at != due:
            await store.put_off(ctx.sql, ctx.tenant, waits, at)
            # A job that is to run earlier finds that it is early.
            await ask_delivery(ctx, waits, at)
