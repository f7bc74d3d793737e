"""An alarm that waits for its limit to stand broken: raised, passed, overtaken, and never lost."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import Any

import pytest

from bedside import access, monitoring
from bedside.foundation.errors import Conflict, Invalid
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.service import answers, late, reports, views
from bedside.monitoring.alarms.service.judge import judge
from bedside.monitoring.alarms.testing import pressure, reading
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model.limits import PatientLimit

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine

LOW, FINE, VERY_LOW = 92, 97, 85
"""Of SpO2: medium by default, within limits, high by default."""


async def rows(ward: Ward) -> list[dict[str, Any]]:
    """Every alarm as it is kept, those that wait and those that passed too."""
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        found = await ctx.sql.fetch("select * from monitoring.alarm where patient = $1 order by id", PATIENT)
    return [dict(row) for row in found]


async def states(ward: Ward) -> list[str]:
    return [row["state"] for row in await rows(ward)]


async def told(ward: Ward, alarm: str) -> Alarm:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        return await views.alarm(ctx, alarm)


async def timers(ward: Ward) -> list[str]:
    """Kinds of the alarms' timers that run."""
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        found = await ctx.sql.fetch(
            "select kind from monitoring.timer where done_at is null and alarm is not null order by kind"
        )
    return [row["kind"] for row in found]


async def saturation(ward: Ward, value: float, **more: Any) -> None:
    await ward.measure(reading("spo2", value, ward.clock.now(), **more))


async def own(ward: Ward, *limits: PatientLimit) -> None:
    async with access.work(ward.ctx, "set limits") as ctx:
        await rules.set_limits(ctx, PATIENT, limits)


async def test_it_waits_unheard_and_is_raised_when_nothing_is_heard(ward: Ward) -> None:
    await saturation(ward, LOW)
    (row,) = await rows(ward)
    assert (row["state"], row["step"], row["asked"], row["nobody"]) == ("pending", 1, [], False)
    assert row["pending_until"] == ward.clock.now() + timedelta(seconds=15)
    assert await timers(ward) == ["delay"]
    assert await ward.alarms() == []
    assert await ward.alarms(open_only=False) == []
    with pytest.raises(Conflict, match="not raised yet"):
        async with access.work(ward.ctx, "looked") as ctx:
            await access.relate(ctx, person="nurse", patient=PATIENT, kind="care", source="test")
        await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, row["id"]))
    await ward.turn(seconds=14)
    assert await states(ward) == ["pending"]
    await ward.turn(seconds=1)
    alarm = await ward.only()
    assert (alarm.id, alarm.state, alarm.asked, alarm.priority) == (row["id"], "raised", ("Nurse",), "medium")
    assert alarm.raised_at == ward.clock.now()
    assert (alarm.pending_until, alarm.delays) == (None, {})
    assert [line.event for line in alarm.events] == ["wait", "raise", "ask"]
    assert alarm.events[1].data == {"rule": "spo2-low", "priority": "medium", "waited": 15}
    assert await timers(ward) == ["escalate"]
    await ward.turn(minutes=5)
    assert (await ward.only()).state == "escalated"


async def test_a_judging_that_comes_before_the_wake_up_raises_it_too(ward: Ward) -> None:
    for second in range(16):
        if second:
            ward.clock.turn(timedelta(seconds=1))
        await saturation(ward, LOW)
        assert await states(ward) == ["pending" if second < 15 else "raised"]
    await ward.turn(seconds=0)
    await ward.sweep()
    assert [line.event for line in (await ward.only()).events] == ["wait", "raise", "ask"]


async def test_within_limits_before_the_end_it_passes_and_is_counted_as_no_alarm(ward: Ward) -> None:
    await saturation(ward, LOW)
    await ward.turn(seconds=14)
    await saturation(ward, FINE)
    assert (await states(ward), await timers(ward)) == (["passed"], [])
    await ward.turn(hours=1)
    # Anew from the beginning.
    await saturation(ward, LOW)
    await ward.turn(seconds=14)
    assert await states(ward) == ["passed", "pending"]
    assert await ward.alarms(open_only=False) == []
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        day, now = timedelta(days=1), ward.clock.now()
        burden = await monitoring.burden(ctx, now - day, now + day)
        (kept,) = await monitoring.alarms(ctx, patient=PATIENT, open_only=False, raised=False)
    assert (burden.raised, burden.rules) == (0, [])
    assert [(one.rule, one.passed, one.patients) for one in burden.passed] == [("spo2-low", 1, 1)]
    assert [line.event for line in (await told(ward, kept.id)).events] == ["wait", "end"]
    await ward.turn(seconds=1)
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        burden = await monitoring.burden(ctx, now - day, now + day)
    assert (burden.raised, len(burden.passed)) == (1, 1)


