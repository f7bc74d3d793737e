"""What people at home are told of alarms: one notice, no word of health, and a page that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, messaging, monitoring
from bedside.access.testing import acting
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging.subscribers import JOBS as NOTICES
from bedside.monitoring import settings
from bedside.monitoring.alarms.service import answers, reports
from bedside.monitoring.alarms.testing import pressure, reading
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model.limits import PatientLimit

pytestmark = pytest.mark.engine


@dataclass
class Home:
    """The ward's patient, at home, with Luis, who may read everything and is told of alarms, and Eve, who is not."""

    ward: Ward
    ana: Ctx
    luis: Ctx
    eve: Ctx

    async def outbox(self) -> list[tuple[str, str, str]]:
        """Who was sent what at home, oldest first, and what became of it."""
        async with access.work(self.ward.ctx, "looked", readonly=True) as ctx:
            found = await messaging.outbox(ctx)
        at_home = {self.ana.actor.id: "Ana", self.luis.actor.id: "Luis", self.eve.actor.id: "Eve"}
        return [(at_home[n.person], n.template, n.state) for n in reversed(found) if n.person in at_home]

    async def sent(self) -> list[tuple[str, str]]:
        await Worker(self.ward.ctx.database, self.ward.ctx.bus, self.ward.clock, NOTICES).run_due()
        return sorted((who, template) for who, template, state in await self.outbox() if state == "sent")

    async def told(self, who: Ctx) -> list[monitoring.Told]:
        async with access.work(who, "looked", readonly=True) as ctx:
            return await monitoring.told(ctx, PATIENT)

    async def read(self, who: Ctx) -> None:
        async with access.work(who, "read") as ctx:
            await monitoring.told_read(ctx, PATIENT)

    async def quiet(self, who: Ctx) -> None:
        async with access.work(who, "sleeps") as ctx:
            await messaging.set_quiet_hours(ctx, (time(22), time(7)))


@pytest.fixture
async def home(ward: Ward) -> Home:
    messaging_settings.use(ward.ctx.database, messaging_settings.Settings(demo=True))
    ward.clock.turn(datetime(2027, 3, 1, 12, 0, tzinfo=UTC) - ward.clock.now())
    carers = []
    async with access.work(ward.ctx, "moved home") as ctx:
        await access.add_place(ctx, "home", "Home monitoring", "programme")
        await access.leave_place(ctx, PATIENT, "ward")
        await access.place_patient(ctx, PATIENT, "home")
        await access.set_duty(ctx, person="nurse", place="home", role="nurse", step=1)
        await access.change_person(ctx, "ana", email="ana@home.example")
        for name in ("luis", "eve"):
            new = access.NewPerson(
                name=name.title(), roles=frozenset({"caregiver"}), id=name, email=f"{name}@home.example"
            )
            carers.append(acting(ward.ctx, await access.add_person(ctx, new)))
            request = access.GrantRequest(
                person=name, patient=PATIENT, actions="R", what=frozenset({"*"}), source=f"Consent/{name}"
            )
            await access.grant(ctx, request)
    async with access.work(ward.patient, "chose") as ctx:
        await access.caregivers.set_alerts(ctx, PATIENT, "luis", on=True)
    return Home(ward, ward.patient, *carers)


async def test_patient_and_chosen_caregiver_are_told_and_only_they(home: Home) -> None:
    await home.ward.measure(*pressure(165, 90, home.ward.clock.now()))
    assert await home.sent() == [("Ana", "monitoring.read"), ("Luis", "monitoring.read")]
    for who in (home.ana, home.luis):
        [told] = await home.told(who)
        assert (told.kind, told.cause, told.state, told.read_at) == ("reading", "blood-pressure-high", "raised", None)
    assert await home.told(home.eve) == []
    await home.read(home.ana)
    assert [told.read_at for told in await home.told(home.ana)] == [home.ward.clock.now()]
    assert [told.read_at for told in await home.told(home.luis)] == [None]
    with pytest.raises(Forbidden):
        await home.told(home.ward.admin)


async def test_an_alarm_that_waits_is_told_once_it_is_raised_and_one_that_passed_never(home: Home) -> None:
    ward = home.ward
    async with access.work(ward.ctx, "set limits") as ctx:
        await rules.set_limits(
            ctx, PATIENT, [PatientLimit("heart-rate", ">=", 120, "medium", "flutters", delay_seconds=60)]
        )
    await ward.measure(reading("heart-rate", 125, ward.clock.now()))
    await ward.turn(seconds=30)
    await ward.measure(reading("heart-rate", 80, ward.clock.now()))
    await ward.turn(seconds=60)
    assert await home.sent() == []
    await ward.measure(reading("heart-rate", 126, ward.clock.now()))
    assert await home.sent() == []
    await ward.turn(seconds=61)
    assert await home.sent() == [("Ana", "monitoring.read"), ("Luis", "monitoring.read")]
    # Who pauses it looks after it; that it goes on is not news at home.
    (alarm,) = await ward.alarms()
    await ward.by(ward.nurse, lambda ctx: answers.pause(ctx, alarm.id, 5, "moved"))
    await ward.turn(minutes=6)
    assert len(await home.sent()) == 2


async def test_nobody_is_told_of_a_patient_on_a_ward_or_where_alarms_are_off(home: Home) -> None:
    async with access.work(home.ward.ctx, "took in") as ctx:
        await access.place_patient(ctx, PATIENT, "ward", bed="1")
    await home.ward.measure(*pressure(200, 90, home.ward.clock.now()))
    assert await home.sent() == []
    settings.use(home.ward.ctx.database, settings.Settings.of_words("", functions=False))
    async with access.work(home.ward.ctx, "sent home") as ctx:
        await access.leave_place(ctx, PATIENT, "ward")
    await home.ward.by(home.ana, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))
    assert await home.sent() == []


