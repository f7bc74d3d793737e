"""An alarm that somebody paused: quiet for a while, and never forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.service import answers, reports, views
from bedside.monitoring.alarms.testing import pressure, reading

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine


async def paused(ward: Ward, minutes: int = 5, who: Ctx | None = None) -> Alarm:
    """A medium alarm that the nurse pauses."""
    if not await ward.alarms():
        await ward.measure(*pressure(178, 112, ward.clock.now()))
    (found,) = await ward.alarms()
    await ward.by(who or ward.nurse, lambda ctx: answers.pause(ctx, found.id, minutes, "suction"))
    return await ward.only()


async def test_it_is_quiet_until_its_end_and_then_asks_from_the_first_step(ward: Ward) -> None:
    alarm = await paused(ward)
    end = ward.clock.now() + timedelta(minutes=5)
    assert (alarm.state, alarm.open, alarm.unseen) == ("paused", True, False)
    assert (alarm.paused_until, alarm.paused_reason, alarm.holder_name) == (end, "suction", "Nurse")
    assert alarm.acknowledged_at == ward.clock.now()
    await ward.turn(minutes=4, seconds=59)
    assert (await ward.only()).state == "paused"
    await ward.turn(seconds=1)
    alarm = await ward.only()
    assert (alarm.state, alarm.step, alarm.holder_name, alarm.asked) == ("raised", 1, None, ("Nurse",))
    assert (alarm.paused_until, alarm.paused_reason) == (None, None)
    assert [line.event for line in alarm.events] == ["raise", "ask", "pause", "unpause", "ask"]
    assert alarm.events[2].note == "suction"
    assert (alarm.events[2].data["minutes"], alarm.events[3].person) == (5, None)
    await ward.turn(minutes=5)
    assert (await ward.only()).step == 2


async def test_a_lost_wake_up_is_found_by_the_sweep_and_told_late(ward: Ward) -> None:
    await paused(ward)
    ward.clock.turn(timedelta(minutes=11))
    await ward.sweep()
    alarm = await ward.only()
    assert alarm.state == "raised"
    # The first step's time passed while Bedside was away: the second is asked at once.
    assert alarm.step == 2
    assert next(line for line in alarm.events if line.event == "unpause").data["late_minutes"] == 6


async def test_anybody_who_may_answer_ends_it_early(ward: Ward) -> None:
    alarm = await paused(ward)
    async with access.work(ward.ctx, "took her on") as ctx:
        await access.relate(ctx, person="clinician", patient=PATIENT, kind="care", source="test")
    await ward.by(ward.doctor, lambda ctx: answers.unpause(ctx, alarm.id))
    found = await ward.only()
    assert (found.state, found.holder_name) == ("raised", None)
    assert found.events[-2].person_name == "Clinician"
    with pytest.raises(Conflict):
        await ward.by(ward.doctor, lambda ctx: answers.unpause(ctx, alarm.id))
    await ward.turn(minutes=5)
    # The pause's own end finds nothing more to do: one escalation, no second raising.
    assert [line.event for line in (await ward.only()).events].count("unpause") == 1


async def test_its_end_meanwhile_resolves_it(ward: Ward) -> None:
    await paused(ward)
    await ward.turn(minutes=1)
    await ward.measure(*pressure(120, 80, ward.clock.now()))
    assert (await ward.only()).state == "resolved"
    await ward.turn(minutes=10)
    assert (await ward.only()).state == "resolved"


async def test_a_worse_one_and_other_causes_sound_at_once(ward: Ward) -> None:
    await paused(ward)
    await ward.turn(minutes=1)
    await ward.measure(*pressure(200, 112, ward.clock.now()))
    await ward.measure(reading("spo2", 80, ward.clock.now()))
    found = await ward.alarms()
    assert {(one.cause, one.priority, one.unseen) for one in found} == {
        ("blood-pressure-high", "high", True),
        ("spo2-low", "high", True),
    }
    states = {one.state for one in await ward.alarms(open_only=False)}
    assert states == {"superseded", "raised"}


async def test_the_same_breach_goes_on_quietly(ward: Ward) -> None:
    await paused(ward)
    await ward.turn(minutes=1)
    await ward.measure(*pressure(179, 112, ward.clock.now()))
    assert (await ward.only()).state == "paused"


@pytest.mark.parametrize(
    ("priority", "values", "longest"), [("high", (200, 130), 5), ("medium", (165, 90), 15)], ids=["high", "medium"]
)
async def test_it_may_not_be_longer_than_its_priority_allows(
    ward: Ward, priority: str, values: tuple[int, int], longest: int
) -> None:
    await ward.measure(*pressure(*values, ward.clock.now()))
    alarm = await ward.only()
    assert (alarm.priority, monitoring.longest_pause(alarm)) == (priority, longest)
    for minutes, reason, where in ((longest + 1, "suction", "minutes"), (0, "suction", "minutes"), (1, " ", "reason")):
        with pytest.raises(Invalid) as refused:
            await ward.by(ward.nurse, lambda ctx, m=minutes, r=reason: answers.pause(ctx, alarm.id, m, r))  # type: ignore[misc]
        assert refused.value.where == where
    with pytest.raises(Forbidden):
        await ward.by(ward.patient, lambda ctx: answers.pause(ctx, alarm.id, 1, "suction"))


async def test_again_is_another_pause_counted_and_told(ward: Ward) -> None:
    await paused(ward)
    await ward.turn(minutes=4)
    alarm = await paused(ward, 10)
    assert alarm.paused_until == ward.clock.now() + timedelta(minutes=10)
    await ward.turn(minutes=9)
    assert (await ward.only()).state == "paused"
    await ward.turn(minutes=1)
    assert (await ward.only()).state == "raised"
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        now = ward.clock.now()
        (rule,) = (await monitoring.burden(ctx, now - timedelta(days=1), now)).rules
    assert (rule.raised, rule.pauses, rule.seen) == (1, 2, 1)


@pytest.mark.parametrize("answer", ["acknowledge", "act", "hand-over", "dismiss"])
async def test_every_answer_ends_the_pause(ward: Ward, answer: str) -> None:
    alarm = await paused(ward)
    does = {
        "acknowledge": lambda ctx: answers.acknowledge(ctx, alarm.id),
        "act": lambda ctx: answers.act(ctx, alarm.id, "called"),
        "hand-over": lambda ctx: answers.hand_over(ctx, alarm.id, "clinician", "please"),
        "dismiss": lambda ctx: answers.dismiss(ctx, alarm.id, "cuff on the table"),
    }
    await ward.by(ward.nurse, does[answer])
    state = (await ward.only()).state
    assert state in {"acknowledged", "acted", "false-alarm"}
    await ward.turn(minutes=6)
    found = await ward.only()
    assert (found.state, found.paused_until) == (state, None)


async def test_a_paused_alarm_of_an_acted_one_has_one_timer(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.act(ctx, alarm.id, "called"))
    await paused(ward, 15)
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        kinds = await ctx.sql.fetch("select kind from monitoring.timer where alarm = $1 and done_at is null", alarm.id)
    assert [row["kind"] for row in kinds] == ["pause"]


async def test_over_and_not_seen_is_not_paused_but_seen(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    await ward.turn(minutes=1)
    await ward.measure(*pressure(120, 80, ward.clock.now()))
    with pytest.raises(Conflict, match="over and not seen"):
        await paused(ward)


async def test_more_symptoms_wake_a_paused_alarm(ward: Ward) -> None:
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))
    await paused(ward)
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["chest-pain"]))
    alarm = await ward.only()
    assert (alarm.state, alarm.paused_until, alarm.holder_name) == ("raised", None, None)
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        assert (await views.alarm(ctx, alarm.id)).unseen