async def test_what_is_worse_and_does_not_wait_is_raised_at_once(ward: Ward) -> None:
    await saturation(ward, LOW)
    await ward.turn(seconds=5)
    await saturation(ward, VERY_LOW)
    alarm = await ward.only()
    assert (alarm.state, alarm.priority, alarm.finding["rule"]) == ("raised", "high", "spo2-very-low")
    assert (alarm.raised_at, alarm.asked) == (ward.clock.now(), ("Nurse",))
    assert await timers(ward) == ["escalate"]
    await ward.turn(minutes=2)
    assert (await ward.only()).step == 2


@pytest.mark.parametrize(
    "more",
    [
        {"device_kind": "pulse-oximeter"},
        {"device": None, "source": "staff"},
        {"flags": "implausible"},
    ],
)
async def test_spot_devices_people_and_what_is_in_doubt_do_not_wait(ward: Ward, more: dict[str, Any]) -> None:
    await saturation(ward, LOW, **more)
    assert (await ward.only()).state == "raised"


async def test_an_implausible_emergency_waits_only_if_a_clinician_said_so(ward: Ward) -> None:
    await saturation(ward, 65, flags="implausible")
    assert (await ward.only()).priority == "high"
    await ward.by(ward.nurse, lambda ctx: _dismiss(ctx, "probe on the toe"))
    await own(ward, *(PatientLimit("spo2", "<=", 91, p, "sleep study", delay_seconds=60) for p in ("high", "medium")))
    ward.clock.turn(timedelta(seconds=1))
    await saturation(ward, 65, flags="implausible")
    assert await states(ward) == ["false-alarm", "pending"]
    await ward.turn(seconds=60)
    assert await states(ward) == ["false-alarm", "raised"]


async def _dismiss(ctx: Any, reason: str) -> None:
    (found,) = await views.alarms(ctx, patient=PATIENT)
    await answers.dismiss(ctx, found.id, reason)


async def test_a_patient_s_own_limit_has_its_own_delay_or_none(ward: Ward) -> None:
    await own(ward, PatientLimit("spo2", "<=", 93, "medium", "at once, please"))
    await saturation(ward, LOW)
    assert (await ward.only()).finding["own"] is True
    for seconds, kind in ((301, "limit"), (-1, "limit"), (10, "persistence")):
        with pytest.raises(Invalid) as refused:
            await own(ward, PatientLimit("spo2", "<=", 93, "medium", "x", kind=kind, delay_seconds=seconds))  # type: ignore[arg-type]
        assert refused.value.where == "delay"


async def test_a_cuff_s_own_delay_waits_for_a_repeat(ward: Ward) -> None:
    limit = [PatientLimit("systolic", ">=", 150, "medium", "repeats after 3 minutes", delay_seconds=300)]
    await own(ward, *limit)
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert await rules.own_limits(ctx, PATIENT) == limit
    await ward.measure(*pressure(155, 80, ward.clock.now()))
    await ward.turn(minutes=3)
    await ward.measure(*pressure(130, 80, ward.clock.now()))
    assert await states(ward) == ["passed"]
    await ward.measure(*pressure(156, 80, ward.clock.now() + timedelta(seconds=1)))
    await ward.turn(minutes=5, seconds=1)
    assert await states(ward) == ["passed", "raised"]


