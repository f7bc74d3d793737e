"""SenML fuzzed for 20 minutes (or BEDSIDE_FUZZ_SECONDS): half of them the decoder alone, half of them from the broker
to the store, where what is sound must be stored and answered beside it, and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import time
from collections import Counter

import orjson
import pytest
from nats.aio.msg import Msg
from tests.monitoring.ingest.fuzz import messages, taken_or_refused

from bedside import access, monitoring
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("patients")]

LONG = float(os.environ.get("BEDSIDE_FUZZ_SECONDS", "1200"))
IN_FLIGHT = 200
A_SECOND = 1000


def test_the_decoder() -> None:
    seed, until = time.time_ns(), time.monotonic() + LONG / 2
    print(f"seed {seed}")
    counts: Counter[str] = Counter()
    for message in messages(seed):
        found = taken_or_refused(message)
        counts["no pack" if found is None else "packs"] += 1
        counts["readings"] += len(found.value) if found else 0
        counts["refused"] += len(found.refused) if found else 0
        if time.monotonic() > until:
            break
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{dict(counts)}, {most} MB at most")
    assert most < 1024


async def test_the_wire(wire: Ctx, bus: Bus) -> None:
    """Each sound pack is answered with its one reading, whatever lies beside it; and nobody's process ends."""
    async with access.work(wire, "added devices") as inner:
        odd, sound = [
            (await monitoring.add_device(inner, monitoring.NewDevice(kind="heart-rate", patient=patient))).device
            for patient in ("p1", "p2")
        ]
    stored: Counter[int] = Counter()
    room = asyncio.Semaphore(IN_FLIGHT)

    async def hear(message: Msg) -> None:
        said = orjson.loads(message.data)
        stored[said["seq"]] += said["stored"]
        room.release()

    await bus.client.subscribe(f"devices.{sound}.acks", cb=hear)
    seed, until, sent = time.time_ns(), time.monotonic() + LONG / 2, 0
    print(f"seed {seed}")
    began = time.time()
    for message in messages(seed):
        if time.monotonic() > until:
            break
        await bus.client.publish(f"devices.{odd}.readings", message)
        if sent % 4 == 0:
            await asyncio.wait_for(room.acquire(), 60)
            payload = pack(sent, ("heart-rate", 60 + sent % 40, "/min", began + sent / 1000))
            await bus.client.publish(f"devices.{sound}.readings", payload)
        sent += 1
        if sent % 100 == 0:  # below what a device may send: cut off, its messages would not be looked at
            await asyncio.sleep(max(began + sent / A_SECOND - time.time(), 0))
    with contextlib.suppress(TimeoutError):
        for _ in range(IN_FLIGHT):
            await asyncio.wait_for(room.acquire(), 60)
    wanted = range(0, sent, 4)
    print(f"{sent} odd messages, {len(wanted)} sound packs")
    assert stored == Counter(dict.fromkeys(wanted, 1))
