"""A year of readings as one chart: every metric of a patient with a monitor, by the one request that a page makes."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop

from bedside import access, monitoring, records
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Nats, Postgres
from bedside.foundation.migrate import migrate
from bedside.monitoring.testing import chunked
from bench.figure import Figure

YEAR = timedelta(days=365)
CASES = (("one a minute", 60), ("one in two minutes", 120), ("one in ten seconds", 10))
LIMIT = 100.0
"""Milliseconds."""
RUNS = 9


def measure() -> Iterator[Figure]:
    """Milliseconds of one metric over a year, at several rates; the median of some."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as home:
        postgres, nats = Postgres(Path(home) / "postgres"), Nats(Path(home) / "nats")
        postgres.start()
        nats.start()
        try:
            yield from uvloop.run(_run(postgres, nats))
        finally:
            nats.stop()
            postgres.stop()


async def _run(postgres: Postgres, nats: Nats) -> list[Figure]:
    postgres.create_database("bench")
    await migrate(postgres.dsn("bench"))
    database, bus = await Database.connect(postgres.dsn("bench"), size=4), await Bus.connect(nats.url)
    ctx = Ctx(Actor("job", "bench", "bench", frozenset({"system"})), "HOPERAT", 1, SystemClock(), database, bus)
    figures = []
    until = datetime.now(UTC)
    try:
        for n, (name, step) in enumerate(CASES):
            patient = f"b{n}"
            async with access.work(ctx, "prepared the benchmark") as inner:
                await records.create(inner, {"resourceType": "Patient", "id": patient}, id=patient)
                new = monitoring.NewDevice(kind="monitor", patient=patient)
                device = (await monitoring.add_device(inner, new)).device
                rng = random.Random(n)
                count = int(YEAR.total_seconds()) // step
                values = [float(70 + rng.randint(-9, 9)) for _ in range(count)]
                await chunked(inner, device, "heart-rate", until - YEAR, timedelta(seconds=step), values)
                await inner.sql.execute("analyze monitoring.chunk")
            took = []
            for _ in range(RUNS):
                began = time.perf_counter()
                async with access.work(ctx, "looked", readonly=True) as inner:
                    series = await monitoring.series(inner, patient, "heart-rate", until - YEAR, until)
                took.append((time.perf_counter() - began) * 1e3)
            assert series.count == count
            assert not series.gaps, series.gaps[:3]
            figures.append(Figure(f"a year, {name}: {count:,} readings", statistics.median(took), "ms", limit=LIMIT))
    finally:
        await bus.close()
        await database.close()
    return figures
