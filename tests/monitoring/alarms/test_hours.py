"""When a place is watched: in its own zone, over midnight, over a change of the clock; and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from bedside import access, monitoring
from bedside.foundation.errors import Forbidden, Invalid, NotFound
from bedside.monitoring.alarms.model import Opening
from bedside.monitoring.alarms.service.hours import END_OF_DAY, in_hours

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine

NIGHT = [(5, time(22), time(0)), (6, time(0), time(6))]


def at(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """November 2026; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC)


def test_a_night_is_two_spans_without_a_gap_at_midnight() -> None:
    openings = [
        Opening("ward", 5, time(22), END_OF_DAY, "UTC"),
        Opening("ward", 6, time(0), time(6), "UTC"),
    ]
    for moment, now in (
        (at(20, 21, 59), False),
        (at(20, 22), True),
        (at(20, 23, 59, 59).replace(microsecond=999_998), True),
        (at(21, 0), True),
        (at(21, 6), False),
    ):
        assert in_hours(["ward"], openings, moment, {}).now is now, moment
    assert in_hours(["ward"], openings, at(21, 6), {}).opens_at == at(27, 22)


def test_hours_are_of_the_place_and_follow_its_clock() -> None:
    openings = [Opening("ward", day, time(8), time(18), "America/New_York") for day in range(1, 8)]
    summer, winter = datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 12, 1, 12, tzinfo=UTC)
    assert in_hours(["ward"], openings, summer, {}).now
    assert not in_hours(["ward"], openings, winter, {}).now
    assert in_hours(["ward"], openings, winter, {}).opens_at == datetime(2026, 12, 1, 13, tzinfo=UTC)


async def test_an_administrator_sets_them_and_the_patient_is_told(ward: Ward) -> None:
    async with access.work(ward.admin, "set hours") as ctx:
        assert await monitoring.hours(ctx) == {"ward": []}
        await monitoring.set_hours(ctx, "ward", NIGHT, "UTC")
        kept = (await monitoring.hours(ctx))["ward"]
    assert [(one.weekday, one.opens, one.closes) for one in kept] == [
        (5, time(22), END_OF_DAY),
        (6, time(0), time(6)),
    ]
    async with access.work(ward.patient, "looked", readonly=True) as ctx:
        found = await monitoring.watched(ctx, PATIENT)
    assert (found.now, found.places, found.opens_at) == (False, ("Virtual ward",), at(27, 22))
    async with access.work(ward.admin, "set hours") as ctx:
        await monitoring.set_hours(ctx, "ward", [], "UTC")
    async with access.work(ward.patient, "looked", readonly=True) as ctx:
        assert (await monitoring.watched(ctx, PATIENT)).now


async def test_what_makes_no_sense_is_refused_and_changes_nothing(ward: Ward) -> None:
    async with access.work(ward.admin, "set hours") as ctx:
        await monitoring.set_hours(ctx, "ward", NIGHT, "UTC")
    for openings, zone, where in (
        ([(1, time(18), time(8))], "UTC", "1"),
        ([(2, time(8), time(8))], "UTC", "2"),
        ([(3, time(8), time(12)), (3, time(11), time(18))], "UTC", "3"),
        ([(8, time(8), time(12))], "UTC", "8"),
        ([(1, time(8), time(12))], "Europe/Atlantis", "zone"),
        ([(1, time(8), time(12))], "", "zone"),
    ):
        with pytest.raises(Invalid) as refused:
            async with access.work(ward.admin, "set hours") as ctx:
                await monitoring.set_hours(ctx, "ward", openings, zone)
        assert refused.value.where == where
    with pytest.raises(NotFound):
        async with access.work(ward.admin, "set hours") as ctx:
            await monitoring.set_hours(ctx, "nowhere", [], "UTC")
    for other in (ward.nurse, ward.doctor, ward.patient):
        with pytest.raises(Forbidden):
            async with access.work(other, "set hours") as ctx:
                await monitoring.set_hours(ctx, "ward", [], "UTC")
    async with access.work(ward.admin, "looked", readonly=True) as ctx:
        assert len((await monitoring.hours(ctx))["ward"]) == 2
