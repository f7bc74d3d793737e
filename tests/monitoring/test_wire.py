"""From a real MQTT client to the record and back: one broker, one PostgreSQL, one ingest process."""

import asyncio
import contextlib
import gc
import os
import queue
import random
import signal
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig
from tests.monitoring.cuff import Cuff

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Nats
from bedside.monitoring.ingest.service import wire as wire_service
from bedside.monitoring.testing import ingesting, pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


async def add(ctx: Ctx, patient: str = "p1", kind: str = "blood-pressure") -> monitoring.DeviceCredentials:
    async with access.work(ctx, "added a device") as inner:
        return await monitoring.add_device(inner, monitoring.NewDevice(kind=kind, patient=patient))


async def newest(ctx: Ctx, patient: str = "p1") -> dict[str, object]:
    async with access.work(ctx, "looked") as inner:
        return {latest.metric: latest.value for latest in (await monitoring.latest(inner, [patient]))[patient]}


async def technical(ctx: Ctx) -> list[monitoring.TechnicalEvent]:
    who = await someone(ctx, "nurse")
    async with access.work(ctx, "related") as inner:
        await access.relate(inner, person=who.id, patient="p1", kind="care", source="test")
    nurse = acting(ctx, who)
    async with access.work(nurse, "looked at technical events") as inner:
        return await monitoring.technical_events(inner)


async def kinds(ctx: Ctx) -> dict[str, int]:
    return {event.kind: event.count for event in await technical(ctx)}


async def test_a_reading_is_stored_and_acknowledged(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    async with Cuff(device, nats.mqtt_port) as cuff:
        at = time.time()
        await cuff.send(pack(1, ("8480-6", 178, "mm[Hg]", at), ("8462-4", 112, "mm[Hg]", at), ("pulse", 80, "Cel", at)))
        answer = await cuff.answer(1)
    assert answer["stored"] == 2
    assert [refusal["index"] for refusal in answer["refused"]] == [3]
    assert await newest(wire) == {"systolic": 178, "diastolic": 112}


async def test_a_device_added_while_it_all_runs_is_live_at_once(wire: Ctx, nats: Nats) -> None:
    first = await add(wire)
    async with Cuff(first, nats.mqtt_port) as cuff:
        await cuff.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(1))["stored"] == 1
        second = await add(wire, "p2", "pulse-oximeter")
        async with Cuff(second, nats.mqtt_port) as other:
            await other.send(pack(1, ("spo2", 97, "%", time.time())))
            assert (await other.answer(1)) == {"seq": 1, "stored": 1, "refused": []}
        # Two connections of one device at a time are fine; both hear the answer.
        async with Cuff(first, nats.mqtt_port, client_id="second-link") as again:
            await again.send(pack(2, ("heart-rate", 71, "/min", time.time())))
            assert (await again.answer(2))["stored"] == 1
            assert (await cuff.answer(2))["stored"] == 1
    assert await newest(wire, "p2") == {"spo2": 97}


async def test_a_wrong_password_an_unknown_name_and_a_revoked_device_do_not_come_in(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    assert await refused(Cuff(device, nats.mqtt_port, password="wrong"))
    stranger = monitoring.DeviceCredentials("bp-x", "bp-x", "y", "devices/bp-x/readings", "devices/bp-x/acks")
    assert await refused(Cuff(stranger, nats.mqtt_port))
    async with access.work(wire, "revoked a device") as inner:
        await monitoring.revoke_device(inner, device.device)
    assert await refused(Cuff(device, nats.mqtt_port))
    assert await kinds(wire) == {"wrong-password": 1, "unknown-device": 1, "revoked-device": 1}


async def refused(cuff: Cuff) -> bool:
    try:
        return await cuff.connect() != 0
    finally:
        await cuff.stop()


async def test_a_client_id_belongs_to_the_device_that_used_it_first(wire: Ctx, nats: Nats) -> None:
    mine, theirs = await add(wire), await add(wire, "p2")
    async with Cuff(mine, nats.mqtt_port, client_id="gateway-7") as cuff:
        assert await refused(Cuff(theirs, nats.mqtt_port, client_id="gateway-7"))
        # The thief did not even disturb who was there.
        await cuff.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(1))["stored"] == 1
    assert await kinds(wire) == {"client-id-taken": 1}


