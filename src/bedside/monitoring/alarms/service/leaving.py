"""The alarms of somebody who works here no longer: nobody holds what they held (hazard H103)."""

from __future__ import annotations

from collections.abc import Collection

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring.alarms.service import life, tell
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import outages

REASON = "Works here no longer"


async def alarms_held(ctx: Ctx, person: str) -> int:
    """How many open alarms somebody holds. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return len(await store.held(ctx.sql, ctx.tenant, person))


async def alarms_at(ctx: Ctx, place: str, patients: Collection[str]) -> int:
    """How many open alarms hang on a place: of those who are watched there, and of devices that went silent together
    there. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    silent = [one for one in await outages.running(ctx.sql, ctx.tenant) if (one.scope, one.name) == ("place", place)]
    return await store.count_open(ctx.sql, ctx.tenant, patients) + len(silent)


async def hand_on_alarms(ctx: Ctx, person: str, to: access.Person | None) -> int:
    """Give what somebody holds to a colleague, who gets a relationship and a notice; or back to the ladder, which
    begins anew. Returns how many. An administrator's. Raises Forbidden, Invalid for one who cannot answer alarms.
    """
    await access.require(ctx, "administrator")
    found = await store.held(ctx.sql, ctx.tenant, person)
    if found and to is not None and not to.roles & life.ANSWERERS:
        raise Invalid("An alarm is handed to a clinician or a nurse.", where="to")
    now = ctx.clock.now()
    for held in found:
        alarm = await life.locked(ctx, held)
        ctx.trail.patients.setdefault(alarm.patient, set()).add("U")
        ctx.trail.entities.append(f"Alarm/{held}")
        if to is None:
            data = {"after": "leaving", "holder": alarm.holder, "holder_name": alarm.holder_name}
            await life.disarm(ctx, alarm, "return", "recheck")
            await life.move(ctx, alarm, "return", data=data, holder=None, holder_name=None)
            await life.climb(ctx, alarm)
            continue
        source = f"Alarm/{held}"
        await access.relate(ctx, person=to.id, patient=alarm.patient, kind="alarm", source=source, reason=REASON)
        data = {"to": to.id, "to_name": to.name}
        state = await life.move(ctx, alarm, "hand-over", note=REASON, data=data, holder=to.id, holder_name=to.name)
        await tell.holder(ctx, alarm, to.id)
        if state == "acknowledged":
            await life.arm(ctx, alarm, "return", now + life.pace(alarm, now).returns)
    return len(found)
