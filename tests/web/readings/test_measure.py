"""Where a browser sends what it read from a Bluetooth device: whose it is, once each, the second look, refusals."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone

if TYPE_CHECKING:
    import httpx
    from tests.web.conftest import Ward

pytestmark = pytest.mark.engine

CUFF = {"kind": "blood-pressure", "name": "BP7250 3F2A", "id": "k7Jq=="}


def now(ward: Ward) -> int:
    """ms since 1970, in whole seconds, as a device's clock has it."""
    return int(ward.ctx.clock.now().timestamp()) * 1000


def sent(ward: Ward, *values: tuple[str, float, str], time: int | None = None, **more: Any) -> dict[str, Any]:
    said = [{"metric": metric, "value": value, "unit": unit} for metric, value, unit in values]
    return {"patient": ward.rosa_id, **CUFF, "time": time or now(ward), "values": said, **more}


def pressure(ward: Ward, high: float = 132, low: float = 84, unit: str = "mm[Hg]", **more: Any) -> dict[str, Any]:
    return sent(ward, ("systolic", high, unit), ("diastolic", low, unit), **more)


async def post(client: httpx.AsyncClient, body: Any) -> httpx.Response:
    return await client.post("/readings/measured", json=body, headers={"accept": "application/json"})


async def held(ward: Ward) -> dict[str, monitoring.Latest]:
    async with access.work(ward.ctx, "looked for a test") as ctx:
        return {one.metric: one for one in (await monitoring.latest(ctx, [ward.rosa_id]))[ward.rosa_id]}


async def points(ward: Ward, metric: str) -> list[monitoring.Point]:
    async with access.work(ward.ctx, "looked for a test") as ctx:
        end = ward.ctx.clock.now() + timedelta(days=1)
        return list((await monitoring.series(ctx, ward.rosa_id, metric, end - timedelta(days=90), end)).points)


async def devices(ward: Ward) -> list[monitoring.Device]:
    async with access.work(ward.ctx, "looked for a test") as ctx:
        return await monitoring.devices(ctx, ward.rosa_id)


