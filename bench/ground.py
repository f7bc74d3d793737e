"""A database and a broker for benchmarks that need no web: real engines, migrated, gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import uvloop

from bedside.foundation import garbage
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Nats, Postgres
from bedside.foundation.migrate import migrate

T = TypeVar("T")
NAME = "bench"


@contextmanager
def _engines() -> Iterator[tuple[Postgres, Nats]]:
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as home:
        postgres, nats = Postgres(Path(home) / "postgres"), Nats(Path(home) / "nats")
        postgres.start()
        nats.start()
        try:
            yield postgres, nats
        finally:
            nats.stop()
            postgres.stop()


def on_engines(work: Callable[[Postgres, Nats], Awaitable[T]]) -> T:
    """What work returns, run on engines of its own; the database `bench` is migrated."""

    async def run(postgres: Postgres, nats: Nats) -> T:
        postgres.create_database(NAME)
        await migrate(postgres.dsn(NAME))
        return await work(postgres, nats)

    garbage.settle()  # as in each process of a running program
    with _engines() as (postgres, nats):
        return uvloop.run(run(postgres, nats))


@asynccontextmanager
async def program(postgres: Postgres, nats: Nats) -> AsyncIterator[Ctx]:
    """The benchmark as an actor, on a pool and a bus."""
    database, bus = await Database.connect(postgres.dsn(NAME), size=6), await Bus.connect(nats.url)
    try:
        actor = Actor("job", "bench", "bench", frozenset({"system"}))
        yield Ctx(actor, "HOPERAT", 1, SystemClock(), database, bus)
    finally:
        await bus.close()
        await database.close()
