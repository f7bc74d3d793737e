"""What ingest does when the fault is ours: nothing is acknowledged, nothing is refused, nothing else waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.monitoring import service
from bedside.monitoring.ingest.service import lane
from bedside.monitoring.ingest.service.answers import Arrival
from bedside.monitoring.ingest.service.ingest import Ingest
from bedside.monitoring.series.service.landing import Receipt
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


@pytest.fixture
async def device(ctx: Ctx) -> str:
    async with access.work(ctx, "added a device") as inner:
        return (await monitoring.add_device(inner, monitoring.NewDevice("monitor", "p1"))).device


@pytest.fixture
async def answers(bus: Bus) -> AsyncIterator[asyncio.Queue[dict[str, object]]]:
    heard: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def hear(_: str, answer: dict[str, object]) -> None:
        await heard.put(answer)

    await bus.subscribe("devices.*.acks", hear)
    yield heard
    await bus.client.jetstream(timeout=20).delete_stream("DEVICES")


async def test_a_fault_with_one_pack_holds_up_no_other_and_answers_nothing(
    ctx: Ctx, bus: Bus, device: str, answers: asyncio.Queue[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = True

    async def land(inner: Ctx, arrivals: list[Arrival]) -> Sequence[Receipt]:
        if broken and any(one.pack.seq == 2 for one in arrivals):
            raise ZeroDivisionError
        return await service.land(inner, arrivals)

    monkeypatch.setattr(lane, "FAULT_AGAIN_AFTER", 0.3)
    stop = asyncio.Event()
    wire = Ingest(ctx.with_(bus=bus, clock=SystemClock()), land)
    await wire.start()
    for seq in (1, 2, 3):
        at = time.time() + seq / 100
        await bus.publish(f"devices.{device}.readings", pack(seq, ("heart-rate", 70, "/min", at)))
    running = asyncio.create_task(wire.run(stop))
    try:
        assert {(await asyncio.wait_for(answers.get(), 30))["seq"] for _ in range(2)} == {1, 3}
        nurse = acting(ctx, await someone(ctx, "nurse"))
        async with access.work(nurse, "looked at technical events") as inner:
            assert "not-stored" in {event.kind for event in await monitoring.technical_events(inner)}
        assert answers.empty()
        broken = False
        assert await asyncio.wait_for(answers.get(), 30) == {"seq": 2, "stored": 1, "refused": []}
    finally:
        stop.set()
        await running