async def test_what_the_cuff_sent_is_of_the_cuff_and_leads_to_what_it_means(ward: Ward) -> None:
    time = now(ward)
    async with ward.as_(ward.rosa) as client:
        pulse = ("heart-rate", 71, "/min")
        body = sent(ward, ("systolic", 132, "mm[Hg]"), ("diastolic", 84, "mm[Hg]"), pulse, time=time)
        answer = await post(client, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["conflict"] is False
        after = (await client.get(answer.json()["next"])).text
    assert "132/84" in after
    assert "from the device" in after
    found = await held(ward)
    assert {metric: one.value for metric, one in found.items()} == {"systolic": 132, "diastolic": 84, "heart-rate": 71}
    assert {one.source for one in found.values()} == {"device"}
    assert found["systolic"].device_time.timestamp() * 1000 == time
    (device,) = await devices(ward)
    assert (device.kind, device.label, device.patient) == ("paired", "BP7250 3F2A", ward.rosa_id)
    async with access.work(ward.ctx, "looked for a test") as ctx:
        fhir = await records.read(ctx, "Device", device.device)
    assert fhir["type"] == {"text": "blood-pressure"}
    assert fhir["patient"] == {"reference": f"Patient/{ward.rosa_id}"}


async def test_a_battery_told_first_does_not_take_the_place_of_what_was_measured(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        body = sent(ward, ("battery", 80, "%"), ("weight", 61.4, "kg"), kind="scale")
        answer = await post(client, body)
        assert answer.status_code == 200, answer.text
        assert "61.4" in (await client.get(answer.json()["next"])).text


async def test_a_high_pressure_raises_its_alarm_and_leads_to_the_symptoms(ward: Ward) -> None:
    async with access.work(ward.ctx, "set a profile for a test") as ctx:
        await monitoring.set_profile(ctx, ward.rosa_id, birth_date=date(1951, 3, 2))
    async with ward.as_(ward.rosa) as client:
        answer = await post(client, pressure(ward, 178, 112))
        assert "Do you have any of these now?" in (await client.get(answer.json()["next"])).text
    async with access.work(acting(ward.ctx, ward.nurse), "looked for a test") as ctx:
        assert "blood-pressure-high" in {a.cause for a in await monitoring.alarms(ctx, patient=ward.rosa_id)}


async def test_sent_again_it_is_held_once(ward: Ward) -> None:
    body = pressure(ward)
    async with ward.as_(ward.rosa) as client:
        answers = [await post(client, body) for _ in range(3)]
        # Another browser has another id for the same cuff; its own name tells that it is the one.
        answers.append(await post(client, {**body, "id": "of another phone"}))
    assert {answer.json()["next"] for answer in answers} == {answers[0].json()["next"]}
    assert not any(answer.json()["conflict"] for answer in answers)
    assert len(await points(ward, "systolic")) == 1
    assert len(await devices(ward)) == 1


async def test_two_tabs_that_meet_a_device_first_at_one_moment_make_one_of_it(ward: Ward) -> None:
    start = now(ward)
    async with ward.as_(ward.rosa) as client:
        bodies = [pressure(ward, 130 + n, 80, time=start - n * 1000) for n in range(6)]
        answers = await asyncio.gather(*(post(client, body) for body in bodies))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len(await devices(ward)) == 1
    assert len(await points(ward, "systolic")) == 6


@pytest.mark.parametrize("name", ["", "   ", "\x00\x07 cuff", "<script>alert(1)</script>", "Ñandú 🫀", "x" * 200])
async def test_a_device_may_call_itself_anything(ward: Ward, name: str) -> None:
    async with ward.as_(ward.rosa) as client:
        assert (await post(client, pressure(ward, name=name))).status_code == 200
    (device,) = await devices(ward)
    assert device.label
    assert device.label.isprintable()


async def test_devices_without_a_name_are_told_apart_by_the_browsers_word_for_them(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        for id_ in ("one", "other", "one"):
            assert (await post(client, pressure(ward, name="", id=id_))).status_code == 200
    assert len(await devices(ward)) == 2


async def test_another_number_for_the_same_moment_is_kept_beside_the_first_and_said(ward: Ward) -> None:
    time = now(ward)
    async with ward.as_(ward.rosa) as client:
        await post(client, pressure(ward, 132, 84, time=time))
        answer = await post(client, pressure(ward, 140, 84, time=time))
    assert answer.json()["conflict"] is True
    assert (await held(ward))["systolic"].value == 132
    async with access.work(ward.ctx, "looked for a test") as ctx:
        (conflict,) = await monitoring.conflicts(ctx, ward.rosa_id)
    assert (conflict.kept, conflict.other) == (132, 140)


async def test_units_are_converted_here_and_kept_as_sent(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        answer = await post(client, pressure(ward, 17.5, 11.2, "kPa"))
        assert answer.status_code == 200
        for kind, value in (("thermometer", ("temperature", 98.6, "[degF]")), ("scale", ("weight", 155.36, "[lb_av]"))):
            assert (await post(client, sent(ward, value, kind=kind, name=kind))).status_code == 200
    found = await held(ward)
    assert (found["systolic"].value, found["diastolic"].value, found["systolic"].unit) == (131, 84, "mm[Hg]")
    assert (found["temperature"].value, found["weight"].value) == (37.0, 70.47)
    assert all("converted" in found[metric].flags for metric in ("systolic", "temperature", "weight"))


async def test_what_is_unusual_is_asked_once_more_and_what_cannot_be_is_refused(ward: Ward) -> None:
    body = pressure(ward, 265, 112)
    async with ward.as_(ward.rosa) as client:
        assert (await post(client, body)).status_code == 422
        assert await held(ward) == {}
        assert await devices(ward) == []
        assert (await post(client, {**body, "confirmed": True})).status_code == 200
        assert (await held(ward))["systolic"].value == 265
        for impossible in (pressure(ward, 900, 112), pressure(ward, 84, 132), pressure(ward, 2047, 84)):
            assert (await post(client, {**impossible, "confirmed": True})).status_code == 400


async def test_what_is_old_comes_with_its_time_and_is_late(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        old = now(ward) - 40 * 86_400_000
        assert (await post(client, pressure(ward, 178, 112, time=old))).status_code == 200
    (point,) = await points(ward, "systolic")
    assert point.device_time.timestamp() * 1000 == old
    assert "late" in point.flags


async def test_what_is_no_reading_is_refused_by_name_and_without_its_values(ward: Ward) -> None:
    good = pressure(ward)
    bad: list[Any] = [
        [],
        {**good, "kind": "monitor"},
        {**good, "kind": "thermometer"},
        {**good, "values": []},
        {**good, "values": good["values"][:1]},
        {**good, "values": good["values"] * 2},
        {**good, "values": [*good["values"], {"metric": "glucose", "value": 100, "unit": "mg/dL"}]},
        {**good, "values": [{**good["values"][0], "value": "4711"}, good["values"][1]]},
        {**good, "values": [{**good["values"][0], "unit": "bar"}, good["values"][1]]},
        {**good, "time": 4711},
        {**good, "time": now(ward) + 3 * 86_400_000},
        {**good, "name": "x" * 9000},
        {key: value for key, value in good.items() if key != "patient"},
    ]
    async with ward.as_(ward.rosa) as client:
        for body in bad:
            answer = await post(client, body)
            assert answer.status_code == 400, body
            assert answer.json()["error"]
            assert "4711" not in answer.text
        for raw in (b"", b'{"patient": "\\ud800"}', b"{", b"\xff\xfe", b'{"time": 1e999}'):
            answer = await client.post("/readings/measured", content=raw, headers={"accept": "application/json"})
            assert answer.status_code == 400, raw
    assert await held(ward) == {}


async def test_what_waited_for_one_patient_is_never_taken_for_another(ward: Ward) -> None:
    ben = await someone(ward.ctx, "patient", name="Ben Nunez", patient=ward.ben_id)
    body = pressure(ward)
    async with ward.as_(ben) as client:
        answer = await post(client, body)
        assert (answer.status_code, answer.json()["where"]) == (409, "patient")
        # The same cuff in his own name is another device: nothing of hers is touched, and nothing is told of it.
        assert (await post(client, {**body, "patient": ward.ben_id})).status_code == 200
    assert await held(ward) == {}
    async with ward.as_(ward.rosa) as client:
        assert (await post(client, pressure(ward, 150, 90, time=body["time"]))).json()["conflict"] is False
    assert (await held(ward))["systolic"].value == 150
    async with ward.as_(ward.nurse) as client:
        assert (await post(client, body)).status_code == 403


async def test_a_device_that_the_clinic_took_back_or_switched_off_sends_nothing(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        await post(client, pressure(ward))
        (device,) = await devices(ward)
        async with access.work(ward.ctx, "took a device back for a test") as ctx:
            await monitoring.assign_device(ctx, device.device, None, since=ward.ctx.clock.now() - timedelta(hours=1))
        answer = await post(client, pressure(ward, 150, 90, time=now(ward) - 60_000))
        assert (answer.status_code, answer.json()["where"]) == (409, None)
        async with access.work(ward.ctx, "revoked a device for a test") as ctx:
            await monitoring.revoke_device(ctx, device.device)
        assert (await post(client, pressure(ward, 150, 90))).status_code == 403
    assert (await held(ward))["systolic"].value == 132


async def test_another_site_cannot_send(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        headers = {"accept": "application/json", "sec-fetch-site": "cross-site"}
        answer = await client.post("/readings/measured", json=pressure(ward), headers=headers)
    assert answer.status_code == 403
    assert await held(ward) == {}


async def test_the_pages_say_what_to_do_and_lead_to_typing(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        assert 'href="/readings/measure"' in (await client.get("/home")).text
        assert 'href="/readings/measure"' in (await client.get("/readings")).text
        choice = (await client.get("/readings/measure")).text
        for kind, typed in (("blood-pressure", "blood-pressure"), ("pulse-oximeter", "oxygen"), ("heart-rate", None)):
            assert f'href="/readings/measure/{kind}"' in choice
            page = (await client.get(f"/readings/measure/{kind}")).text
            assert f'href="/readings/send{"/" + typed if typed else ""}"' in page
            assert f'data-patient="{ward.rosa_id}"' in page
        assert (await client.get("/readings/measure/toaster")).status_code == 404
