"""The clinic's own facts: said once by `bedside init`, changed by an administrator, read by everybody."""

from __future__ import annotations

import msgspec

from bedside.access.model.clinic import FIELDS, Clinic, checked, countries, country_of, emergency_of, read
from bedside.access.service.decide import require
from bedside.access.store import clinic as store
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Conflict

__all__ = [
    "FIELDS",
    "UNNAMED",
    "checked",
    "clinic",
    "countries",
    "country_of",
    "emergency_of",
    "known",
    "name",
    "put_away_start",
    "read",
    "set_clinic",
    "start_put_away",
]

UNNAMED = "Bedside"
"""What a clinic is called of which nobody has said anything."""


async def clinic(ctx: Ctx) -> Clinic | None:
    """Whose clinic this is; None until somebody has said it. It stands at the foot of every page: nobody is refused."""
    return await store.newest(ctx.sql, ctx.tenant)


async def name(ctx: Ctx) -> str:
    """What the clinic is called."""
    found = await clinic(ctx)
    return found.name if found else UNNAMED


async def known(database: Database, tenant: int = 1) -> Clinic | None:
    """The same outside of any request, of a database that may not be migrated yet."""
    async with database.connection() as sql:
        return await store.newest(sql, tenant) if await store.there(sql) else None


async def set_clinic(ctx: Ctx, said: Clinic, *, first: bool = False) -> Clinic:
    """From now on this holds; what held before stays on record. first: only where nobody has said anything yet.

    An administrator's, or the console's. Raises Forbidden, Conflict.
    """
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    before = await clinic(ctx)
    if first and before is not None:
        raise Conflict(
            "This is %(name)s already.", name=before.name, remedy="An administrator changes it at /admin/clinic."
        )
    kept = msgspec.structs.replace(said, n=(before.n if before else 0) + 1, by_name=ctx.actor.name, at=ctx.clock.now())
    if not await store.insert(ctx, kept):
        raise Conflict("Somebody else changed this at the same moment.", remedy="Look at it again.")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"clinic/{kept.n}")
    return kept


async def put_away_start(ctx: Ctx) -> None:
    """The list of first steps is not shown any more. An administrator's, or the demo's."""
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    await store.put_away(ctx, ctx.actor.id, ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append("clinic/start")


async def start_put_away(ctx: Ctx) -> bool:
    """Whether it was put away."""
    return await store.is_put_away(ctx)
