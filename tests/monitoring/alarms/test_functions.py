"""Alarms from readings are off in a real clinic until an administrator switches them on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.monitoring import settings
from bedside.monitoring.alarms.testing import pressure, reading

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def real_clinic(ctx: Ctx) -> None:
    """As `bedside serve` begins."""
    settings.use(ctx.database, settings.Settings.of_words("", functions=False))


async def switch(ward: Ward, who: Ctx, *, on: bool, reason: str = "ward 3, decided by Dr Ruiz") -> None:
    async with access.work(who, "switched") as ctx:
        await monitoring.switch_function(ctx, "alarms", on=on, reason=reason)


async def watched(ward: Ward) -> bool:
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        return (await monitoring.watched(ctx, PATIENT)).now


async def test_what_came_while_off_is_counted_once_on_again(ward: Ward) -> None:
    """Two high, then three not while alarms are off: the next high one makes two of five, not three of three."""

    async def type_in(systolic: float) -> None:
        also = (monitoring.Typed("diastolic", 70),)
        async with access.work(ward.nurse, "typed") as ctx:
            await monitoring.enter_reading(ctx, monitoring.NewReading(PATIENT, "systolic", systolic, also=also))
        ward.clock.turn(timedelta(hours=6))

    async with access.work(ward.ctx, "enrolled") as ctx:
        await monitoring.set_profile(ctx, PATIENT, programmes=["hypertension"], reason="test")
    await switch(ward, ward.admin, on=True)
    for systolic in (140, 141):
        await type_in(systolic)
    await switch(ward, ward.admin, on=False)
    for systolic in (120, 121, 122):
        await type_in(systolic)
    await switch(ward, ward.admin, on=True)
    await type_in(142)
    assert await ward.alarms() == []


async def test_off_until_switched_on(ward: Ward) -> None:
    await ward.measure(*pressure(190, 125, ward.clock.now()))
    assert await ward.alarms() == []
    assert not await watched(ward)
    # What was measured is known all the same: the score has its inputs.
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        score = await monitoring.score(ctx, PATIENT)
    assert "systolic" not in {*score.missing, *score.stale}
    await switch(ward, ward.admin, on=True)
    assert await watched(ward)
    assert await ward.alarms() == []
    await ward.measure(*pressure(191, 125, ward.clock.now() + timedelta(seconds=1)))
    (alarm,) = await ward.alarms()
    assert alarm.priority == "high"
    await switch(ward, ward.admin, on=False, reason="the trial has ended")
    # What is open stays open; nothing new is raised.
    await ward.measure(reading("spo2", 80, ward.clock.now() + timedelta(seconds=2)))
    assert [one.id for one in await ward.alarms()] == [alarm.id]
    async with access.work(ward.admin, "looked", readonly=True) as ctx:
        stands = await monitoring.function(ctx, "alarms")
    assert not stands.on
    assert stands.switched is not None
    assert (stands.switched.reason, stands.switched.by_name) == ("the trial has ended", "Administrator")


async def test_a_silent_device_raises_nothing_while_off_and_is_noticed_once_on(ward: Ward) -> None:
    await ward.measure(reading("heart-rate", 70, ward.clock.now()))
    await ward.live(minutes=20)
    assert await ward.alarms() == []
    await switch(ward, ward.admin, on=True)
    await ward.live(minutes=20)
    assert [alarm.cause for alarm in await ward.alarms()] == ["silence:device-1"]


async def test_an_administrator_s_matter_with_a_reason(ward: Ward) -> None:
    for who in (ward.nurse, ward.doctor, ward.patient):
        with pytest.raises(Forbidden):
            await switch(ward, who, on=True)
    with pytest.raises(Invalid) as refused:
        await switch(ward, ward.admin, on=True, reason="  ok ")
    assert refused.value.where == "reason"
