"""Rules that look back, batteries and beats in an alarm's life, on a real database."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.monitoring.alarms.service import baselines, clockwork, reports
from bedside.monitoring.alarms.testing import Reading, pressure, reading
from bedside.monitoring.rules.model.limits import PatientLimit
from bedside.monitoring.series.model.identity import Identity

pytestmark = pytest.mark.engine

HOUR = 3600


async def enrol(ward: Ward, *programmes: str) -> None:
    async with access.work(ward.ctx, "enrolled") as ctx:
        await monitoring.set_profile(ctx, PATIENT, programmes=programmes, reason="test")


def cuff(ward: Ward, systolic: float, *, ago: float = 0, flags: str = "") -> list[Reading]:
    return pressure(systolic, 70, ward.clock.now(), ago=ago, flags=flags)


async def test_three_of_five_raise_once_and_end_when_fewer_are_left(ward: Ward) -> None:
    await enrol(ward, "hypertension")
    expected = []
    for systolic in (140, 120, 141, 118, 142, 119, 117, 116):
        await ward.measure(*cuff(ward, systolic))
        expected.append([alarm.state for alarm in await ward.alarms()])
        await ward.turn(hours=5)
    # The fifth makes three of five; 119 leaves two (141, 142).
    assert expected[:4] == [[]] * 4
    assert expected[4:6] == [["raised"], ["ended"]]
    alarm = await ward.only()
    finding = alarm.finding
    assert (alarm.priority, finding["rule"], finding["kind"]) == ("low", "systolic-stays-raised-at-home", "persistence")
    assert (finding["least"], finding["of"], finding["count"], finding["looked"]) == (3, 5, 3, 5)
    assert [one["value"] for one in finding["inputs"] if one["metric"] == "systolic"] == [142, 118, 141, 120, 140]
    assert finding["version"] == "2026-11-29"


async def test_still_three_of_five_does_not_end_with_one_good_reading(ward: Ward) -> None:
    await enrol(ward, "hypertension")
    for systolic in (140, 141, 142, 120):
        await ward.measure(*cuff(ward, systolic))
        ward.clock.turn(timedelta(hours=1))
    (alarm,) = await ward.alarms()
    assert alarm.state == "raised"


async def test_who_is_in_no_programme_is_not_remembered(ward: Ward) -> None:
    await ward.measure(*cuff(ward, 140))
    async with access.work(ward.ctx, "looked") as ctx:
        assert await ctx.sql.fetchval("select recent from monitoring.watch where patient = $1", PATIENT) == {}
    await enrol(ward, "hypertension")
    await ward.measure(*cuff(ward, 141))
    async with access.work(ward.ctx, "looked") as ctx:
        kept = await ctx.sql.fetchval("select recent from monitoring.watch where patient = $1", PATIENT)
    assert set(kept) == {"systolic", "diastolic"}
    await enrol(ward)
    await ward.measure(*cuff(ward, 170))
    async with access.work(ward.ctx, "looked") as ctx:
        assert await ctx.sql.fetchval("select recent from monitoring.watch where patient = $1", PATIENT) == {}


async def test_a_new_rule_knows_what_was_measured_before_it(ward: Ward) -> None:
    async def type_in(systolic: float) -> None:
        also = (monitoring.Typed("diastolic", 70),)
        async with access.work(ward.nurse, "typed") as ctx:
            await monitoring.enter_reading(ctx, monitoring.NewReading(PATIENT, "systolic", systolic, also=also))
        ward.clock.turn(timedelta(hours=6))

    for systolic in (150, 141, 120, 142):
        await type_in(systolic)
    await enrol(ward, "hypertension")
    await type_in(140)
    alarm = await ward.only()
    inputs = [one["value"] for one in alarm.finding["inputs"] if one["metric"] == "systolic"]
    assert (alarm.finding["count"], inputs) == (4, [140, 142, 120, 141, 150])
    for systolic in (119, 118):
        await type_in(systolic)
    # 140, 142 and 120, 119, 118: two of five.
    assert [one.state for one in await ward.alarms()] == ["ended"]


async def test_late_readings_raise_nothing_and_end_nothing(ward: Ward) -> None:
    await enrol(ward, "hypertension")
    for ago in (9, 8, 7):
        await ward.measure(*cuff(ward, 140, ago=ago * HOUR, flags="late"))
    assert await ward.alarms(open_only=False) == []
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        (late,) = await monitoring.late_findings(ctx)
    assert late.finding["rule"] == "systolic-stays-raised-at-home"
    await ward.measure(*cuff(ward, 141))
    before = await ward.only()
    for ago in (5, 4, 3):
        await ward.measure(*cuff(ward, 110, ago=ago * HOUR, flags="late"))
    assert await ward.only() == before


async def test_one_out_of_order_fills_the_gap(ward: Ward) -> None:
    await enrol(ward, "hypertension")
    await ward.measure(*cuff(ward, 140, ago=300))
    await ward.measure(*cuff(ward, 142))
    assert await ward.alarms() == []
    await ward.measure(*cuff(ward, 141, ago=120, flags="disorder"))
    (alarm,) = await ward.alarms()
    assert (alarm.finding["rule"], alarm.finding["count"]) == ("systolic-stays-raised-at-home", 3)


async def test_alarms_are_those_of_a_naive_walk(ward: Ward) -> None:
    """120 values an hour apart: raised where 2 of the last 3, and the newest, are above 250; ended where fewer are."""
    own = PatientLimit("glucose", ">", 250, "medium", "test", kind="persistence", hours=24, least=2, of=3)
    await ward.by(ward.ctx, lambda ctx: monitoring.set_limits(ctx, PATIENT, [own]))
    rng, values, open_ = random.Random(3), [], False
    for _ in range(120):
        values.append(rng.choice((200, 240, 250, 251, 260)))
        await ward.measure(
            reading("glucose", values[-1], ward.clock.now(), device="meter", device_kind="glucose-meter")
        )
        last = values[-3:]
        high = sum(value > 250 for value in last)
        if high >= 2 and values[-1] > 250:
            open_ = True
        elif high < 2 and len(last) == 3:
            open_ = False
        found = [one.state for one in await ward.alarms() if one.cause == "glucose-high"]
        assert (bool(found) and found != ["ended"]) == open_, values[-5:]
        ward.clock.turn(timedelta(hours=1))


async def test_withdrawing_one_of_three_withdraws_the_alarm_and_one_of_four_does_not(ward: Ward) -> None:
    await enrol(ward, "hypertension")
    one, two, three = cuff(ward, 140, ago=300), cuff(ward, 141, ago=200), cuff(ward, 142)
    for each in (one, two, three):
        await ward.measure(*each)
    async with access.work(ward.ctx, "withdrew") as ctx:
        await reports.reading_withdrawn(ctx, PATIENT, one[0].id, [], "my husband's")
    assert (await ward.only()).state == "withdrawn"
    ward.clock.turn(timedelta(minutes=5))
    # 141 and 142 are left; with the next two there are four.
    await ward.measure(*cuff(ward, 143, ago=60), *cuff(ward, 144))
    (alarm,) = await ward.alarms()
    assert alarm.finding["count"] in {3, 4}


async def test_a_fall_of_glucose_and_a_gain_of_weight(ward: Ward) -> None:
    await enrol(ward, "diabetes", "heart-failure")

    def sensor(value: float, minutes: float) -> Reading:
        now = ward.clock.now()
        return reading("glucose", value, now, ago=minutes * 60, device="cgm", device_kind="glucose-meter")

    def scale(kilograms: float, hours: float) -> Reading:
        now = ward.clock.now()
        return reading("weight", kilograms, now, ago=hours * HOUR, device="scale-1", device_kind="scale")

    for value, minutes in ((180, 25), (150, 15), (121, 5)):
        await ward.measure(sensor(value, minutes))
    assert await ward.alarms() == []
    await ward.measure(sensor(120, 0))
    (alarm,) = await ward.alarms()
    assert (alarm.cause, alarm.finding["value"], alarm.finding["window_hours"]) == ("glucose-falling", -60, 0.5)
    await ward.measure(scale(80.0, 24))
    await ward.measure(scale(81.36, 0))
    found = {one.cause: one for one in await ward.alarms()}
    assert found["weight-gain"].finding["rule"] == "weight-gain-1-day"


async def test_only_a_clinician_enrols_and_with_a_reason(ward: Ward) -> None:
    async with access.work(ward.ctx, "took into care") as ctx:
        for who in ("clinician", "nurse"):
            await access.relate(ctx, person=who, patient=PATIENT, kind="care", source="test")

    async def put(ctx: Ctx, *names: str, reason: str = "chronic") -> None:
        await monitoring.set_profile(ctx, PATIENT, programmes=names, reason=reason)

    with pytest.raises(Forbidden):
        await ward.by(ward.nurse, lambda ctx: put(ctx, "copd"))
    for names, reason, where in ((("copd",), " ", "reason"), (("astrology",), "x", "programme")):
        with pytest.raises(Invalid) as refused:
            await ward.by(ward.doctor, lambda ctx, n=names, r=reason: put(ctx, *n, reason=r))
        assert refused.value.where == where
    await ward.by(ward.doctor, lambda ctx: put(ctx, "copd"))
    async with access.work(ward.doctor, "looked", readonly=True) as ctx:
        assert (await monitoring.profile(ctx, PATIENT)).programmes == ("copd",)


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"kind": "persistence", "hours": 24, "least": 4, "of": 3}, "least"),
        ({"kind": "persistence", "hours": 24, "least": 0, "of": 3}, "least"),
        ({"kind": "persistence", "hours": 24, "least": 1, "of": 21}, "least"),
        ({"kind": "persistence", "least": 1, "of": 2}, "hours"),
        ({"kind": "change", "hours": 169}, "hours"),
        ({"kind": "change", "hours": 0}, "hours"),
        ({"kind": "baseline", "hours": 100, "least": 2}, "least"),
        ({"kind": "baseline", "hours": 48, "least": 3}, "least"),
        ({"kind": "horoscope", "hours": 48}, "kind"),
        ({"rule": "nothing"}, "rule"),
        ({"rule": "glucose-low"}, "rule"),
        ({"limit": float("nan")}, "limit"),
    ],
)
async def test_what_makes_no_rule_is_refused(ward: Ward, more: dict[str, Any], where: str) -> None:
    given: dict[str, Any] = {"metric": "spo2", "comparison": "<=", "limit": 90, "priority": "low", "reason": "x"} | more
    limit = PatientLimit(**given)
    with pytest.raises(Invalid) as refused:
        await ward.by(ward.ctx, lambda ctx: monitoring.set_limits(ctx, PATIENT, [limit]))
    assert refused.value.where == where


async def test_the_patient_s_own_usual_value(ward: Ward) -> None:
    """Ten days of breathing at 16 to 18, two readings a day, then 21.4: 4.4 above the median of 17."""
    await enrol(ward, "copd")
    start = ward.clock.now()
    for day in range(10):
        for extra in (-1, 1):
            async with access.work(ward.nurse, "typed") as ctx:
                value = 17 + (day % 3 - 1)
                await monitoring.enter_reading(ctx, monitoring.NewReading(PATIENT, "respiratory-rate", value))
            ward.clock.turn(timedelta(minutes=1 + extra))
        ward.clock.turn(timedelta(days=1) - (ward.clock.now() - start) % timedelta(days=1))
    await ward.measure(reading("respiratory-rate", 19, ward.clock.now()))
    standing = {one.row.id: one for one in await _standing(ward)}
    assert standing["respiratory-rate-above-own"].status == "incomplete"
    assert await baselines.renew(ward.ctx) == 2
    assert await baselines.renew(ward.ctx) == 0
    ward.clock.turn(timedelta(seconds=10))
    await ward.measure(reading("respiratory-rate", 20, ward.clock.now()))
    assert {one.row.id: one.status for one in await _standing(ward)}["respiratory-rate-above-own"] == "within"
    ward.clock.turn(timedelta(seconds=10))
    await ward.measure(reading("respiratory-rate", 21.4, ward.clock.now()))
    alarms = {one.cause: one for one in await ward.alarms()}
    finding = alarms["respiratory-rate-off-baseline"].finding
    assert (finding["value"], finding["usual"], finding["span"], finding["days"]) == (4.4, 17, 14, 10)
    # A baseline of long ago says nothing: it neither raises nor ends.
    ward.clock.turn(timedelta(days=4))
    await ward.measure(reading("respiratory-rate", 17, ward.clock.now()))
    states = {one.cause: one.state for one in await ward.alarms()}
    assert states["respiratory-rate-off-baseline"] != "ended"


async def _standing(ward: Ward) -> list[monitoring.Standing]:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        return await monitoring.standing(ctx, PATIENT)


def level(ward: Ward, percent: float, *, ago: float = 0, device: str = "patch", flags: str = "") -> Reading:
    return reading("battery", percent, ward.clock.now(), ago=ago, device=device, device_kind="monitor", flags=flags)


async def test_a_low_battery_is_one_alarm_a_device_until_it_is_charged(ward: Ward) -> None:
    await ward.measure(level(ward, 21))
    assert await ward.alarms() == []
    for percent in (20, 19, 25, 18):
        ward.clock.turn(timedelta(minutes=1))
        await ward.measure(level(ward, percent), level(ward, 80, device="other"))
    (alarm,) = await ward.alarms()
    assert (alarm.cause, alarm.priority, alarm.technical, alarm.state) == ("battery:patch", "low", True, "raised")
    assert (alarm.finding["value"], alarm.finding["limit"]) == (20, 20)
    # What is older than the newest level, or late, neither ends it nor raises another.
    await ward.measure(level(ward, 90, ago=30), level(ward, 5, ago=30, device="other"))
    await ward.measure(level(ward, 90, flags="late"))
    assert [one.state for one in await ward.alarms()] == ["raised"]
    ward.clock.turn(timedelta(minutes=1))
    await ward.measure(level(ward, 30))
    assert [one.state for one in await ward.alarms()] == ["ended"]


async def test_a_low_battery_holds_for_a_child_and_goes_with_the_device(ward: Ward) -> None:
    async with access.work(ward.ctx, "corrected") as ctx:
        await monitoring.set_profile(ctx, PATIENT, birth_date=ward.clock.now().date() - timedelta(days=900))
    await ward.measure(level(ward, 3))
    assert [one.cause for one in await ward.alarms()] == ["battery:patch"]
    async with access.work(ward.ctx, "took it away") as ctx:
        await clockwork.forget_device(ctx, PATIENT, "patch")
    assert [one.state for one in await ward.alarms()] == ["ended"]


def test_the_battery_s_reading_is_an_observation_of_its_own_code() -> None:
    assert Identity(1, 16, 1).id == "r.1.16.1"
