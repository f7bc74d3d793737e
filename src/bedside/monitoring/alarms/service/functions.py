"""Functions that would need clearance as a medical device: off in a real clinic until an administrator says otherwise.

Alarms from readings process signals of devices and are time-critical; a glucose report reads the pattern of a sensor,
the irregular pulse flag that of a heart (FD&C 520(o)(1)(E) and FDA's guidance of January 2026; MDR rule 11). The clinic
that switches them on takes that upon itself; who did, when and why is kept.
"""

from __future__ import annotations

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.monitoring import settings
from bedside.monitoring.alarms.store import functions as store
from bedside.monitoring.alarms.store.functions import Switched

ALARMS, GLUCOSE, RHYTHM = "alarms", "glucose-report", "irregular-pulse"
NAMES = (ALARMS, GLUCOSE, RHYTHM)
LEAST = 5
"""Letters of a reason."""


class Function(msgspec.Struct, frozen=True):
    """Whether it is on, and who said so; switched None where it stands as the installation began."""

    on: bool
    switched: Switched | None = None


async def function(ctx: Ctx, name: str) -> Function:
    """One of NAMES: alarms from readings (limits, scores, silent devices), glucose report, irregular pulse flag.

    Raises NotFound.
    """
    if name not in NAMES:
        raise NotFound("There is no such function.")
    found = await store.last(ctx.sql, ctx.tenant, name)
    return Function(settings.of(ctx.database).functions if found is None else found.enabled, found)


async def alarms_on(ctx: Ctx) -> bool:
    """Whether readings are judged; what patients tell is an alarm either way."""
    return (await function(ctx, ALARMS)).on


def off() -> Conflict:
    """What is asked for does not run in this installation."""
    return Conflict("This function is off in this installation.", remedy="An administrator can switch it on.")


async def switch_function(ctx: Ctx, name: str, *, on: bool, reason: str) -> None:
    """Holds at once, for alarms from the next reading on: those that are open stay so. An administrator's matter.

    Raises Forbidden, Invalid (reason), NotFound.
    """
    await access.require(ctx, "administrator")
    await function(ctx, name)
    if len(reason.strip()) < LEAST:
        raise Invalid("Write the reason.", where="reason")
    switched = Switched(on, reason.strip(), ctx.actor.name, ctx.clock.now())
    await store.put(ctx.sql, ctx.tenant, name, (ctx.actor.id, ctx.actor.name), switched)
    ctx.trail.entities.append(f"function/{name}")
    ctx.trail.wrote = True
