"""The gateway's WebSocket: each pack answered in order after its commit, and ends that say why."""

import asyncio
import base64
import contextlib
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import orjson
import pytest
import websockets
from tests.monitoring.routes.conftest import Doors
from tests.monitoring.test_wire import kinds
from tests.monitoring.waves_made import lead, message

from bedside import access, monitoring
from bedside.monitoring import settings
from bedside.monitoring.routes import gateway as door
from bedside.monitoring.testing import pack

pytestmark = pytest.mark.engine


def connect(doors: Doors, device: monitoring.DeviceCredentials, password: str = "", **options: Any) -> Any:
    secret = base64.b64encode(f"{device.username}:{password or device.password}".encode()).decode()
    return websockets.connect(
        f"{doors.address.replace('http', 'ws')}/devices/{device.device}/ws",
        additional_headers={"authorization": f"Basic {secret}"},
        subprotocols=options.pop("subprotocols", [door.SUBPROTOCOL]),
        **options,
    )


async def heard(link: Any) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(await asyncio.wait_for(link.recv(), 30))
    return found


async def closed(link: Any, seconds: float = 30) -> int:
    """The code: one that is not ended by the other side stays for IDLE seconds."""
    async with asyncio.timeout(seconds):
        try:
            while True:
                await link.recv()
        except websockets.ConnectionClosed as end:
            assert end.rcvd is not None
            return int(end.rcvd.code)


async def test_text_and_binary_are_answered_in_order(doors: Doors) -> None:
    async with connect(doors, doors.mine) as link:
        assert link.subprotocol == door.SUBPROTOCOL
        now = time.time()
        for seq in range(1, 201):
            if seq % 3:
                await link.send(pack(seq, ("heart-rate", 60 + seq % 30, "/min", now - 300 + seq)).decode())
            else:
                await link.send(cbor2.dumps([{0: "seq", 2: seq}, {0: "spo2", 1: "%", 2: 97, 6: now - 300 + seq}]))
        answers = [await heard(link) for _ in range(200)]
    assert [one["seq"] for one in answers] == list(range(1, 201))
    assert {one["stored"] for one in answers} == {1}
    assert await doors.newest() == {"heart-rate": 60 + 200 % 30, "spo2": 97}


async def test_what_is_no_pack_is_answered_and_the_link_goes_on(doors: Doors) -> None:
    async with connect(doors, doors.mine) as link:
        await link.send("{}")
        await link.send(b"[]")
        await link.send(pack(3, ("spo2", 101, "%", time.time()), ("spo2", 99, "%", time.time())).decode())
        assert (await heard(link))["refused"] == [{"index": None, "reason": "not an array of SenML records"}]
        assert (await heard(link))["refused"] == [{"index": None, "reason": "not CBOR"}]
        assert await heard(link) == {"seq": 3, "stored": 1, "refused": [{"index": 1, "reason": "an impossible value"}]}
    assert (await kinds(doors.ctx))["malformed"] == 2


async def test_the_handshake_refuses(doors: Doors) -> None:
    stranger = monitoring.DeviceCredentials(doors.theirs.device, doors.mine.username, doors.mine.password, "", "")
    for device, password, options in (
        (doors.mine, "wrong", {}),
        (stranger, "", {}),
        (doors.mine, "", {"subprotocols": None}),
        (doors.mine, "", {"subprotocols": ["mqtt"]}),
    ):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with connect(doors, device, password, **options):
                pass
        assert 400 <= refused.value.response.status_code < 500
    assert await doors.newest("p2") == {}


async def test_a_device_that_is_revoked_meanwhile_is_cut_off(doors: Doors) -> None:
    async with connect(doors, doors.mine) as link, connect(doors, doors.theirs) as other:
        await link.send(pack(1, ("heart-rate", 70, "/min", time.time())).decode())
        assert (await heard(link))["stored"] == 1
        async with access.work(doors.ctx, "revoked a device") as inner:
            await monitoring.revoke_device(inner, doors.mine.device)
        assert await closed(link) == door.POLICY
        await other.send(pack(1, ("heart-rate", 71, "/min", time.time())).decode())
        assert (await heard(other))["stored"] == 1


