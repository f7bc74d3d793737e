"""Emergency accesses are reviewed, each by a privacy officer who did not make it (45 CFR 164.308(a)(1)(ii)(D)).

Source: regular review of audit logs and access reports. A privacy officer learns who, when, why and whose record by its
id, as the audit tells her; she opens no record by it. Hazard H162.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bedside.access.model.emergency import OUTCOMES, Emergency, Outcome
from bedside.access.service.decide import require
from bedside.access.service.people import people
from bedside.access.store import emergencies as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound

OFFICER = "privacy-officer"
LONGEST = 1000
KEPT = timedelta(days=90)
"""How long a reviewed one stays on the page; the audit has it for ever."""


async def waiting(ctx: Ctx, *, limit: int, after: str = "") -> tuple[list[Emergency], int, str | None]:
    """Those that nobody has reviewed, the oldest first; how many in all; how the next are asked for.

    Raises Forbidden, Invalid.
    """
    await require(ctx, OFFICER)
    found, number = await store.waiting(ctx.sql, ctx.tenant, limit + 1, _place(after) if after else None)
    for one in found[:limit]:
        ctx.trail.entities.append(f"emergency/{one.id}")
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], number, f"{last.since.timestamp() * 1_000_000:.0f}.{last.id}" if last else None


def _place(after: str) -> tuple[datetime, str]:
    at, _, id_ = after.partition(".")
    if not at.isdecimal() or len(at) > 17:
        raise Invalid("This page is not known.", remedy="Begin with the first one.")
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(at)), id_


async def orphaned(ctx: Ctx) -> int:
    """How many wait while nobody is a privacy officer: the administrators' work is to name one. Raises Forbidden."""
    await require(ctx, "administrator")
    if any(one.active for one in await people(ctx, role=OFFICER)):
        return 0
    return await store.how_many(ctx.sql, ctx.tenant)


async def reviewed(ctx: Ctx) -> list[Emergency]:
    """Those of the last 90 days, the newest review first. Raises Forbidden."""
    await require(ctx, OFFICER)
    return await store.reviewed(ctx.sql, ctx.tenant, ctx.clock.now() - KEPT)


async def review(ctx: Ctx, id: str, outcome: str, note: str) -> Emergency:
    """The actor has looked at it. Raises Forbidden (one's own too), NotFound, Conflict, Invalid naming the field."""
    found = await _one(ctx, id)
    if found.person == ctx.actor.id:
        ctx.trail.refused = "own"
        raise Forbidden("This was your own emergency access.", remedy="Another privacy officer reviews it.")
    if found.at is not None:
        raise Conflict("Somebody has reviewed it already.")
    said: Outcome | None = next((one for one in OUTCOMES if one == outcome), None)
    if said is None:
        raise Invalid("Say what you found.", where="outcome")
    if len(note.strip()) > LONGEST:
        raise Invalid("A note has at most %(most)s characters.", where="note", most=LONGEST)
    if said == "not-justified" and len(note.strip()) < 5:
        raise Invalid("Say what was done about it.", where="note")
    await store.review(ctx.sql, ctx.tenant, id, ctx.clock.now(), ctx.actor.id, ctx.actor.name, said, note.strip())
    return found


async def take_back(ctx: Ctx, id: str) -> Emergency:
    """It was not reviewed, after all: by whoever said so. Raises Forbidden, NotFound, Conflict."""
    found = await _one(ctx, id)
    if found.at is None:
        return found
    if found.by != ctx.actor.id:
        raise Conflict("Somebody else has reviewed it.")
    await store.take_back(ctx.sql, ctx.tenant, id)
    return found


async def _one(ctx: Ctx, id: str) -> Emergency:
    await require(ctx, OFFICER)
    found = await store.one(ctx.sql, ctx.tenant, id)
    if found is None:
        raise NotFound("There is no such emergency access.")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"emergency/{id}")
    return found
