"""Readings a second from MQTT packs to durable, judged and acknowledged, against bare COPY in the same run."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import asyncpg

from bedside import access, monitoring, records
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats, Postgres
from bedside.monitoring.testing import ingesting
from bench.figure import Figure
from bench.ground import NAME, on_engines, program

DEVICES = 40
PACKS, PACK = 25, 1000
SINGLES = 500
"""Messages of one reading each, per device."""


def measure() -> Iterator[Figure]:
    """Packs of 1,000, messages of one reading, and COPY."""
    packs, singles, copy = on_engines(run)
    yield Figure("COPY alone: rows a second", copy, "/s")
    yield Figure("packs of 1,000: readings a second", packs, "/s", least=50_000)
    yield Figure("packs of 1,000 against COPY", packs / copy, "", least=0.5)
    yield Figure("messages of one reading: readings a second", singles, "/s", least=4_000)


async def run(postgres: Postgres, nats: Nats) -> tuple[float, float, float]:
    """The three rates."""
    copied = await copy_alone(postgres.dsn(NAME))
    async with program(postgres, nats) as ctx:
        cards = await devices(ctx)
        async with ingesting(ctx, ctx.bus, seed=nats.login().seed):
            singles = await sent(cards, nats.mqtt_port, SINGLES, 1)
            packs = await sent(cards, nats.mqtt_port, PACKS, PACK)
    return packs, singles, copied


async def copy_alone(dsn: str) -> float:
    """Bare rows by COPY, 1,000 at a time, one connection, a primary key over all but the value."""
    link = await asyncpg.connect(dsn)
    await link.execute(
        """create table public.bare (patient int, metric int2, time timestamptz, value float8, device int,
           primary key (patient, metric, time, device))"""
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)
    batches = [
        [(n % 40, 1, start + timedelta(seconds=n * 1000 + k), 70.0, n % 40) for k in range(1000)] for n in range(300)
    ]
    began = time.perf_counter()
    for batch in batches:
        await link.copy_records_to_table("bare", schema_name="public", records=batch)
    rate = len(batches) * 1000 / (time.perf_counter() - began)
    await link.execute("drop table public.bare")
    await link.close()
    return rate


async def devices(ctx: Ctx) -> list[monitoring.DeviceCredentials]:
    """One patient and one monitor each."""
    made = []
    async with access.work(ctx, "prepared the benchmark") as inner:
        for n in range(DEVICES):
            await records.create(inner, {"resourceType": "Patient", "id": f"b{n}"}, id=f"b{n}")
            made.append(await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor", patient=f"b{n}")))
    return made


async def sent(cards: list[monitoring.DeviceCredentials], port: int, packs: int, size: int) -> float:
    """Readings a second, from the first publish to the last of Bedside's own acknowledgements."""
    job = {
        "port": port,
        "packs": packs,
        "size": size,
        "devices": [[card.username, card.password, card.topic, card.ack_topic] for card in cards],
    }
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.senders", json.dumps(job)),
        stdout=subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(child.communicate(), 180)
    return packs * size * len(cards) / float(out.split()[-1])
