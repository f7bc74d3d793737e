"""A year of readings as one chart: every metric of a patient with a monitor, by the one request that a page makes."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bedside import access, monitoring, records
from bedside.foundation.engines import Nats, Postgres
from bedside.monitoring.testing import chunked
from bench.figure import Figure
from bench.ground import on_engines, program

YEAR = timedelta(days=365)
CASES = (("one a minute", 60), ("one in two minutes", 120), ("one in ten seconds", 10))
LIMIT = 100.0
"""Milliseconds."""
RUNS = 9


def measure() -> Iterator[Figure]:
    """Milliseconds of one metric over a year, at several rates; the median of some."""
    yield from on_engines(_run)


async def _run(postgres: Postgres, nats: Nats) -> list[Figure]:
    figures = []
    until = datetime.now(UTC)
    async with program(postgres, nats) as ctx:
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
    return figures
