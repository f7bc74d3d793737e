"""The room's official helpers for tests: packs, a device on the wire, an ingest process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.monitoring.devices.service import devices
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.senml import decode
from bedside.monitoring.ingest.service.answers import Arrival
from bedside.monitoring.ingest.service.wire import EVERY_PART, READINGS, durable
from bedside.monitoring.series.model.chunk import Kept, merge
from bedside.monitoring.series.store import chunks, latest
from bedside.monitoring.subscribers import ingest
from bedside.monitoring.waves.service.landing import WAVEFORMS


def pack(seq: int | None, *readings: tuple[str, float | str, str | None, float | None]) -> bytes:
    """SenML JSON of readings (name, value, unit, Unix time); text goes to vs."""
    records: list[dict[str, Any]] = [] if seq is None else [{"n": "seq", "v": seq}]
    for name, value, unit, at in readings:
        record: dict[str, Any] = {"n": name, "vs" if isinstance(value, str) else "v": value}
        if unit is not None:
            record["u"] = unit
        if at is not None:
            record["t"] = at
        records.append(record)
    return orjson.dumps(records)


def arrival(device: str, payload: bytes, received: float) -> Arrival:
    """A pack as if the wire had brought it at that Unix time."""
    return Arrival(device, decode(payload, round(received * 1_000_000)))


async def chunked(
    ctx: Ctx, device: str, metric: str, start: datetime, step: timedelta, values: Sequence[float]
) -> None:
    """A long past of a device, as it would stand in chunks: one value a step from start on, received as measured."""
    held = (await devices.hold(ctx, {device}))[device]
    first, width = devices.microseconds(start), step // timedelta(microseconds=1)
    patient = held.holder(first) or ""
    kept = [Kept(first + n * width, value, first + n * width, patient) for n, value in enumerate(values)]
    _, made = merge([], kept)
    await chunks.replace(ctx.sql, held.tenant, held.number, BY_NAME[metric].number, [], made)
    await latest.hold_latest(ctx.sql, held.tenant, [patient])


@asynccontextmanager
async def ingesting(
    ctx: Ctx, bus: Bus, *, seed: bytes, system: Bus | None = None, broker_log: Path | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """An ingest process's work, in this one, while the body runs."""
    stop = asyncio.Event()
    task = asyncio.create_task(ingest(ctx.with_(bus=bus), seed=seed, system=system, stop=stop, broker_log=broker_log))
    try:
        await _standing(bus, task)
        yield task
    finally:
        stop.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 30)


async def _standing(bus: Bus, task: asyncio.Task[None]) -> None:
    """Wait until somebody listens to every part of both wires."""
    js = bus.client.jetstream(timeout=2)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if task.done():
            task.result()
        with contextlib.suppress(Exception):
            wanted = [(wire.stream, durable(part)) for wire in (READINGS, WAVEFORMS) for part in EVERY_PART]
            if all([(await js.consumer_info(stream, name)).push_bound for stream, name in wanted]):
                return
        await asyncio.sleep(0.01)
    raise TimeoutError("the ingest process did not come up")