async def test_a_device_that_expires_meanwhile_is_cut_off(doors: Doors) -> None:
    async with access.work(doors.ctx, "added a device") as inner:
        ends = datetime.now(UTC) + timedelta(seconds=5)
        brief = await monitoring.add_device(inner, monitoring.NewDevice(kind="scale", patient="p1", expires=ends))
    async with connect(doors, brief) as link:
        assert await closed(link) == door.POLICY
    assert datetime.now(UTC) >= ends


async def test_a_device_that_is_revoked_and_sends_is_cut_off_at_once_and_nothing_is_kept(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LOOK_EVERY", 60)
    async with connect(doors, doors.mine) as link:
        async with access.work(doors.ctx, "revoked a device") as inner:
            await monitoring.revoke_device(inner, doors.mine.device)
        await link.send(pack(1, ("heart-rate", 199, "/min", time.time())).decode())
        assert await closed(link) == door.POLICY
    assert await doors.newest() == {}


async def test_too_large_a_message_ends_the_link(doors: Doors) -> None:
    async with connect(doors, doors.mine) as link:
        await link.send("[" + " " * 1_100_000 + "]")
        assert await closed(link) == door.TOO_BIG


async def test_above_its_limit_the_link_ends_and_no_new_one_begins(doors: Doors) -> None:
    settings.use(doors.ctx.database, settings.Settings(messages=5))
    async with connect(doors, doors.mine) as link:
        with contextlib.suppress(websockets.ConnectionClosed):  # it may end before the last of them
            for seq in range(60):
                await link.send(pack(seq, ("heart-rate", 70, "/min", time.time())).decode())
        assert await closed(link) == door.LATER
    with pytest.raises(websockets.InvalidStatus):
        async with connect(doors, doors.mine):
            pass
    async with connect(doors, doors.theirs) as other:
        await other.send(pack(1, ("heart-rate", 71, "/min", time.time())).decode())
        assert (await heard(other))["stored"] == 1
    assert (await kinds(doors.ctx))["flood"] == 1


async def test_a_gateway_that_does_not_read_its_answers_is_held_back(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is heard and not landed stays few while the landing is slow."""
    most = 0
    landing = door._stored

    async def slow(ctx: Any, known: Any, payloads: list[str | bytes]) -> list[bytes]:
        nonlocal most
        most = max(most, len(payloads))
        await asyncio.sleep(0.05)
        return await landing(ctx, known, payloads)

    monkeypatch.setattr(door, "_stored", slow)
    async with connect(doors, doors.mine) as link:
        now = time.time()
        for seq in range(1000):
            await link.send(pack(seq, ("heart-rate", 70, "/min", now - 2000 + seq)).decode())
        assert [(await heard(link))["seq"] for _ in range(1000)] == list(range(1000))
    assert 1 < most <= door.WAITING + 1


async def test_links_of_one_device_are_few(doors: Doors) -> None:
    links = [await connect(doors, doors.mine) for _ in range(door.MOST_LINKS)]
    with pytest.raises(websockets.InvalidStatus):
        await connect(doors, doors.mine)
    for one in links:
        await one.close()
    async with asyncio.timeout(30):
        while door._links[doors.mine.device]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    async with connect(doors, doors.mine):
        pass


async def test_waveforms_have_a_subprotocol_of_their_own(doors: Doors) -> None:
    at = round(time.time()) - 3.0
    async with connect(doors, doors.mine, subprotocols=[door.WAVES]) as link:
        assert link.subprotocol == door.WAVES
        await link.send(message(1, lead("ecg-ii", at, [1, 2]), lead("pleth", at, [3])))
        await link.send("[]")
        await link.send(message(2, lead("ecg-ii", at + 1, [4]), "no lead"))
        assert await heard(link) == {"seq": 1, "stored": 2, "refused": [], "of": "waveforms"}
        assert (await heard(link))["refused"] == [{"index": None, "reason": "not CBOR"}]
        assert (await heard(link))["refused"] == [{"index": 2, "reason": "not a map"}]
        since = datetime.fromtimestamp(at, UTC)
        async with access.work(doors.ctx, "looked", readonly=True) as inner:
            strip = await monitoring.waves(inner, "p1", since, since + timedelta(seconds=3))
        assert {track.lead.name: track.raw[:2].tolist() for track in strip.tracks} == {"ecg-ii": [1, 2], "pleth": [3]}
        async with access.work(doors.ctx, "revoked a device") as inner:
            await monitoring.revoke_device(inner, doors.mine.device)
        await link.send(message(3, lead("ecg-ii", at + 2, [5])))
        assert await closed(link) == 1008
