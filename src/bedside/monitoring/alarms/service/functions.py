"""Functions that would need clearance as a medical device: off in a real clinic until an administrator says otherwise.

Alarms from readings are one: they process signals of devices and are time-critical (FD&C 520(o)(1)(E); MDR rule 11).
The clinic that switches them on takes that upon itself; who did, when and why is kept.
"""

from __future__ import annotations

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring import settings
from bedside.monitoring.alarms.store import functions as store
from bedside.monitoring.alarms.store.functions import Switched

ALARMS = "alarms"
LEAST = 5
"""Letters of a reason."""


class Function(msgspec.Struct, frozen=True):
    """Whether it is on, and who said so; switched None where it stands as the installation began."""

    on: bool
    switched: Switched | None = None


async def alarms(ctx: Ctx) -> Function:
    """Alarms from readings: limits, scores, silent devices."""
    found = await store.last(ctx.sql, ctx.tenant, ALARMS)
    return Function(settings.of(ctx.database).functions if found is None else found.enabled, found)


async def alarms_on(ctx: Ctx) -> bool:
    """Whether readings are judged; what patients tell is an alarm either way."""
    return (await alarms(ctx)).on


async def switch_alarms(ctx: Ctx, *, on: bool, reason: str) -> None:
    """Holds from the next reading on; alarms that are open stay so. An administrator's matter.

    Raises Forbidden, Invalid (reason).
    """
    await access.require(ctx, "administrator")
    if len(reason.strip()) < LEAST:
        raise Invalid("Write the reason.", where="reason")
    switched = Switched(on, reason.strip(), ctx.actor.name, ctx.clock.now())
    await store.put(ctx.sql, ctx.tenant, ALARMS, (ctx.actor.id, ctx.actor.name), switched)
    ctx.trail.entities.append("function/alarms")
    ctx.trail.wrote = True
