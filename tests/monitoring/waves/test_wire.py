"""Waveforms from a real MQTT client to the store and back: acknowledged after the commit, once, whose they were."""

from __future__ import annotations

import asyncio
import io
import time
import zipfile
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from nats.aio.msg import Msg
from tests.monitoring.cuff import Cuff
from tests.monitoring.test_wire import add, kinds
from tests.monitoring.waves_made import DATA, lead, message, record

from bedside import access, monitoring
from bedside.fhir.structure import validate
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.foundation.errors import Invalid
from bedside.monitoring.waves.service import compaction

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


async def send(cuff: Cuff, seq: int, *leads: Any) -> dict[str, Any]:
    await cuff.send(message(seq, *leads), f"devices/{cuff.credentials.device}/waveforms")
    return await cuff.answer(seq)


async def back(ctx: Ctx, since: float, seconds: float, patient: str = "p1") -> list[monitoring.Track]:
    start = datetime.fromtimestamp(since, UTC)
    async with access.work(ctx, "looked at waveforms", readonly=True) as work:
        return (await monitoring.waves(work, patient, start, start + timedelta(seconds=seconds))).tracks


async def test_they_are_stored_acknowledged_and_told_once(wire: Ctx, bus: Bus, nats: Nats) -> None:
    device = await add(wire, kind="monitor")
    heard: list[Any] = []

    async def hear(found: Msg) -> None:
        heard.append((found.subject, msgspec.msgpack.decode(found.data)))

    await bus.client.subscribe("monitoring.waves.*.*", cb=hear)
    async with Cuff(device, nats.mqtt_port) as cuff:
        at = round(time.time()) - 2.0  # what is older than LIVE is not told
        first = lead("ecg-ii", at, range(250)), lead("pleth", at, range(50), hz=50, off=[[10, 19]])
        ack = {"seq": 1, "stored": 2, "refused": [], "of": "waveforms"}
        assert await send(cuff, 1, *first) == ack
        assert await send(cuff, 1, *first) == ack  # a lost acknowledgement
        other = await send(cuff, 2, lead("ecg-ii", at, [7, 7, 7]), lead("ecg-q", at, [1]), lead("ecg-ii", at + 1, [9]))
        assert other["stored"] == 1
        assert sorted((one["index"], one["reason"]) for one in other["refused"]) == [
            (1, "other samples are held for this lead and time"),
            (2, "unknown lead"),
        ]
        assert (await send(cuff, 3, "no lead"))["stored"] == 0
        await cuff.send(b"[]", f"devices/{device.device}/waveforms")
        assert (await cuff.answer(None))["refused"][0]["reason"] == "not CBOR"
    ecg, pleth = await back(wire, at, 5)
    assert ecg.raw.tolist() == [*range(250), 9]
    assert (pleth.raw.tolist(), pleth.off) == ([*range(50)], ((10, 19),))
    assert pleth.good.tolist() == [*range(10), *[-32768] * 10, *range(20, 50)]
    async with asyncio.timeout(30):
        while len(heard) < 2:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)
    assert [subject.split(".")[3] for subject, _ in heard] == ["p1", "p1"]
    assert [len(pieces) for _, pieces in heard] == [2, 1]
    assert (await kinds(wire))["refused-wave"] == 3


async def test_what_comes_late_is_stored_and_never_told_as_now(wire: Ctx, bus: Bus, nats: Nats) -> None:
    device = await add(wire, kind="monitor")
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def hear(found: Msg) -> None:
        await heard.put(msgspec.msgpack.decode(found.data))

    await bus.client.subscribe("monitoring.waves.*.*", cb=hear)
    old, ahead = round(time.time()) - 3600.0, round(time.time()) + 3600.0
    async with Cuff(device, nats.mqtt_port) as cuff:
        assert (await send(cuff, 1, lead("ecg-ii", old, [1, 2]), lead("ecg-ii", ahead, [3])))["stored"] == 2
        # What is told next is of now, and of one lead.
        assert (await send(cuff, 2, lead("pleth", time.time(), [4], hz=50)))["stored"] == 1
    assert [piece[3] for piece in await asyncio.wait_for(heard.get(), 30)] == [50.0]
    assert heard.empty()
    assert [track.raw.tolist() for track in await back(wire, old, 5)] == [[1, 2]]
    assert {"late", "clock"} <= (await kinds(wire)).keys()


