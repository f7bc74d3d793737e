"""Old notices go, a bounded transaction at a time; what is work for a person, or on its way, stays however old."""

from __future__ import annotations

from datetime import datetime

from bedside import access
from bedside.foundation.context import Ctx
from bedside.messaging import store

ROWS = 2000
"""Notices of one transaction."""


async def tenants(ctx: Ctx) -> list[int]:
    """Those that have any notice."""
    return await store.tenants(ctx.sql)


async def old(ctx: Ctx, before: datetime) -> tuple[int, int]:
    """How many made before then would go, and how many stay because somebody has to see to them. An administrator's.

    Raises Forbidden.
    """
    await access.require(ctx, "administrator")
    return await store.old(ctx.sql, ctx.tenant, before)


async def forget_old(ctx: Ctx, before: datetime) -> int:
    """Delete what was made before then and is nobody's work. Idempotent, may end anywhere; how many. ctx: a job's,
    without a transaction."""
    total = 0
    while True:
        async with access.work(ctx, "deleted old notices") as work:
            gone = await store.drop_old(work.sql, work.tenant, before, ROWS)
            work.trail.wrote = bool(gone)
        total += gone
        if gone < ROWS:
            return total
