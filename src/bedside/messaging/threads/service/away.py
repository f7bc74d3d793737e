"""Out of office: who answers messages instead of whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.foundation.ids import uuid7
from bedside.messaging.threads.model.thread import Away
from bedside.messaging.threads.service.finding import CLINIC
from bedside.messaging.threads.service.team import away_now, colleagues
from bedside.messaging.threads.store import choices as store

LONGEST = timedelta(days=366)


async def aways(ctx: Ctx) -> list[Away]:
    """The actor's own absences, and those in which they stand in, that are or will be. Raises Forbidden."""
    await access.require(ctx, *CLINIC)
    now = ctx.clock.now()
    return await store.aways(ctx.sql, ctx.tenant, now, now + 2 * LONGEST, involving=[ctx.actor.id])


async def stand_in(ctx: Ctx) -> Away | None:
    """The actor's own absence at this moment, by the rota too. Raises Forbidden."""
    await access.require(ctx, *CLINIC)
    return await away_now(ctx, ctx.actor.id)


async def go_away(ctx: Ctx, *, substitute: str, since: datetime, until: datetime) -> Away:
    """From since to until new messages go to the substitute. One's own. Raises Forbidden, Invalid (where), Conflict."""
    await access.require(ctx, *CLINIC)
    now, me = ctx.clock.now(), ctx.actor.id
    other = next((one for one in await colleagues(ctx) if one.id == substitute), None)
    if other is None or other.id == me:
        raise Invalid("Choose a colleague.", where="by")
    if until <= since:
        raise Invalid("It ends before it begins.", where="until")
    if until <= now:
        raise Invalid("These times are over.", where="until")
    if until - since > LONGEST:
        raise Invalid("Nobody stands in for longer than a year.", where="until")
    for one in await store.aways(ctx.sql, ctx.tenant, since, until, involving=[me, substitute]):
        if one.person == me:
            raise Conflict("You are away then already.", where="since", remedy="End that first.")
        if one.person == substitute:
            raise Conflict("%(name)s is away then.", where="by", name=one.name, remedy="Choose somebody else.")
        if one.substitute == me:
            raise Conflict(
                "You answer for %(name)s then.", where="since", name=one.name, remedy="Let somebody else answer first."
            )
    made = Away(uuid7(), me, ctx.actor.name, other.id, other.name, since.astimezone(UTC), until.astimezone(UTC))
    await store.put_away(ctx.sql, ctx.tenant, made)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"away/{made.id}")
    return made


async def back(ctx: Ctx, key: str) -> None:
    """I am back; who stood in is let out. One's own. Raises Forbidden, NotFound."""
    await access.require(ctx, *CLINIC)
    known = await store.away(ctx.sql, ctx.tenant, key)
    if known is None or known.person != ctx.actor.id:
        raise NotFound("There is no such absence.")
    await store.end_away(ctx.sql, ctx.tenant, key, ctx.clock.now())
    await access.unrelate(ctx, source=f"away/{key}")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"away/{key}")
