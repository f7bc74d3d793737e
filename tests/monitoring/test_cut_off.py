"""A device that may be connected no more, with a live MQTT session: revoked, expired, or sending more than it may."""

import asyncio
import contextlib
import queue
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.monitoring.cuff import Cuff
from tests.monitoring.test_wire import add, kinds, newest, refused, technical

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.monitoring import settings
from bedside.monitoring.devices.service import broker
from bedside.monitoring.testing import ingesting, pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


async def gone(cuff: Cuff, seconds: float = 30) -> bool:
    """Whether its connection ends within that time: one that is not cut off stays for hours."""
    try:
        await asyncio.to_thread(cuff.left.get, timeout=seconds)
    except queue.Empty:
        return False
    return True


async def late(bus: Bus, device: str) -> dict[str, object]:
    """The answer to what a device still sends, as if it had found another way onto the wire."""
    heard: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def hear(_: str, answer: dict[str, object]) -> None:
        await heard.put(answer)

    await bus.subscribe(f"devices.{device}.acks", hear)
    await bus.publish(f"devices.{device}.readings", pack(2, ("heart-rate", 199, "/min", time.time())))
    return await asyncio.wait_for(heard.get(), 30)


FLOOD_ABOVE = 40
"""Messages a second: four times what the calm device sends."""
REFUSED = {"seq": 2, "stored": 0, "refused": [{"index": 0, "reason": "this device was revoked or has expired"}]}


async def test_a_revoked_device_is_cut_off_within_seconds_and_what_it_still_sends_is_refused(
    wire: Ctx, bus: Bus, nats: Nats
) -> None:
    mine, theirs = await add(wire), await add(wire, "p2")
    async with Cuff(mine, nats.mqtt_port) as cuff, Cuff(theirs, nats.mqtt_port) as other:
        await cuff.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(1))["stored"] == 1
        async with access.work(wire, "revoked a device") as inner:
            await monitoring.revoke_device(inner, mine.device)
        assert await gone(cuff)
        assert await late(bus, mine.device) == REFUSED
        # paho comes back by itself, and is refused.
        assert await asyncio.to_thread(cuff.connected.get, timeout=30) == 135
        await other.send(pack(1, ("heart-rate", 71, "/min", time.time())))
        assert (await other.answer(1))["stored"] == 1
        assert other.connected.empty()
    assert await newest(wire) == {"heart-rate": 70}
    assert (await kinds(wire))["revoked-device"] >= 2


async def test_a_new_password_cuts_off_whoever_came_in_by_the_old_one_and_lets_in_who_has_it(
    wire: Ctx, bus: Bus, nats: Nats
) -> None:
    mine = await add(wire)
    async with Cuff(mine, nats.mqtt_port) as cuff:
        await cuff.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(1))["stored"] == 1
        nurse = acting(wire, await someone(wire, "administrator"))
        async with access.work(nurse, "gave a device a new password") as inner:
            again = await monitoring.new_password(inner, mine.device)
        assert (again.username, again.password != mine.password) == (mine.username, True)
        assert await gone(cuff)
        assert await asyncio.to_thread(cuff.connected.get, timeout=30) == 135
    async with Cuff(again, nats.mqtt_port, client_id="another") as cuff:
        await cuff.send(pack(2, ("heart-rate", 72, "/min", time.time())))
        assert (await cuff.answer(2))["stored"] == 1
        assert not await gone(cuff, 3), "who shows the new password stays"


