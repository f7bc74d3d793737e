"""The irregular pulse flag from packs to the alarm: only where switched on, for adults, and ended by an even pulse."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from tests.monitoring.alarms.conftest import Ward

from bedside import access, monitoring
from bedside.monitoring import settings
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


class Strap:
    """A chest strap of p1: beats in packs of 64."""

    def __init__(self, ward: Ward, name: str) -> None:
        self.ward, self.name, self.at = ward, name, ward.clock.now()

    async def send(self, intervals: list[int]) -> None:
        for first in range(0, len(intervals), 64):
            beats = []
            for each in intervals[first : first + 64]:
                self.at += timedelta(milliseconds=each)
                beats.append(("rr-interval", each, "ms", self.at.timestamp()))
            async with access.work(self.ward.ctx, "landed packs") as ctx:
                await land(ctx, [arrival(self.name, pack(None, *beats), self.at.timestamp() + 1)])

    async def alarms(self) -> list[monitoring.Alarm]:
        async with access.work(self.ward.ctx, "looked", readonly=True) as ctx:
            return [one for one in await monitoring.alarms(ctx, patient="p1") if one.cause == "irregular-pulse"]


@pytest.fixture
async def strap(ward: Ward) -> Strap:
    async with access.work(ward.ctx, "gave a strap") as ctx:
        made = await monitoring.add_device(ctx, monitoring.NewDevice(kind="heart-rate", patient="p1"))
        await monitoring.set_profile(ctx, "p1", birth_date=date(1950, 3, 1))
    return Strap(ward, made.device)


def fibrillating(count: int = 128) -> list[int]:
    rng = random.Random(5)
    return [rng.randint(450, 1100) for _ in range(count)]


async def test_raised_once_labelled_and_ended_by_an_even_pulse(strap: Strap) -> None:
    await strap.send(fibrillating(64))
    assert await strap.alarms() == []
    await strap.send(fibrillating())
    (alarm,) = await strap.alarms()
    finding = alarm.finding
    assert (alarm.priority, alarm.state, finding["beats"]) == ("low", "raised", 128)
    assert "not a diagnosis, not an ECG" in finding["source"]
    assert finding["ratio"] == finding["value"] > finding["limit"] == 0.1
    assert 0.54 < finding["turning"] < 0.77
    assert finding["entropy"] > 0.7
    assert finding["inputs"][0]["metric"] == "rr-interval"
    await strap.send([800, 810, 790, 805] * 16)
    assert [one.id for one in await strap.alarms()] == [alarm.id]
    await strap.send([800, 810, 790, 805] * 16)
    assert [one.state for one in await strap.alarms()] == ["ended"]


async def test_off_in_a_real_clinic_though_alarms_are_on(strap: Strap) -> None:
    settings.use(strap.ward.ctx.database, settings.Settings.of_words("", functions=False))
    async with access.work(strap.ward.admin, "switched") as ctx:
        await monitoring.switch_function(ctx, "alarms", on=True, reason="ward 3")
    await strap.send(fibrillating())
    assert await strap.alarms() == []
    async with access.work(strap.ward.admin, "switched") as ctx:
        await monitoring.switch_function(ctx, "irregular-pulse", on=True, reason="study 12")
    await strap.send(fibrillating(64))
    assert len(await strap.alarms()) == 1


async def test_not_of_a_child_and_not_over_a_gap(strap: Strap) -> None:
    await strap.send(fibrillating(64))
    strap.at += timedelta(seconds=5)
    await strap.send(fibrillating(64))
    assert await strap.alarms() == []
    async with access.work(strap.ward.ctx, "corrected") as ctx:
        await monitoring.set_profile(ctx, "p1", birth_date=date(2016, 1, 1))
    await strap.send(fibrillating())
    assert await strap.alarms() == []