async def test_no_delay_keeps_back_what_another_rule_asks_for_sooner(ward: Ward) -> None:
    """A high limit that a clinician delayed by a minute, above a default of medium that waits for 15 s."""
    await own(ward, PatientLimit("spo2", "<=", 88, "high", "dips", delay_seconds=60))
    await saturation(ward, LOW)
    await ward.turn(seconds=5)
    await saturation(ward, VERY_LOW)
    (row,) = await rows(ward)
    assert (row["state"], row["priority"]) == ("pending", "high")
    assert sorted(row["delays"]) == ["own-spo2-low-high", "spo2-low"]
    await ward.turn(seconds=5)
    await saturation(ward, LOW)
    assert (await rows(ward))[0]["priority"] == "medium"
    await ward.turn(seconds=5)
    assert (await ward.only()).priority == "medium"
    await saturation(ward, VERY_LOW)  # an alarm of the episode stands: what is worse sounds at once
    (alarm,) = await ward.alarms()
    assert alarm.priority == "high"


async def test_one_pack_is_judged_as_if_it_had_come_one_by_one(ward: Ward) -> None:
    now = ward.clock.now()
    values = [LOW] * 16 + [FINE] * 40
    await ward.measure(*(reading("spo2", v, now, ago=len(values) - n) for n, v in enumerate(values)))
    assert (await ward.only()).state == "ended"
    ward.clock.turn(timedelta(minutes=2))
    now = ward.clock.now()
    values = [LOW] * 15 + [FINE] * 40
    await ward.by(ward.nurse, _seen)
    await ward.measure(*(reading("spo2", v, now, ago=len(values) - n) for n, v in enumerate(values)))
    assert await states(ward) == ["resolved", "passed"]


async def _seen(ctx: Any) -> None:
    (found,) = await views.alarms(ctx, patient=PATIENT)
    await answers.acknowledge(ctx, found.id)


async def test_what_flutters_at_its_limit_is_one_alarm_and_not_none(ward: Ward) -> None:
    async def flutter(times: int) -> None:
        for _ in range(times):
            await saturation(ward, LOW)
            await ward.turn(seconds=5)
            await saturation(ward, FINE)
            await ward.turn(seconds=5)

    await flutter(3)
    assert await states(ward) == ["passed"] * 3
    await flutter(6)
    alarm = await ward.only()
    assert (alarm.state, alarm.finding["passed"], alarm.finding["minutes"]) == ("raised", 3, 5)
    assert [line.event for line in alarm.events] == ["raise", "ask"]


async def test_what_passed_long_ago_does_not_count(ward: Ward) -> None:
    for _ in range(5):
        await saturation(ward, LOW)
        await ward.turn(seconds=1)
        await saturation(ward, FINE)
        await ward.turn(seconds=110)
    assert await states(ward) == ["passed"] * 5


async def test_what_a_clinician_delayed_waits_every_time(ward: Ward) -> None:
    await own(ward, PatientLimit("spo2", "<=", 93, "medium", "dips in sleep", delay_seconds=30))
    for _ in range(5):
        await saturation(ward, LOW)
        await ward.turn(seconds=20)
        await saturation(ward, FINE)
        await ward.turn(seconds=10)
    assert await states(ward) == ["passed"] * 5


async def test_while_bedside_was_away_nothing_is_lost(ward: Ward) -> None:
    await saturation(ward, LOW)
    ward.clock.turn(timedelta(minutes=12))
    await ward.sweep()
    alarm = await ward.only()
    # Nobody waits longer because Bedside was down: both steps whose time has passed are asked at once.
    assert (alarm.state, alarm.nobody) == ("raised", True)
    assert [line.data.get("asked") for line in alarm.events if line.event == "ask"][:2] == [["Nurse"], ["Clinician"]]
    await ward.turn(seconds=0)
    assert len((await ward.only()).events) == len(alarm.events)


async def test_values_within_limits_that_come_after_a_missed_end_do_not_hide_it(ward: Ward) -> None:
    await saturation(ward, LOW)
    ward.clock.turn(timedelta(minutes=1))
    await saturation(ward, FINE)
    alarm = await ward.only()
    assert (alarm.state, alarm.unseen) == ("ended", True)


async def test_values_within_limits_that_were_measured_before_the_end_pass_it(ward: Ward) -> None:
    await saturation(ward, LOW)
    ward.clock.turn(timedelta(minutes=1))
    await saturation(ward, FINE, ago=50)
    assert await states(ward) == ["passed"]