async def test_after_a_start_a_device_is_found_among_many_that_were_revoked(
    now_ctx: Ctx, bus: Bus, nats: Nats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was revoked while nobody looked, and NATS tells of its connections in pages."""
    monkeypatch.setattr(broker, "PAGE", 2)
    mine, *others = [await add(now_ctx) for _ in range(8)]
    system = await Bus.connect(nats.system_url)
    try:
        async with (
            ingesting(now_ctx, bus, seed=nats.login().seed),
            Cuff(mine, nats.mqtt_port) as cuff,
            Cuff(others[-1], nats.mqtt_port) as calm,
        ):
            async with access.work(now_ctx, "revoked devices") as inner:
                for one in (mine, *others[:-1]):
                    await monitoring.revoke_device(inner, one.device)
            assert await broker.CutOff(now_ctx, system).look() == 1
            assert await gone(cuff)
            assert calm.left.empty()
    finally:
        await bus.client.jetstream(timeout=20).delete_stream("DEVICES")
        await system.close()


async def test_a_device_that_expires_is_cut_off_then_and_what_comes_after_is_refused(
    wire: Ctx, bus: Bus, nats: Nats
) -> None:
    async with access.work(wire, "added a device") as inner:
        ends = datetime.now(UTC) + timedelta(seconds=8)
        device = await monitoring.add_device(inner, monitoring.NewDevice(kind="heart-rate", patient="p1", expires=ends))
    async with Cuff(device, nats.mqtt_port) as cuff:
        await cuff.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(1))["stored"] == 1
        assert await gone(cuff)
        assert datetime.now(UTC) < ends + timedelta(seconds=15)
    await asyncio.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds() + 0.1))
    assert await refused(Cuff(device, nats.mqtt_port))
    assert await late(bus, device.device) == REFUSED
    assert await newest(wire) == {"heart-rate": 70}


async def test_a_flooding_device_is_cut_off_and_named_and_no_other_waits(now_ctx: Ctx, bus: Bus, nats: Nats) -> None:
    """The limit is so low here that a client in Python is far above it on any machine."""
    settings.use(now_ctx.database, settings.Settings(messages=FLOOD_ABOVE))
    system = await Bus.connect(nats.system_url)
    bad, good = await add(now_ctx, "p1", "monitor"), await add(now_ctx, "p2", "monitor")
    waits: list[float] = []
    try:
        async with (
            ingesting(now_ctx, bus, seed=nats.login().seed, system=system, broker_log=nats.log),
            Cuff(good, nats.mqtt_port) as calm,
            Cuff(bad, nats.mqtt_port) as wild,
        ):
            flooding = asyncio.create_task(flood(wild))
            for seq in range(1, 41):
                begun = time.monotonic()
                await calm.send(pack(seq, ("heart-rate", 60 + seq % 9, "/min", time.time())))
                assert (await calm.answer(seq))["stored"] == 1
                waits.append(time.monotonic() - begun)
                await asyncio.sleep(0.1)
            sent = await flooding
            assert await gone(wild)
            assert await asyncio.to_thread(wild.connected.get, timeout=30) == 135  # refused for a minute
            assert calm.connected.empty()
            events = {one.kind: one for one in await technical(now_ctx) if one.device == bad.device}
    finally:
        settings.use(now_ctx.database, settings.Settings())
        await bus.client.jetstream(timeout=20).delete_stream("DEVICES")
        await system.close()
    assert events["flood"].count == 1
    assert "flood" not in {one.kind for one in await technical(now_ctx) if one.device == good.device}
    assert sent > FLOOD_ABOVE
    async with access.work(now_ctx, "looked") as inner:
        everything = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        stored = len((await monitoring.series(inner, "p1", "heart-rate", *everything)).points)
    assert stored <= FLOOD_ABOVE * 2
    assert max(waits) < 10, sorted(waits)[-5:]


async def flood(cuff: Cuff) -> int:
    """As fast as it goes, until it is cut off; how many."""
    sent = 0
    until = time.monotonic() + 60
    while cuff.left.empty() and time.monotonic() < until:
        for _ in range(50):
            sent += 1
            cuff.client.publish(cuff.credentials.topic, pack(sent, ("heart-rate", 70, "/min", time.time())), qos=0)
        await asyncio.sleep(0.005)
    with contextlib.suppress(queue.Empty):
        while True:
            cuff.answers.get_nowait()
    return sent
