"""One, two, four ingest processes: readings a second, and what each reading costs of a processor; then one is killed.

Packs of four readings from 10,000 patients are published as fast as the broker takes them. On two cores more processes
are not faster; that a reading costs them no more is what shows that they only share the work.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import orjson
from tools.clinic import ClinicFailed

from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats, Postgres
from bench.bench_latency import PATIENTS, SIGNS, people
from bench.cost import Meter
from bench.figure import Figure
from bench.ground import NAME, on_engines, program

PACKS = 20_000
READINGS = 4
SETTLE = 5.0
"""Seconds in which processes share out the parts among them."""


def measure() -> Iterator[Figure]:
    """For each number of processes: the rate and the cost; then how long the parts of a killed one stand still."""
    yield from on_engines(_run)


async def _run(postgres: Postgres, nats: Nats) -> list[Figure]:
    figures: list[Figure] = []
    async with program(postgres, nats) as ctx:
        async with ctx.database.transaction() as sql:
            await people(sql)
        await _flood(ctx, postgres, nats, 1, round_=0)  # every patient's rows are made
        costs: dict[int, float] = {}
        for n, count in enumerate((1, 2, 4), 1):
            rate, costs[count] = await _flood(ctx, postgres, nats, count, round_=n)
            words = f"{count} process{'es' * (count > 1)}"
            figures.append(Figure(f"{words}: readings a second", rate, "/s"))
            figures.append(Figure(f"{words}: processor time a reading", costs[count] * 1e6, "us"))
        figures.append(Figure("a reading with four processes against one", costs[4] / costs[1], "", limit=1.5))
        figures.append(await _killed(ctx, postgres, nats))
    return figures


@asynccontextmanager
async def _landers(ctx: Ctx, postgres: Postgres, nats: Nats, count: int) -> AsyncIterator[list[Process]]:
    command = [sys.executable, "-m", "bench.lander", postgres.dsn(NAME), nats.url, nats.login().seed.decode()]
    landers = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(count)]
    try:
        for one in landers:
            if one.stdout is None or await asyncio.wait_for(one.stdout.readline(), 30) != b"ready\n":
                raise ClinicFailed("an ingest process did not start")
        await asyncio.sleep(SETTLE if count > 1 else 0)
        yield landers
    finally:
        for one in landers:
            if one.returncode is None and one.stdin is not None:
                one.stdin.close()
        await asyncio.gather(*(one.wait() for one in landers))


async def _publish(ctx: Ctx, round_: int, packs: int, *, slowly: bool = False) -> dict[str, float]:
    """Returns when each device's last pack was published."""
    sent: dict[str, float] = {}
    for n in range(packs):
        sent[f"m{n % PATIENTS}"] = time.monotonic()
        records = [
            {"n": "seq", "v": round_ * 10 + n // PATIENTS},
            {"bt": round(time.time(), 3), "n": SIGNS[0][0], "u": "/min", "v": 71},
            *({"n": name, "u": unit, "v": value} for name, unit, value in (*SIGNS[1:], ("8480-6", "mm[Hg]", 122))),
        ]
        await ctx.bus.client.publish(f"devices.m{n % PATIENTS}.readings", orjson.dumps(records))
        if n % 500 == 499:
            await ctx.bus.client.flush()
        if slowly and n % 10 == 9:
            await asyncio.sleep(0.005)
    return sent


async def _landed(ctx: Ctx) -> int:
    async with ctx.database.transaction() as sql:
        return int(await sql.fetchval("select coalesce(sum(cardinality(metric)), 0) from monitoring.pack"))


async def _until(ctx: Ctx, wanted: int) -> None:
    until = time.monotonic() + 90
    js = ctx.bus.client.jetstream(timeout=5)
    while (await js.stream_info("DEVICES")).state.messages:
        if time.monotonic() > until:
            raise ClinicFailed("the readings did not all land")
        await asyncio.sleep(0.02)
    if (found := await _landed(ctx)) != wanted:
        raise ClinicFailed(f"{found} readings landed of {wanted}")


async def _flood(ctx: Ctx, postgres: Postgres, nats: Nats, count: int, *, round_: int) -> tuple[float, float]:
    """Readings a second, and processor seconds a reading of landers, PostgreSQL and NATS together."""
    before = await _landed(ctx)
    async with _landers(ctx, postgres, nats, count):
        meter, began = Meter(os.getpid()), time.monotonic()
        await _publish(ctx, round_, PACKS)
        await _until(ctx, before + PACKS * READINGS)
        took, spent = time.monotonic() - began, meter.spent()
    readings = PACKS * READINGS
    return readings / took, (sum(spent.values()) - spent["client"]) / readings


async def _killed(ctx: Ctx, postgres: Postgres, nats: Nats) -> Figure:
    """The longest that a pack waited for its answer while one of two processes was killed under load."""
    before = await _landed(ctx)
    told: dict[str, float] = {}

    async def hear(subject: str, _: object) -> None:
        told[subject.split(".")[1]] = time.monotonic()

    await ctx.bus.subscribe("devices.*.acks", hear)
    packs = 10_000
    async with _landers(ctx, postgres, nats, 2) as landers:
        sending = asyncio.create_task(_publish(ctx, 9, packs, slowly=True))
        await asyncio.sleep(2)
        landers[0].kill()
        sent = await sending
        await _until(ctx, before + packs * READINGS)
        await asyncio.sleep(0.5)
    slowest = max(told[device] - at for device, at in sent.items())
    return Figure(f"one of two killed under load: longest wait of {packs} packs", slowest, "s", limit=10)