async def test_an_older_value_never_ends_the_wait(ward: Ward) -> None:
    await saturation(ward, LOW)
    ward.clock.turn(timedelta(seconds=5))
    await saturation(ward, FINE, ago=10, flags="disorder")
    assert await states(ward) == ["pending"]
    await saturation(ward, FINE, flags="implausible")
    assert await states(ward) == ["pending"]


async def test_a_late_finding_is_told_while_nobody_knows_of_the_wait(ward: Ward) -> None:
    await saturation(ward, LOW)
    ward.clock.turn(timedelta(seconds=5))
    await saturation(ward, VERY_LOW, ago=3600, flags="late")
    assert await states(ward) == ["pending"]
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        (found,) = await late.late_findings(ctx)
    assert (found.cause, found.priority) == ("spo2-low", "high")


async def test_a_limit_that_was_taken_away_meanwhile_raises_nothing(ward: Ward) -> None:
    await own(ward, PatientLimit("spo2", "<=", 95, "low", "fragile", delay_seconds=120))
    await saturation(ward, 94)
    await own(ward, PatientLimit("spo2", "<=", 90, "low", "too many", delay_seconds=120))
    await ward.turn(minutes=2)
    assert await states(ward) == ["passed"]


async def test_alarms_that_were_switched_off_meanwhile_raise_nothing(ward: Ward) -> None:
    await saturation(ward, LOW)
    await ward.by(ward.admin, lambda ctx: monitoring.switch_function(ctx, "alarms", on=False, reason="maintenance"))
    await ward.turn(seconds=15)
    assert await states(ward) == ["passed"]


async def test_that_was_not_me_withdraws_what_waits(ward: Ward) -> None:
    await saturation(ward, LOW)
    (row,) = await rows(ward)
    async with access.work(ward.patient, "withdrew a reading") as ctx:
        await reports.reading_withdrawn(ctx, PATIENT, row["finding"]["inputs"][0]["id"], [], "my husband's")
    await ward.turn(minutes=1)
    assert (await states(ward), await timers(ward)) == (["withdrawn"], [])
    assert await ward.alarms(open_only=False) == []


async def test_two_judges_at_once_make_one_that_waits(ward: Ward) -> None:
    async def one(n: int) -> None:
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge(ctx, PATIENT, [reading("spo2", LOW - n % 2, ward.clock.now())])

    await asyncio.gather(*(one(n) for n in range(0, 12, 2)))
    assert await states(ward) == ["pending"]
    with pytest.raises(RuntimeError, match="killed"):
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge(ctx, PATIENT, [reading("spo2", FINE, ward.clock.now() + timedelta(seconds=1))])
            raise RuntimeError("killed before the commit")
    assert (await states(ward), await timers(ward)) == (["pending"], ["delay"])


@pytest.mark.parametrize("seed", range(6))
async def test_against_a_naive_walk(ward: Ward, seed: int) -> None:
    """Readings at random times, some unheard; the sweep comes round or does not. Naive: since when the limit has stood
    broken without a value within limits; raised at the first moment that anybody looks after the delay, or at once when
    three of the last 5 minutes have passed.
    """
    chance = random.Random(seed)
    since, raised, passed, late_end = None, 0, 0, False
    waits: list[float] = []
    began = ward.clock.now()
    for _ in range(40):
        ward.clock.turn(timedelta(seconds=chance.choice((1, 1, 2, 3, 5, 8))))
        now = (ward.clock.now() - began).total_seconds()
        if chance.random() < 0.5:
            await ward.sweep()
            if since is not None and now - since >= 15:
                raised += 1
                break
        if chance.random() < 0.2:
            continue  # unheard
        low = chance.random() < 0.75
        await saturation(ward, LOW if low else FINE)
        if since is not None and now - since >= 15:
            raised, late_end = raised + 1, not low
            break
        if low and since is None:
            if sum(now - each <= 300 for each in waits) >= 3:
                raised += 1
                break
            since = now
        elif not low and since is not None:
            waits.append(since)
            since, passed = None, passed + 1
    found = await states(ward)
    assert found.count("passed") == passed
    assert found.count("raised") + found.count("ended") == raised
    assert found.count("pending") == (0 if raised or since is None else 1)
    assert late_end or "ended" not in found
