"""From a real MQTT client to the record and back: one broker, one PostgreSQL, one ingest process."""

import time
from collections.abc import AsyncIterator

import pytest
from tests.monitoring.cuff import Cuff

from bedside import access, monitoring
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.monitoring.testing import ingesting, pack

pytestmark = pytest.mark.engine


@pytest.fixture
async def now_ctx(ctx: Ctx) -> Ctx:
    """With the machine's clock: the broker stamps by it."""
    return ctx.with_(clock=SystemClock())


@pytest.fixture
async def wire(now_ctx: Ctx, bus: Bus, nats: Nats) -> AsyncIterator[Ctx]:
    """An ingest process at work."""
    system = await Bus.connect(nats.system_url)
    js = bus.client.jetstream(timeout=2)
    try:
        async with ingesting(now_ctx, bus, seed=nats.login().seed, system=system):
            yield now_ctx
    finally:
        await js.delete_stream("DEVICES")
        await system.close()


async def add(ctx: Ctx, patient: str = "p1", kind: str = "blood-pressure") -> monitoring.DeviceCredentials:
    async with access.work(ctx, "added a device") as inner:
        return await monitoring.add_device(inner, monitoring.NewDevice(kind=kind, patient=patient))


async def newest(ctx: Ctx, patient: str = "p1") -> dict[str, object]:
    async with access.work(ctx, "looked") as inner:
        return {latest.metric: latest.value for latest in (await monitoring.latest(inner, [patient]))[patient]}


async def kinds(ctx: Ctx) -> dict[str, int]:
    async with access.work(ctx, "looked at technical events") as inner:
        return {event.kind: event.count for event in await monitoring.technical_events(inner)}


async def test_a_reading_is_stored_and_acknowledged(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    async with Cuff(device, nats.mqtt_port) as cuff:
        at = time.time()
        await cuff.send(pack(1, ("8480-6", 178, "mm[Hg]", at), ("8462-4", 112, "mm[Hg]", at), ("pulse", 80, "Cel", at)))
        answer = await cuff.answer(1)
    assert answer["stored"] == 2
    assert [refusal["index"] for refusal in answer["refused"]] == [3]
    assert await newest(wire) == {"systolic": 178, "diastolic": 112}
