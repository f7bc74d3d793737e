"""An alarm from the reading that raises it to its end, on a real database, with a clock that is turned."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.monitoring.alarms.service import answers, clockwork, reports, views
from bedside.monitoring.alarms.service.judge import judge
from bedside.monitoring.alarms.testing import pressure, reading
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model.limits import PatientLimit

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine


def events(alarm: views.Alarm) -> list[str]:
    return [line.event for line in alarm.events]


async def test_one_reading_raises_one_alarm_that_explains_itself(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.cause, alarm.priority, alarm.state) == ("blood-pressure-high", "medium", "raised")
    assert alarm.finding["rule"] in {"systolic-raised", "diastolic-raised"}
    assert alarm.finding["version"]
    assert alarm.finding["source"] == "site choice"
    assert alarm.finding["inputs"][0]["device"] == "cuff-1"
    assert events(alarm) == ["raise", "ask"]
    assert alarm.asked == ("Nurse",)


async def test_raised_once_per_episode_and_priority_and_worse_raises_anew(ward: Ward) -> None:
    await ward.measure(*pressure(165, 90, ward.clock.now()))
    first = await ward.only()
    await ward.turn(minutes=1)
    await ward.measure(*pressure(170, 95, ward.clock.now()))
    assert (await ward.only()).id == first.id
    await ward.turn(minutes=1)
    await ward.measure(*pressure(190, 95, ward.clock.now()))
    await ward.measure(*pressure(191, 95, ward.clock.now() + timedelta(seconds=1)))
    found = {alarm.priority: alarm for alarm in await ward.alarms(open_only=False)}
    assert set(found) == {"medium", "high"}
    assert found["medium"].state == "superseded"
    assert found["high"].state == "raised"
    assert found["high"].episode == first.episode
    # Easing to the lesser priority is still the same episode.
    await ward.measure(*pressure(170, 95, ward.clock.now() + timedelta(seconds=2)))
    assert len(await ward.alarms(open_only=False)) == 2


async def test_worse_raises_anew_even_when_the_lesser_is_acknowledged(ward: Ward) -> None:
    await ward.measure(*pressure(165, 90, ward.clock.now()))
    lesser = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, lesser.id))
    await ward.turn(seconds=10)
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    (worse,) = await ward.alarms()
    assert (worse.priority, worse.unseen) == ("high", True)


async def test_it_ends_by_itself_but_stays_until_seen(ward: Ward) -> None:
    await ward.measure(*pressure(165, 90, ward.clock.now()))
    await ward.turn(minutes=1)
    await ward.measure(*pressure(120, 80, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.state, alarm.open, alarm.unseen) == ("ended", True, True)
    await ward.measure(*pressure(166, 90, ward.clock.now() + timedelta(seconds=5)))
    assert (await ward.only()).state == "raised"
    await ward.measure(*pressure(120, 80, ward.clock.now() + timedelta(seconds=9)))
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id, "spoke to her"))
    alarm = await ward.only()
    assert (alarm.state, alarm.open) == ("resolved", False)
    # A new breach after that is a new episode.
    await ward.measure(*pressure(166, 90, ward.clock.now() + timedelta(seconds=20)))
    (again,) = await ward.alarms()
    assert again.episode != alarm.episode


async def test_a_value_that_flutters_at_its_limit_makes_one_alarm(ward: Ward) -> None:
    for n in range(12):
        await ward.measure(reading("heart-rate", 112 if n % 2 == 0 else 109, ward.clock.now()))
        ward.clock.turn(timedelta(seconds=5))
    alarm = await ward.only()
    assert alarm.state == "raised"
    for _ in range(7):
        ward.clock.turn(timedelta(seconds=5))
        await ward.measure(reading("heart-rate", 100, ward.clock.now()))
    assert (await ward.only()).state == "ended"


async def test_nobody_answers_and_it_climbs_until_the_administrator_is_told(ward: Ward) -> None:
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.step, alarm.asked, alarm.nobody) == (1, ("Nurse",), False)
    await ward.turn(seconds=119)
    assert (await ward.only()).step == 1
    await ward.turn(seconds=1)
    alarm = await ward.only()
    assert (alarm.step, alarm.asked, alarm.state, alarm.nobody) == (2, ("Clinician",), "escalated", False)
    async with access.work(ward.doctor, "looked", readonly=True) as ctx:
        assert (await views.alarm(ctx, alarm.id)).id == alarm.id  # asked, so related
    await ward.turn(minutes=2)
    alarm = await ward.only()
    assert (alarm.step, alarm.asked, alarm.nobody) == (3, ("Clinician",), True)
    assert "nobody" in events(alarm)
    await ward.turn(minutes=2)
    alarm = await ward.only()
    assert (alarm.step, alarm.asked) == (4, ("Clinician",))
    assert events(alarm).count("nobody") == 1
    await ward.by(ward.doctor, lambda ctx: answers.acknowledge(ctx, alarm.id))
    alarm = await ward.only()
    assert (alarm.nobody, alarm.holder_name) == (False, "Clinician")


@pytest.fixture
async def tall(ward: Ward) -> Ward:
    """The same ward with a third step."""
    async with access.work(ward.ctx, "set duties") as ctx:
        await access.add_person(ctx, access.NewPerson(name="Chief", roles=frozenset({"clinician"}), id="chief"))
        await access.set_duty(ctx, person="chief", place="ward", role="clinician", step=3)
    return ward


async def test_after_a_downtime_every_step_whose_time_passed_is_asked_at_once(tall: Ward) -> None:
    """Down for a night: the clinician and the chief are told now, and the administrator, each once."""
    await tall.measure(*pressure(200, 90, tall.clock.now()))
    tall.clock.turn(timedelta(hours=9))
    await tall.sweep()
    alarm = await tall.only()
    asked = [line.data["asked"] for line in alarm.events if line.event == "ask"]
    assert asked == [["Nurse"], ["Clinician"], ["Chief"], ["Chief"]]
    assert [line.data["late_minutes"] for line in alarm.events if line.event == "escalate"] == [538]
    assert (alarm.step, alarm.nobody, events(alarm).count("nobody")) == (4, True, 1)
    for who in ("clinician", "chief"):
        async with access.work(tall.ctx, "looked", readonly=True) as ctx:
            assert [one.kind for one in await access.relations_of(ctx, patient=PATIENT, person=who)] == ["alarm"]
    await tall.turn(minutes=2)
    assert [line.data["asked"] for line in (await tall.only()).events if line.event == "ask"][4:] == [["Chief"]]


async def test_a_little_late_is_no_downtime(tall: Ward) -> None:
    await tall.measure(*pressure(200, 90, tall.clock.now()))
    tall.clock.turn(timedelta(minutes=3, seconds=59))
    await tall.sweep()
    assert ((await tall.only()).step, (await tall.only()).asked) == (2, ("Clinician",))
    tall.clock.turn(timedelta(minutes=4))
    await tall.sweep()
    assert (await tall.only()).step == 4
    assert events(await tall.only()).count("escalate") == 2


async def test_what_was_acknowledged_and_left_climbs_as_far_as_it_would_have(tall: Ward) -> None:
    await tall.measure(*pressure(200, 90, tall.clock.now()))
    alarm = await tall.only()
    await tall.by(tall.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    tall.clock.turn(timedelta(minutes=12))
    await tall.sweep()
    found = await tall.only()
    assert (found.state, found.asked) == ("raised", ("Clinician",))
    assert [line.data["asked"] for line in found.events if line.event == "ask"] == [["Nurse"], ["Nurse"], ["Clinician"]]


async def test_acknowledged_stops_the_climb_and_returns_without_action(ward: Ward) -> None:
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    alarm = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    await ward.turn(minutes=9)
    assert (await ward.only()).state == "acknowledged"
    await ward.turn(minutes=1)
    alarm = await ward.only()
    assert (alarm.state, alarm.holder, alarm.asked) == ("raised", None, ("Nurse",))
    await ward.turn(minutes=2)
    assert (await ward.only()).step == 2


async def test_acted_on_comes_back_when_the_condition_still_stands(ward: Ward) -> None:
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    alarm = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.act(ctx, alarm.id, "called", "takes her tablet now"))
    await ward.turn(minutes=59)
    alarm = await ward.only()
    assert (alarm.state, alarm.holder_name) == ("acted", "Nurse")
    assert alarm.acknowledged_at is not None
    await ward.turn(minutes=1)
    assert (await ward.only()).state == "raised"


async def test_acted_on_and_over_is_resolved_and_the_relations_end_a_day_later(ward: Ward) -> None:
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    alarm = await ward.only()
    await ward.turn(minutes=2)
    await ward.by(ward.doctor, lambda ctx: answers.act(ctx, alarm.id, "called"))
    await ward.turn(minutes=5)
    await ward.measure(*pressure(130, 80, ward.clock.now()))
    assert (await ward.only()).state == "resolved"
    async with access.work(ward.doctor, "looked", readonly=True) as ctx:
        await views.alarm(ctx, alarm.id)
    await ward.turn(hours=24, seconds=1)
    with pytest.raises(Forbidden):
        async with access.work(ward.doctor, "looked", readonly=True) as ctx:
            await views.alarm(ctx, alarm.id)


async def test_hand_over_gives_the_alarm_a_holder_who_may_see_the_patient(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    with pytest.raises(Invalid):
        await ward.by(ward.nurse, lambda ctx: answers.hand_over(ctx, alarm.id, "clinician", " "))
    await ward.by(ward.nurse, lambda ctx: answers.hand_over(ctx, alarm.id, "clinician", "please see her"))
    async with access.work(ward.doctor, "looked", readonly=True) as ctx:
        found = await views.alarm(ctx, alarm.id)
    assert (found.state, found.holder_name) == ("acknowledged", "Clinician")
    assert found.events[-1].note == "please see her"


async def test_false_alarm_needs_a_reason_and_can_be_taken_back_for_half_a_minute(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    with pytest.raises(Invalid):
        await ward.by(ward.nurse, lambda ctx: answers.dismiss(ctx, alarm.id, ""))
    await ward.by(ward.nurse, lambda ctx: answers.dismiss(ctx, alarm.id, "cuff on the table"))
    assert (await ward.only()).state == "false-alarm"
    ward.clock.turn(timedelta(seconds=29))
    await ward.by(ward.nurse, lambda ctx: answers.undo(ctx, alarm.id))
    assert (await ward.only()).state == "raised"
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    ward.clock.turn(timedelta(seconds=31))
    with pytest.raises(Conflict):
        await ward.by(ward.nurse, lambda ctx: answers.undo(ctx, alarm.id))


async def test_only_who_may_and_has_seen_it_may_close_it(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    for stranger in (ward.admin, ward.doctor, ward.patient):
        with pytest.raises(Forbidden):
            await ward.by(stranger, lambda ctx: answers.acknowledge(ctx, alarm.id))
    with pytest.raises(Conflict):
        await ward.by(ward.nurse, lambda ctx: answers.resolve(ctx, alarm.id))
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    await ward.by(ward.nurse, lambda ctx: answers.resolve(ctx, alarm.id, "repeat was fine"))
    assert (await ward.only()).state == "resolved"


async def test_a_running_monitor_outside_its_limits_cannot_be_waved_away(ward: Ward) -> None:
    await ward.measure(reading("spo2", 85, ward.clock.now()))
    alarm = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    with pytest.raises(Conflict, match="still outside"):
        await ward.by(ward.nurse, lambda ctx: answers.resolve(ctx, alarm.id))


@pytest.mark.parametrize("flags", ["late", "clock", "conflict", "cuffless"])
async def test_what_is_in_doubt_raises_nothing_live(ward: Ward, flags: str) -> None:
    await ward.measure(*pressure(200, 130, ward.clock.now(), flags=flags))
    assert await ward.alarms(open_only=False) == []


async def test_an_older_value_never_ends_a_newer_breach(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*pressure(178, 112, now))
    await ward.measure(*pressure(120, 80, now, ago=60, flags="disorder"))
    assert (await ward.only()).state == "raised"


async def test_an_older_breach_is_raised_and_already_over(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*pressure(120, 80, now))
    await ward.measure(*pressure(178, 112, now, ago=60, flags="disorder"))
    assert (await ward.only()).state == "ended"


async def test_a_pack_is_judged_reading_by_reading(ward: Ward) -> None:
    now = ward.clock.now()
    values = [97] * 40 + [85] * 20 + [97] * 60
    pack = [reading("spo2", value, now, ago=len(values) - n) for n, value in enumerate(values)]
    await ward.measure(*reversed(pack))
    alarm = await ward.only()
    assert (alarm.priority, alarm.state) == ("high", "ended")


async def test_children_pregnant_women_and_unknown_ages_raise_nothing_by_adult_limits(ward: Ward) -> None:
    for change in ({"birth_date": date(2015, 1, 1)}, {"birth_date": date(1995, 1, 1), "pregnant": True}):
        async with access.work(ward.ctx, "registered") as ctx:
            await rules.set_profile(ctx, PATIENT, **change)  # type: ignore[arg-type]
        await ward.measure(*pressure(200, 130, ward.clock.now()))
        ward.clock.turn(timedelta(seconds=1))
    assert await ward.alarms(open_only=False) == []
    async with access.work(ward.nurse, "set limits") as ctx:
        await rules.set_limits(ctx, PATIENT, [PatientLimit("systolic", ">=", 140, "high", "pre-eclampsia watch")])
        assert (await rules.limits(ctx, PATIENT)).without_defaults == "pregnant"
    await ward.measure(*pressure(140, 85, ward.clock.now()))
    assert (await ward.only()).finding["own"] is True


async def test_only_a_clinician_sets_the_second_scale_and_says_why(ward: Ward) -> None:
    with pytest.raises(Forbidden):
        await ward.by(ward.nurse, lambda ctx: _scale(ctx, "because"))
    async with access.work(ward.ctx, "took her on") as ctx:
        await access.relate(ctx, person="clinician", patient=PATIENT, kind="care", source="test")
    with pytest.raises(Invalid):
        await ward.by(ward.doctor, lambda ctx: _scale(ctx, ""))
    await ward.by(ward.doctor, lambda ctx: _scale(ctx, "hypercapnic failure in March"))
    await ward.measure(reading("spo2", 89, ward.clock.now()))
    assert await ward.alarms() == []


async def _scale(ctx: Ctx, reason: str) -> None:
    await rules.set_profile(ctx, PATIENT, news2_scale=2, reason=reason)


async def test_news2_is_incomplete_until_all_seven_are_fresh_and_then_raises(ward: Ward) -> None:
    now = ward.clock.now()
    device = [("respiratory-rate", 23), ("spo2", 95), ("systolic", 105), ("heart-rate", 105), ("temperature", 38.5)]
    await ward.measure(*(reading(metric, value, now) for metric, value in device))
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        result = await views.score(ctx, PATIENT)
    assert (result.status, result.missing) == ("incomplete", ("oxygen", "consciousness"))
    assert "news2" not in {alarm.cause for alarm in await ward.alarms()}
    await ward.measure(
        reading("oxygen", 2, now, device=None, source="staff"),
        reading("consciousness", "A", now, device=None, source="staff"),
    )
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        result = await views.score(ctx, PATIENT)
    assert (result.total, result.risk, result.typed) == (8, "emergency", ("oxygen", "consciousness"))
    (alarm,) = [alarm for alarm in await ward.alarms() if alarm.cause == "news2"]
    assert (alarm.priority, len(alarm.finding["inputs"])) == ("high", 7)
    assert "RCP 2017" in alarm.finding["version"]
    ward.clock.turn(timedelta(minutes=61))
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        assert (await views.score(ctx, PATIENT)).status == "incomplete"


async def test_weight_gain_is_seen_over_days_on_the_same_scale(ward: Ward) -> None:
    scale = {"device": "scale-1", "device_kind": "scale"}
    for day, weight in enumerate((80.0, 80.4, 81.1, 82.2)):
        await ward.measure(reading("weight", weight, ward.clock.now(), **scale))
        if day < 3:
            assert await ward.alarms() == []
            ward.clock.turn(timedelta(days=1))
    alarm = await ward.only()
    assert alarm.cause == "weight-gain"
    assert alarm.finding["value"] == 2.2
    assert [found["value"] for found in alarm.finding["inputs"]] == [82.2, 80.0]


async def test_silence_of_a_monitor_is_a_technical_alarm_that_ends_when_it_speaks(ward: Ward) -> None:
    await ward.sweep()
    await ward.measure(reading("heart-rate", 70, ward.clock.now()))
    await ward.live(seconds=100)
    await ward.measure(reading("heart-rate", 70, ward.clock.now()))
    await ward.live(seconds=100)
    assert await ward.alarms() == []
    await ward.live(seconds=20)
    alarm = await ward.only()
    assert (alarm.cause, alarm.priority, alarm.technical) == ("silence:device-1", "medium", True)
    await ward.live(minutes=3)
    assert len(await ward.alarms(open_only=False)) == 1
    await ward.measure(reading("heart-rate", 71, ward.clock.now()))
    assert (await ward.only()).state == "ended"
    # Seen and closed; then silent again: a new one.
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    await ward.live(minutes=5)
    assert len(await ward.alarms(open_only=False)) == 2


async def test_while_bedside_itself_was_away_no_device_was_silent(ward: Ward) -> None:
    await ward.sweep()
    await ward.measure(reading("heart-rate", 70, ward.clock.now()))
    await ward.live(seconds=60)
    ward.clock.turn(timedelta(hours=3))
    await ward.sweep()
    assert await ward.alarms() == []
    await ward.live(seconds=120)
    assert (await ward.only()).cause == "silence:device-1"


async def test_a_device_never_heard_of_is_silent_too_until_it_is_given_back(ward: Ward) -> None:
    await ward.sweep()
    async with access.work(ward.ctx, "gave a monitor") as ctx:
        await clockwork.expect_device(ctx, PATIENT, "monitor-9", "monitor", ctx.clock.now())
    await ward.live(minutes=3)
    assert (await ward.only()).cause == "silence:monitor-9"
    async with access.work(ward.ctx, "took it back") as ctx:
        await clockwork.forget_device(ctx, PATIENT, "monitor-9")
    assert (await ward.only()).state == "ended"
    await ward.live(minutes=10)
    assert len(await ward.alarms(open_only=False)) == 1


async def test_danger_symptoms_raise_high_and_more_of_them_wake_it_again(ward: Ward) -> None:
    with pytest.raises(Invalid):
        await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["itching"]))
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))
    alarm = await ward.only()
    assert (alarm.cause, alarm.priority) == ("symptoms", "high")
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision", "chest-pain"]))
    alarm = await ward.only()
    assert (alarm.state, alarm.finding["value"]) == ("raised", "vision, chest-pain")
    with pytest.raises(Forbidden):
        await ward.by(ward.admin, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))


async def test_that_was_not_me_withdraws_the_alarm_with_its_reading(ward: Ward) -> None:
    high = pressure(178, 112, ward.clock.now())
    await ward.measure(*high)
    alarm = await ward.only()
    inputs = alarm.finding["inputs"]
    async with access.work(ward.patient, "withdrew a reading") as ctx:
        await reports.reading_withdrawn(ctx, PATIENT, inputs[0]["id"], [], "my husband's")
    alarm = await ward.only()
    assert (alarm.state, alarm.events[-1].note) == ("withdrawn", "my husband's")


async def test_two_judges_at_once_raise_one_alarm(ward: Ward) -> None:
    async def one(n: int) -> None:
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge(ctx, PATIENT, pressure(178 + n % 2, 112, ward.clock.now()))

    await asyncio.gather(*(one(n) for n in range(6)))
    await ward.only()


async def test_reading_and_alarm_stand_or_fall_together(ward: Ward) -> None:
    with pytest.raises(RuntimeError, match="killed"):
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge(ctx, PATIENT, pressure(200, 130, ward.clock.now()))
            raise RuntimeError("killed between the alarm and the commit")
    assert await ward.alarms(open_only=False) == []
    await ward.measure(*pressure(200, 130, ward.clock.now()))
    await ward.only()


async def test_a_lost_wake_up_is_found_by_the_sweep(ward: Ward) -> None:
    await ward.measure(*pressure(200, 130, ward.clock.now()))
    ward.clock.turn(timedelta(minutes=2))
    await ward.sweep()
    assert (await ward.only()).step == 2
    # The wake-up that comes after all finds nothing to do.
    await ward.turn(seconds=0)
    assert (await ward.only()).step == 2


async def test_whom_no_place_watches_everybody_on_duty_is_asked_for(ward: Ward) -> None:
    async with access.work(ward.ctx, "moved her") as ctx:
        await access.leave_place(ctx, PATIENT, "ward")
    await ward.measure(*pressure(200, 130, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.asked, alarm.nobody) == (("Nurse",), False)
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))


async def test_nobody_on_duty_tells_the_administrator_at_once(ward: Ward) -> None:
    async with access.work(ward.ctx, "moved her") as ctx:
        await access.add_place(ctx, "empty", "Ward without staff", "ward")
        await access.leave_place(ctx, PATIENT, "ward")
        await access.place_patient(ctx, PATIENT, "empty")
    await ward.measure(*pressure(200, 130, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.asked, alarm.nobody) == ((), True)
    assert alarm.events[-1].data["told"] == ["Administrator"]


async def test_a_calm_pack_is_remembered_as_if_every_moment_had_been_judged(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*(reading("heart-rate", 60 + n, now, ago=9 - n) for n in range(10)))
    await ward.measure(reading("heart-rate", 50, now, ago=30))  # older: never the newest
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        (found,) = (await views.score(ctx, PATIENT)).inputs
    assert (found.value, found.device_time) == (69, now)
    # One value outside, in the midst of a calm pack, is found.
    ward.clock.turn(timedelta(seconds=30))
    values = [70] * 20 + [135] + [70] * 20
    await ward.measure(*(reading("heart-rate", v, ward.clock.now(), ago=len(values) - n) for n, v in enumerate(values)))
    assert (await ward.only()).priority == "high"
