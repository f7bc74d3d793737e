"""The way in from devices: while it is down no device is silent, we are deaf; and that is one matter, not many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bedside.foundation.context import Ctx
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.store import wire as store
from bedside.monitoring.devices.store.wire import Wire

DEAF: Final = timedelta(seconds=30)
"""Without a beat for longer nothing can be heard."""
ITSELF: Final = "bedside"
"""Stands where a technical event names its device."""


async def beat(ctx: Ctx) -> None:
    """Broker, stream and database are there."""
    async with ctx.database.transaction() as sql:
        await store.beat(sql, ctx.clock.now(), DEAF)


async def state(ctx: Ctx) -> Wire | None:
    """What is known of it; None where no ingest process ever ran, which is held against nobody."""
    return await store.state(ctx.sql)


def deaf(wire: Wire | None, now: datetime) -> bool:
    """Whether nothing can be heard now."""
    return wire is not None and now - wire.beat > DEAF


async def deaf_since(ctx: Ctx) -> datetime | None:
    """When something could last be heard, if nothing can be now; None while all is well or nothing is known."""
    wire = await state(ctx)
    return wire.beat if wire is not None and deaf(wire, ctx.clock.now()) else None


async def tell(ctx: Ctx) -> list[int]:
    """Note once, for each tenant with devices, that nothing can be heard; the tenants whose people are to be told."""
    if await deaf_since(ctx) is None or not await store.told(ctx.sql, ctx.clock.now()):
        return []
    tenants = await store.tenants(ctx.sql)
    for tenant in tenants:
        await note(ctx.with_(tenant=tenant), "deaf", ITSELF)
    return tenants