async def test_one_unread_notice_of_a_kind_but_a_worse_matter_is_told(home: Home) -> None:
    clock = home.ward.clock
    await home.ward.measure(*pressure(165, 90, clock.now()))
    await home.ward.measure(reading("temperature", 39.5, clock.now()))
    assert [who for who, _ in await home.sent()] == ["Ana", "Luis"], "the page shows the second too"
    assert {told.cause for told in await home.told(home.ana)} == {"blood-pressure-high", "temperature-high"}
    await home.ward.measure(*pressure(200, 90, clock.now() + timedelta(seconds=5)))
    assert [who for who, _ in await home.sent()] == ["Ana", "Ana", "Luis", "Luis"], "a high one is another matter"


async def test_an_episode_that_repeats_soon_makes_none_though_the_first_was_read(home: Home) -> None:
    clock = home.ward.clock

    async def episode() -> None:
        await home.ward.measure(*pressure(165, 90, clock.now()))
        alarm = (await home.ward.alarms())[0]
        await home.ward.by(home.ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id))
        clock.turn(timedelta(minutes=10))
        await home.ward.measure(*pressure(120, 80, clock.now()))
        assert await home.ward.alarms() == []
        await home.read(home.ana)

    await episode()
    clock.turn(timedelta(hours=11))
    await episode()
    assert [who for who, _ in await home.sent()].count("Ana") == 1
    clock.turn(timedelta(hours=2))
    await episode()
    assert [who for who, _ in await home.sent()].count("Ana") == 2, "twelve hours after the first notice"


async def test_who_does_not_read_is_reminded_of_a_new_one_the_next_day(home: Home) -> None:
    await home.ward.measure(*pressure(165, 90, home.ward.clock.now()))
    home.ward.clock.turn(timedelta(hours=25))
    await home.ward.measure(reading("temperature", 39.5, home.ward.clock.now()))
    assert [who for who, _ in await home.sent()].count("Ana") == 2


async def test_quiet_hours_hold_a_lesser_alarm_and_not_a_high_one(home: Home) -> None:
    home.ward.clock.turn(timedelta(hours=11))
    for who in (home.ana, home.luis):
        await home.quiet(who)
    await home.ward.measure(*pressure(165, 90, home.ward.clock.now()))
    assert await home.sent() == []
    await home.ward.measure(*pressure(200, 90, home.ward.clock.now() + timedelta(seconds=1)))
    assert await home.sent() == [("Ana", "monitoring.read"), ("Luis", "monitoring.read")]


async def test_a_false_alarm_that_is_closed_before_its_notice_goes_sends_none(home: Home) -> None:
    clock = home.ward.clock
    clock.turn(timedelta(hours=11))
    await home.quiet(home.ana)
    await home.ward.measure(*pressure(165, 90, clock.now()))
    assert [who for who, _ in await home.sent()] == ["Luis"]
    alarm = await home.ward.only()
    await home.ward.by(home.ward.nurse, lambda ctx: answers.dismiss(ctx, alarm.id, "cuff on the wrong arm"))
    assert await home.told(home.ana) == []
    assert [told.state for told in await home.told(home.luis)] == ["false-alarm"], "who was told reads how it ended"
    await home.ward.by(home.ward.nurse, lambda ctx: answers.undo(ctx, alarm.id))
    assert [told.state for told in await home.told(home.ana)] == ["raised"], "a slip: there is something to read"
    clock.turn(timedelta(hours=12))
    assert [who for who, _ in await home.sent()] == ["Ana", "Luis"]


async def test_a_notice_that_stands_for_two_alarms_goes_for_the_other(home: Home) -> None:
    clock = home.ward.clock
    clock.turn(timedelta(hours=11))
    await home.quiet(home.ana)
    await home.ward.measure(*pressure(165, 90, clock.now()))
    false = await home.ward.only()
    await home.ward.measure(reading("temperature", 39.5, clock.now()))
    await home.ward.by(home.ward.nurse, lambda ctx: answers.dismiss(ctx, false.id, "cuff on the wrong arm"))
    clock.turn(timedelta(hours=12))
    assert [who for who, _ in await home.sent()] == ["Ana", "Luis"]
    assert [told.cause for told in await home.told(home.ana)] == ["temperature-high"]


async def test_a_silent_device_is_to_be_checked_unless_it_is_heard_before_morning(home: Home) -> None:
    clock = home.ward.clock
    clock.turn(timedelta(hours=11))
    await home.quiet(home.ana)
    await home.ward.measure(reading("heart-rate", 70, clock.now()))
    await home.ward.live(minutes=3)
    assert [alarm.cause for alarm in await home.ward.alarms()] == ["silence:device-1"]
    assert await home.sent() == [("Luis", "monitoring.check-device")]
    [told] = await home.told(home.ana)
    assert (told.kind, told.rule) == ("device", "silence-monitor")
    await home.ward.measure(reading("heart-rate", 70, clock.now()))
    assert await home.told(home.ana) == []
    clock.turn(timedelta(hours=12))
    assert [who for who, _ in await home.sent()] == ["Luis"]


async def test_what_the_patient_reported_is_told_to_the_caregiver_alone(home: Home) -> None:
    await home.ward.by(home.ana, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))
    assert await home.sent() == [("Luis", "monitoring.read")]


async def test_who_is_let_in_no_longer_is_told_no_longer(home: Home) -> None:
    async with access.work(home.ward.ctx, "took it back") as ctx:
        await access.revoke(ctx, "Consent/luis")
    await home.ward.measure(*pressure(165, 90, home.ward.clock.now()))
    assert [who for who, _ in await home.sent()] == ["Ana"]
