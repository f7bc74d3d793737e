"""`python -m bedside.app.import_lane`: one lane of a large import, started by `lanes`, told by its standard input."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import uvloop

from bedside import records
from bedside.app.lanes import Opening
from bedside.app.rooms import OPEN
from bedside.foundation import errand, telemetry
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.settings import Ground

NICE = 5
"""The clinic's pages and alarms come first."""
OBJECTS = 50_000
"""Made between two looks for garbage: a part's resources are no garbage until it is kept."""


@asynccontextmanager
async def begin(opening: bytes) -> AsyncIterator[errand.Handler]:
    """Connect for whoever asked, with every room's settings told."""
    told = msgspec.msgpack.decode(opening, type=Opening)
    database = await Database.connect(told.database_url, size=2, name="bedside import")
    try:
        ground = Ground(told.settings, database, no_bus(), SystemClock())
        for tell in OPEN:
            tell(ground)
        ctx = Ctx(told.actor, told.purpose, told.tenant, ground.clock, database, ground.bus, request=told.request)
        ctx = ctx.with_(origin=told.origin, reason=told.reason)

        async def handle(message: bytes) -> bytes:
            return await records.keep_part(ctx, message)

        yield handle
    finally:
        await database.close()


def main() -> None:
    """Work until there is nothing more to do."""
    telemetry.configure("import")
    os.nice(NICE)
    gc.freeze()
    gc.set_threshold(OBJECTS, 20, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(errand.attend(begin))


if __name__ == "__main__":
    main()
