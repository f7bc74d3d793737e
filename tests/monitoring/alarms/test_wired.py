"""The alarm on the one direct path: through the room's face, from a pack or a typed value to the alarm and back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside import access, monitoring, records

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine


async def typed(ward: Ward, systolic: float, diastolic: float) -> monitoring.Reading:
    async with access.work(ward.nurse, "entered a reading") as ctx:
        return await monitoring.enter_reading(
            ctx,
            monitoring.NewReading(
                PATIENT, "systolic", systolic, also=(monitoring.Typed("diastolic", diastolic),), confirmed=True
            ),
        )


async def test_a_typed_reading_is_judged_in_the_transaction_that_stores_it(ward: Ward) -> None:
    await typed(ward, 178, 112)
    alarm = await ward.only()
    assert alarm.cause == "blood-pressure-high"
    assert alarm.finding["inputs"][0]["source"] == "staff"


async def test_withdrawing_the_reading_withdraws_its_alarm_and_the_value_before_stands(ward: Ward) -> None:
    await typed(ward, 130, 80)
    ward.clock.turn(timedelta(minutes=1))
    wrong = await typed(ward, 178, 112)
    async with access.work(ward.nurse, "withdrew a reading") as ctx:
        await monitoring.withdraw(ctx, wrong.id, "another patient's")
    assert (await ward.only()).state == "withdrawn"
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        latest = {found.metric: found.value for found in (await monitoring.latest(ctx, [PATIENT]))[PATIENT]}
        inputs = {found.metric: found.value for found in (await monitoring.score(ctx, PATIENT)).inputs}
    assert latest["systolic"] == inputs["systolic"] == 130


async def test_a_device_given_away_is_expected_of_its_new_holder_alone(ward: Ward) -> None:
    async with access.work(ward.ctx, "added a device") as ctx:
        for patient in (PATIENT, "patient-2"):
            await records.create(ctx, {"resourceType": "Patient", "id": patient}, id=patient)
        made = await monitoring.add_device(ctx, monitoring.NewDevice("monitor", PATIENT))
    async with access.work(ward.ctx, "gave it away") as ctx:
        await access.place_patient(ctx, "patient-2", "ward")
        await monitoring.assign_device(ctx, made.device, "patient-2", since=ward.clock.now())
    await ward.live(minutes=3)
    assert await ward.alarms() == []
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        (alarm,) = await monitoring.alarms(ctx, place="ward")
    assert (alarm.patient, alarm.cause) == ("patient-2", f"silence:{made.device}")


async def test_who_gave_it_back_as_planned_is_not_woken_by_its_silence(ward: Ward) -> None:
    async with access.work(ward.ctx, "added a device") as ctx:
        for patient in (PATIENT, "patient-2"):
            await records.create(ctx, {"resourceType": "Patient", "id": patient}, id=patient)
        made = await monitoring.add_device(ctx, monitoring.NewDevice("monitor", PATIENT))
    back = ward.clock.now() + timedelta(minutes=1)
    async with access.work(ward.ctx, "lent it until, and to whom next") as ctx:
        await access.place_patient(ctx, "patient-2", "ward")
        await monitoring.assign_device(ctx, made.device, PATIENT, since=ward.clock.now(), until=back)
        await monitoring.assign_device(ctx, made.device, "patient-2", since=back)
    await ward.live(minutes=3)
    assert await ward.alarms(open_only=False) == []
    await ward.live(minutes=3)
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        (alarm,) = await monitoring.alarms(ctx, place="ward")
    assert (alarm.patient, alarm.cause) == ("patient-2", f"silence:{made.device}")


async def test_an_alarm_of_its_silence_ends_with_the_stay(ward: Ward) -> None:
    async with access.work(ward.ctx, "added a device") as ctx:
        await records.create(ctx, {"resourceType": "Patient", "id": PATIENT}, id=PATIENT)
        made = await monitoring.add_device(ctx, monitoring.NewDevice("monitor", PATIENT))
        back = ward.clock.now() + timedelta(minutes=5)
        await monitoring.assign_device(ctx, made.device, PATIENT, since=ward.clock.now(), until=back)
    await ward.live(minutes=3)
    assert (await ward.only()).state == "raised"
    await ward.live(minutes=5)
    assert (await ward.only()).state == "ended"