async def test_they_are_put_together_by_the_minute_and_a_repeat_is_still_one(wire: Ctx, nats: Nats) -> None:
    device = await add(wire, kind="monitor")
    at = float(round(time.time()) - 200)
    parts = [lead("ecg-ii", at + n, range(n, n + 250), off=[[n, n]]) for n in range(0, 150, 3)]
    async with Cuff(device, nats.mqtt_port) as cuff:
        for n, part in enumerate(parts):
            await send(cuff, n, part)
        before = await back(wire, at, 200)
        assert await compaction.compact(wire, timedelta(0)) == 50
        assert await back(wire, at, 200) == before
        assert (await send(cuff, 3, parts[3]))["stored"] == 1
        assert (await send(cuff, 99, lead("ecg-ii", at + 3, [5])))["refused"][0]["index"] == 1
        await compaction.compact(wire, timedelta(0))
        assert await back(wire, at, 200) == before
    (track,) = before
    # Three seconds apart with a second of samples each: what is between is no sample.
    assert track.raw[:250].tolist() == [*range(250)]
    assert set(track.raw[250:750]) == {-32768}
    assert track.off[:2] == ((0, 0), (753, 753))
    assert len(track.raw) == 148 * 250
    assert [one.raw.tolist() for one in await back(wire, at + 3.5, 0.02)] == [[*range(128, 133)]]
    await compaction.forget(wire, 1)
    assert await back(wire, at, 200) == before
    later = wire.with_(clock=_Later())
    await compaction.forget(later, 1)
    assert await back(wire, at, 200) == []


class _Later:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=2)


async def test_they_are_whose_the_device_was_then(wire: Ctx, bus: Bus, nats: Nats) -> None:
    async with access.work(wire, "added a device") as inner:
        device = await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor"))
    at = round(time.time()) - 4.0
    async with Cuff(device, nats.mqtt_port) as cuff:
        assert (await send(cuff, 1, lead("resp", at, [1]), lead("resp", at + 2, [2])))["stored"] == 2
        assert await back(wire, at - 1, 5) == []
        async with access.work(wire, "gave it") as inner:
            await monitoring.assign_device(inner, device.device, "p1", since=datetime.fromtimestamp(at - 1, UTC))
            await monitoring.assign_device(inner, device.device, "p2", since=datetime.fromtimestamp(at + 3, UTC))
        assert [one.raw[0] for one in await back(wire, at - 1, 10)] == [1]
        assert (await send(cuff, 2, lead("resp", at + 3, [3])))["stored"] == 1
        assert [one.raw.tolist() for one in await back(wire, at - 1, 10, "p2")] == [[3]]
        assert (await kinds(wire))["unassigned"] == 2
        async with access.work(wire, "revoked it") as inner:
            await monitoring.revoke_device(inner, device.device)
        answered: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        async def hear(_: str, answer: dict[str, Any]) -> None:
            await answered.put(answer)

        await bus.subscribe(f"devices.{device.device}.acks", hear)
        await bus.client.publish(f"devices.{device.device}.waveforms", message(3, lead("resp", at + 4, [4])))
        refusal = await asyncio.wait_for(answered.get(), 30)
        assert (refusal["seq"], refusal["stored"]) == (3, 0)
        assert [one.raw.tolist() for one in await back(wire, at - 1, 10, "p2")] == [[3]]


async def test_another_device_s_waveforms_cannot_be_sent(wire: Ctx, nats: Nats) -> None:
    mine, theirs = await add(wire, kind="monitor"), await add(wire, "p2", "monitor")
    at = round(time.time()) - 2.0
    async with Cuff(mine, nats.mqtt_port) as cuff:
        await cuff.send(message(1, lead("resp", at, [1])), f"devices/{theirs.device}/waveforms")
        assert (await send(cuff, 2, lead("resp", at, [2])))["stored"] == 1
    assert await back(wire, at - 1, 10, "p2") == []


async def test_an_hour_is_the_most(wire: Ctx) -> None:
    with pytest.raises(Invalid):
        await back(wire, time.time() - 4000, 3601)


