"""How often: rate limits kept in PostgreSQL, so that they hold over processes and restarts."""

from __future__ import annotations

import math
from contextlib import suppress

from bedside.access.model.sign_in import LIMITS
from bedside.access.service.keys import digest
from bedside.access.store import sessions as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import TooMany


def _key(ctx: Ctx, name: str, who: str) -> str:
    # Hashed: an address somebody typed is no matter for the table.
    return f"{name}:{ctx.tenant}:{digest(who.strip().lower()).hex()[:32]}"


async def spend(ctx: Ctx, name: str, who: str) -> None:
    """Count one try, in a transaction of its own: a failing request does not take it back. Raises TooMany."""
    limit = LIMITS[name]
    interval = limit.period / limit.burst
    now = ctx.clock.now()
    async with ctx.database.transaction() as sql:
        free = await store.spend(sql, _key(ctx, name, who), now, interval, limit.period - interval)
    if free is not None:
        raise TooMany(
            "That was tried too often.", retry_after=max(1, math.ceil((free - now).total_seconds())), where=name
        )


async def check(ctx: Ctx, name: str, who: str) -> None:
    """Raise TooMany if a try more would be too many; counts nothing. In an open work, which may not take a second
    connection while it holds one."""
    limit = LIMITS[name]
    now = ctx.clock.now()
    free = await store.would_be_free(ctx.sql, _key(ctx, name, who), limit.period - limit.period / limit.burst)
    if free is not None and free > now:
        raise TooMany(
            "That was tried too often.", retry_after=max(1, math.ceil((free - now).total_seconds())), where=name
        )


async def spend_quietly(ctx: Ctx, name: str, who: str) -> None:
    """Count one try after the fact; that there were too many is said to the next."""
    with suppress(TooMany):
        await spend(ctx, name, who)