async def test_another_device_s_topics_are_closed(wire: Ctx, nats: Nats) -> None:
    mine, theirs = await add(wire), await add(wire, "p2")
    async with Cuff(mine, nats.mqtt_port) as cuff:
        for topic in (theirs.topic, theirs.ack_topic, "devices/+/acks", "#", "$SYS/#", "$MQTT/sub/#", mine.topic):
            assert await cuff.listen(topic) >= 128, topic
        await cuff.send(pack(1, ("heart-rate", 199, "/min", time.time())), theirs.topic)
        await cuff.send(pack(2, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(2))["stored"] == 1
    assert await newest(wire, "p2") == {}
    assert await newest(wire, "p1") == {"heart-rate": 70}
    async with asyncio.timeout(30):
        # All of them: the broker's log is followed once a second, and a look may fall between two of its lines.
        while True:
            events = [one for one in await technical(wire) if one.device == mine.device]
            if sum(one.count for one in events) >= 7:
                break
            await asyncio.sleep(0.02)
    assert [(one.kind, one.count) for one in events] == [("other-subject", 7)]


async def test_device_credentials_open_nothing_but_mqtt(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    url = f"nats://{device.username}:{device.password}@127.0.0.1:{nats.port}"
    link = Client()
    with pytest.raises(NatsError):
        await link.connect(url, allow_reconnect=False, max_reconnect_attempts=0, error_cb=quiet)
    transport = link._transport
    assert transport is not None
    transport.close()
    with contextlib.suppress(ConnectionError):  # the server was first
        await transport.wait_closed()
    gc.collect()
    assert (await kinds(wire)).keys() == {"wrong-door"}


async def quiet(_: Exception) -> None:
    """The refusal is what the test asks for."""


async def test_what_is_no_pack_is_answered_and_seen(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    async with Cuff(device, nats.mqtt_port) as cuff:
        await cuff.send(b"{not senml")
        assert (await cuff.answer(None))["refused"] == [{"index": None, "reason": "neither JSON nor CBOR"}]
        await cuff.send(b'[{"n":"seq","v":4},{"n":"spo2","u":"%","v":NaN},{"n":"spo2","u":"%","v":98}]')
        answer = await cuff.answer(4)
    assert answer == {"seq": 4, "stored": 1, "refused": [{"index": 1, "reason": "the value is not a number"}]}
    assert await kinds(wire) == {"malformed": 1, "refused-reading": 1}


async def test_half_a_million_records_are_answered_in_a_word_and_hold_up_nobody(wire: Ctx, nats: Nats) -> None:
    """An answer to each would be larger than the broker takes: it would never leave, nor would the message."""
    device, other = await add(wire), await add(wire, "p2")
    async with Cuff(device, nats.mqtt_port) as cuff, Cuff(other, nats.mqtt_port) as calm:
        await cuff.send(b"[" + b",".join([b"1"] * 500_000) + b"]")
        assert (await cuff.answer(None))["refused"] == [{"index": None, "reason": "more than 2000 records"}]
        await calm.send(pack(1, ("heart-rate", 70, "/min", time.time())))
        assert (await calm.answer(1))["stored"] == 1
        most = b",".join([b'{"n":"nonsense","v":1}'] * 2000)
        await cuff.send(b"[" + most + b"]")
        assert len((await cuff.answer(None))["refused"]) == 2000


async def test_ten_megabytes_are_cut_off_and_seen_and_the_device_goes_on(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    async with Cuff(device, nats.mqtt_port) as cuff:
        cuff.client.publish(device.topic, b"[" + b" " * 10_000_000 + b"]", qos=0)
        assert await asyncio.to_thread(cuff.connected.get, timeout=60) == 0  # paho came back
        await cuff.listen()
        await cuff.send(pack(2, ("heart-rate", 70, "/min", time.time())))
        assert (await cuff.answer(2))["stored"] == 1
    async with asyncio.timeout(30):  # else nobody can find out about it
        while "oversize" not in await kinds(wire):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_repeats_replays_and_disorder_over_the_wire(wire: Ctx, nats: Nats) -> None:
    device = await add(wire)
    now = round(time.time(), 3)
    packs = {seq: pack(seq, ("heart-rate", 60 + seq, "/min", now - 60 + seq)) for seq in range(1, 21)}
    order = [seq for seq in packs for _ in range(3)]
    random.Random(4).shuffle(order)
    async with Cuff(device, nats.mqtt_port) as cuff:
        for seq in order:
            await cuff.send(packs[seq])
        answers = [await asyncio.to_thread(cuff.answers.get, timeout=30) for _ in order]
    assert sorted(answer["seq"] for answer in answers) == sorted(order)
    assert all(answer["stored"] == 1 for answer in answers)
    async with access.work(wire, "looked") as inner:
        everything = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
        points = (await monitoring.series(inner, "p1", "heart-rate", *everything)).points
    assert [point.value for point in points] == [60 + seq for seq in range(1, 21)]
    assert await newest(wire) == {"heart-rate": 80}


async def test_nats_killed_between_is_no_loss_for_a_device_that_repeats(
    now_ctx: Ctx, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The device keeps each pack until its acknowledgement; the broker is killed twice under it."""
    broker = Nats(tmp_path_factory.mktemp("n"))
    broker.start()
    link = await Bus.connect(broker.url)
    try:
        async with ingesting(now_ctx, link, seed=broker.login().seed):
            device = await add(now_ctx)
            now = round(time.time(), 3)
            kills = [60, 30]
            waiting = {seq: pack(seq, ("heart-rate", 50 + seq, "/min", now - 100 + seq)) for seq in range(1, 61)}
            async with Cuff(device, broker.mqtt_port) as cuff:
                async with asyncio.timeout(120):
                    while waiting:
                        for seq in list(waiting)[:10]:
                            cuff.client.publish(device.topic, waiting[seq], qos=1)
                        if kills and len(waiting) <= kills[0]:
                            kills.pop(0)
                            kill(broker)
                        with contextlib.suppress(queue.Empty):
                            while True:
                                waiting.pop((await asyncio.to_thread(cuff.answers.get, timeout=0.5))["seq"], None)
                        if not cuff.connected.empty():
                            cuff.connected.get()
                            await cuff.listen()
        async with access.work(now_ctx, "looked") as inner:
            everything = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
            points = (await monitoring.series(inner, "p1", "heart-rate", *everything)).points
        assert [point.value for point in points] == [50 + seq for seq in range(1, 61)]
    finally:
        await link.close()
        broker.stop()


def kill(broker: Nats) -> None:
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGKILL)
    broker.stop()
    broker.start()


async def test_what_a_killed_ingest_process_had_in_hand_holds_up_nobody_for_long(
    now_ctx: Ctx, bus: Bus, nats: Nats, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_service, "WAITING", 3 * wire_service.PARTS)
    device = await add(now_ctx)
    dying = await Bus.connect(nats_url)
    js = dying.client.jetstream(timeout=20)
    await wire_service.declare(js, wire_service.READINGS)
    taken: asyncio.Queue[Msg] = asyncio.Queue()
    # As an older Bedside declared them: it takes as many as it may, and dies with them.
    for part in wire_service.EVERY_PART:
        await js.subscribe(
            wire_service.READINGS.filter(part),
            stream=wire_service.STREAM,
            durable=wire_service.durable(part),
            queue=wire_service.durable(part),
            cb=taken.put,
            manual_ack=True,
            config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=3, max_deliver=-1),
        )
    for n in range(3):
        await js.publish(f"devices.{device.device}.readings", pack(n, ("heart-rate", 70, "/min", time.time() - 9 + n)))
    for _ in range(3):
        await asyncio.wait_for(taken.get(), 30)
    await dying.close()
    try:
        async with ingesting(now_ctx, bus, seed=nats.login().seed), Cuff(device, nats.mqtt_port) as cuff:
            await cuff.send(pack(9, ("heart-rate", 141, "/min", time.time())))
            assert (await cuff.answer(9, seconds=20))["stored"] == 1
    finally:
        await bus.client.jetstream(timeout=20).delete_stream("DEVICES")


async def test_what_an_older_bedside_left_in_its_unparted_stream_lands(
    now_ctx: Ctx, bus: Bus, nats: Nats, nats_url: str
) -> None:
    device = await add(now_ctx)
    older = await Bus.connect(nats_url)
    js = older.client.jetstream(timeout=20)
    await js.add_stream(
        replace(wire_service.READINGS.stream_config(1), subject_transform=None)  # as it was before there were parts
    )
    await js.subscribe(
        wire_service.SUBJECT,
        stream=wire_service.STREAM,
        durable=wire_service.OLD_DURABLE,
        queue=wire_service.OLD_DURABLE,
        cb=asyncio.Queue[Msg]().put,
        manual_ack=True,
        config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=30, max_ack_pending=1, max_deliver=-1),
    )
    for n in range(3):
        await js.publish(
            f"devices.{device.device}.readings", pack(n, ("heart-rate", 71 + n, "/min", time.time() - 9 + n))
        )
    await older.close()
    try:
        async with ingesting(now_ctx, bus, seed=nats.login().seed), Cuff(device, nats.mqtt_port) as cuff:
            await cuff.send(pack(9, ("spo2", 97, "%", time.time())))
            assert (await cuff.answer(9))["stored"] == 1
            async with asyncio.timeout(30):
                while (await bus.client.jetstream(timeout=20).stream_info("DEVICES")).state.messages:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)
            assert await newest(now_ctx) == {"heart-rate": 73, "spo2": 97}
    finally:
        await bus.client.jetstream(timeout=20).delete_stream("DEVICES")


async def test_the_bus_tells_walls_after_the_commit(wire: Ctx, bus: Bus, nats: Nats) -> None:
    device = await add(wire)
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def hear(subject: str, payload: bytes) -> None:
        await heard.put((subject, payload))

    await bus.listen("monitoring.live.>", hear)
    async with Cuff(device, nats.mqtt_port) as cuff:
        await cuff.send(pack(1, ("spo2", 91, "%", time.time())))
        subject, payload = await asyncio.wait_for(heard.get(), 30)
    assert subject == "monitoring.live.1.p1"
    told = monitoring.live_readings(payload)
    assert [(one.metric, one.value, one.unit) for one in told] == [("spo2", 91, "%")]


async def test_two_ingest_processes_share_the_wire_and_hold_each_reading_once(
    wire: Ctx, database_url: str, nats: Nats
) -> None:
    """The second has a pool and a link of its own, as a process would; every pack is sent three times."""
    link, pool = await Bus.connect(nats.url), await Database.connect(database_url)
    try:
        async with ingesting(wire.with_(database=pool), link, seed=nats.login().seed):
            devices = [await add(wire, patient, "monitor") for patient in ("p1", "p2", "p3")]
            now = round(time.time(), 3)
            packs = [
                pack(n, *(("heart-rate", 60 + k, "/min", now - 60 + n + k / 10) for k in range(10))) for n in range(40)
            ]
            async with contextlib.AsyncExitStack() as stack:
                cuffs = [await stack.enter_async_context(Cuff(device, nats.mqtt_port)) for device in devices]
                for payload in random.Random(7).sample(packs * 3, 120):
                    for cuff in cuffs:
                        cuff.client.publish(cuff.credentials.topic, payload, qos=1)
                for cuff in cuffs:
                    answers = [await asyncio.to_thread(cuff.answers.get, timeout=60) for _ in range(120)]
                    assert {answer["stored"] for answer in answers} == {10}
        async with access.work(wire, "looked") as inner:
            everything = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
            for patient in ("p1", "p2", "p3"):
                assert len((await monitoring.series(inner, patient, "heart-rate", *everything)).points) == 400
                assert await monitoring.conflicts(inner, patient) == []
    finally:
        await link.close()
        await pool.close()
