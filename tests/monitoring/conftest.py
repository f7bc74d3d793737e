"""What monitoring's tests share: three patients, and the readings in the record."""

from collections.abc import AsyncIterator

import pytest

from bedside import access, records
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.monitoring import subscribers
from bedside.monitoring.testing import ingesting


@pytest.fixture
async def patients(ctx: Ctx) -> AsyncIterator[None]:
    """p1, p2 and p3 are in the record, and the record reads our readings."""
    for provider in subscribers.READ_PROVIDERS:
        records.provide(provider)
    for governed in subscribers.GOVERNED:
        records.govern(governed)
    async with access.work(ctx, "added patients") as inner:
        for name in ("p1", "p2", "p3"):
            await records.create(inner, {"resourceType": "Patient", "id": name, "name": [{"family": name}]}, id=name)
    yield


@pytest.fixture
async def now_ctx(ctx: Ctx) -> Ctx:
    """With the machine's clock: the broker stamps by it."""
    return ctx.with_(clock=SystemClock())


@pytest.fixture
async def wire(now_ctx: Ctx, bus: Bus, nats: Nats) -> AsyncIterator[Ctx]:
    """An ingest process at work."""
    system = await Bus.connect(nats.system_url)
    js = bus.client.jetstream(timeout=20)  # beside tests that keep the disk busy
    try:
        async with ingesting(now_ctx, bus, seed=nats.login().seed, system=system, broker_log=nats.log):
            yield now_ctx
    finally:
        try:
            await js.delete_stream("DEVICES")
            await js.delete_stream("WAVEFORMS")
        finally:
            await system.close()
