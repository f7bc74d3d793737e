"""An ingest process of a benchmark: `python -m bench.lander DATABASE NATS SEED`, until its input ends."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.monitoring.testing import ingesting


async def main(dsn: str, nats: str, seed: str) -> None:
    """Land what comes; says `ready` once it listens, and ends with its input."""
    database, bus = await Database.connect(dsn, size=6), await Bus.connect(nats)
    ctx = Ctx(Actor("job", "ingest", "ingest", frozenset({"system"})), "HOPERAT", 1, SystemClock(), database, bus)
    try:
        async with ingesting(ctx, bus, seed=seed.encode()):
            print("ready", flush=True)
            await asyncio.to_thread(sys.stdin.read)
    finally:
        await bus.close()
        await database.close()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