def signals(archive: bytes) -> dict[str, dict[str, Any]]:
    """What a reader of WFDB's format 16 finds, by the published description (header(5), signal(5))."""
    found: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for name in [one for one in zipped.namelist() if one.endswith(".hea")]:
            lines = [one for one in zipped.read(name).decode().splitlines() if not one.startswith("#")]
            record, count, hz, length, clock, day = lines[0].split()
            flat = array("h", zipped.read(f"{record}.dat"))
            assert len(flat) == int(count) * int(length)
            for place, line in enumerate(lines[1:]):
                file, form, gain, bits, zero, first, checksum, _, what = line.split()
                column = flat[place :: int(count)].tolist()
                assert (file, form, bits, zero, int(first)) == (f"{record}.dat", "16", "16", "0", column[0])
                assert (sum(column) - int(checksum)) % 65536 == 0
                per_unit, rest = gain.split("(")
                baseline, unit = rest.split(")/")
                found[what] = {
                    **{"hz": float(hz), "gain": float(per_unit), "baseline": int(baseline), "unit": unit},
                    **{"raw": column, "start": datetime.strptime(f"{day} {clock}+0000", "%d/%m/%Y %H:%M:%S.%f%z")},
                }
    return found


async def exported(ctx: Ctx, since: float, seconds: float) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    start = datetime.fromtimestamp(since, UTC)
    async with access.work(ctx, "took waveforms away", readonly=True) as work:
        strip = await monitoring.waves(work, "p1", start, start + timedelta(seconds=seconds))
    return signals(monitoring.waves_as_wfdb(strip)), monitoring.waves_as_fhir(strip)


async def test_what_leaves_is_wfdb_and_fhir(wire: Ctx, nats: Nats) -> None:
    device = await add(wire, kind="monitor")
    at = round(time.time()) - 4.0
    async with Cuff(device, nats.mqtt_port) as cuff:
        await send(cuff, 1, lead("ecg-ii", at, [1, 2, 3, 4], off=[[1, 1]], o=-5.12), lead("pleth", at, [7, 8], hz=125))
        await send(cuff, 2, lead("ecg-ii", at + 0.02, [5], o=-5.12), lead("abp", at + 0.004, [90], hz=250, k=1))
    found, fhir = await exported(wire, at, 4)
    nothing = -32768
    ecg = found["ecg-ii"]
    assert ecg["raw"] == [1, nothing, 3, 4, nothing, 5]
    assert (ecg["hz"], ecg["gain"], ecg["baseline"], ecg["unit"]) == (250, 200, 1024, "mV")
    assert ecg["start"] == datetime.fromtimestamp(at, UTC)
    assert found["abp"]["raw"] == [nothing, 90, nothing, nothing, nothing, nothing]
    assert (found["pleth"]["raw"], found["pleth"]["hz"]) == ([7, 8], 125)
    assert validate(fhir) == []
    by_lead = {one["code"]["text"]: one for entry in fhir["entry"] for one in entry["resource"]["component"]}
    assert by_lead["ecg-ii"]["code"]["coding"][0]["code"] == "131330"
    sampled = by_lead["ecg-ii"]["valueSampledData"]
    assert (sampled["data"], sampled["period"], sampled["factor"]) == ("1 E 3 4 E 5", 4, 0.005)
    assert sampled["origin"]["value"] == -5.12
    assert by_lead["abp"]["valueSampledData"]["data"] == "E 90"
    for entry in fhir["entry"]:
        assert validate(entry["resource"]) == []


@pytest.mark.skipif(not DATA.exists(), reason="the ECG records of ../shared/data are missing: nothing is replayed")
async def test_a_recorded_ecg_comes_back_sample_by_sample(wire: Ctx, nats: Nats) -> None:
    whole = record("208")[: 360 * 60]
    device = await add(wire, kind="monitor")
    at = round(time.time()) - 90.0
    async with Cuff(device, nats.mqtt_port) as cuff:
        for second in range(60):
            part = whole[second * 360 : (second + 1) * 360]
            await cuff.send(
                message(second, lead("ecg-ii", at + second, part, hz=360, o=-5.12)),
                f"devices/{device.device}/waveforms",
            )
        for second in range(60):
            assert (await cuff.answer(second))["stored"] == 1
    for put_together in (False, True):
        if put_together:
            assert await compaction.compact(wire, timedelta(0)) == 60
        found, fhir = await exported(wire, at, 61)
        assert found["ecg-ii"]["raw"] == list(whole)
        (entry,) = fhir["entry"]
        data = entry["resource"]["component"][0]["valueSampledData"]["data"]
        assert [int(one) for one in data.split()] == list(whole)
