"""The ladder asks by the timetable: whoever has the shift, whoever stands in, and past whoever is here no longer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from tests.messaging.servers import Mail, mail
from tests.messaging.test_delivery import by_mail
from tests.monitoring.alarms.conftest import Ward

from bedside import access, messaging
from bedside.foundation.jobs import Worker
from bedside.messaging.subscribers import JOBS as NOTICES
from bedside.monitoring.alarms.testing import pressure

pytestmark = pytest.mark.engine
__all__ = ["mail"]


async def tom_stands_in(ward: Ward) -> None:
    """For the nurse, the next hour."""
    now = ward.clock.now()
    async with access.work(ward.ctx, "planned") as ctx:
        await access.add_person(ctx, access.NewPerson(name="Tom", roles=frozenset({"nurse"}), id="tom"))
    async with access.work(ward.admin, "planned") as ctx:
        await access.rota.set_substitute(ctx, person="nurse", by="tom", since=now, until=now + timedelta(hours=1))


async def test_whoever_stands_in_is_asked_first_and_the_other_not_at_all(ward: Ward) -> None:
    await tom_stands_in(ward)
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    assert (await ward.only()).asked == ("Tom",)
    await ward.turn(minutes=2)
    assert (await ward.only()).asked == ("Clinician",)
    asked = [event.data["asked"] for event in (await ward.only()).events if event.event == "ask"]
    assert asked == [["Tom"], ["Clinician"]]


async def test_when_whoever_stands_in_has_left_the_next_step_is_asked_at_once(ward: Ward) -> None:
    await tom_stands_in(ward)
    async with access.work(ward.ctx, "ended an account") as ctx:
        await access.change_person(ctx, "tom", active=False)
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    assert (await ward.only()).asked == ("Clinician",)


async def test_the_shift_that_has_begun_meanwhile_is_asked(ward: Ward) -> None:
    """Raised a minute before the night's shift begins; two minutes later the second step is the night doctor."""
    ward.clock.turn(datetime(2027, 3, 1, 18, 59, tzinfo=UTC) - ward.clock.now())
    async with access.work(ward.ctx, "planned") as ctx:
        for duty in await access.on_duty(ctx, place="ward", person="clinician"):
            hours = access.Weekly(frozenset(range(1, 8)), time(7), time(19), "UTC")
            await access.set_duty(
                ctx, id=duty.id, person="clinician", place="ward", role="clinician", step=2, weekly=hours
            )
        new = access.NewPerson(name="Night", roles=frozenset({"clinician"}), id="night")
        await access.add_person(ctx, new)
        hours = access.Weekly(frozenset(range(1, 8)), time(19), time(7), "UTC")
        await access.set_duty(ctx, person="night", place="ward", role="clinician", step=2, weekly=hours)
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    await ward.turn(minutes=2)
    assert (await ward.only()).asked == ("Night",)


async def test_a_notice_that_is_refused_holds_up_no_ladder(ward: Ward, mail: Mail) -> None:
    """The next step is asked when nobody answers, whatever became of the notice; who was not reached is work too."""
    by_mail(ward.ctx, mail)
    async with access.work(ward.ctx, "gave addresses") as ctx:
        await access.change_person(ctx, "nurse", email="nurse@clinic.example")
        await access.change_person(ctx, "clinician", email="clinician@clinic.example")
    mail.rcpt = ["550 5.1.1 no such user"]
    await ward.measure(*pressure(200, 90, ward.clock.now()))
    notices = Worker(ward.ctx.database, ward.ctx.bus, ward.clock, NOTICES)
    await notices.run_due()
    assert mail.got == []
    async with access.work(ward.admin, "looked", readonly=True) as ctx:
        [failing], _ = await messaging.failing(ctx)
    assert (failing.person.id, [one.state for one in failing.notices]) == ("nurse", ["refused"])
    await ward.turn(minutes=2)
    await notices.run_due()
    alarm = await ward.only()
    assert alarm.asked[-1] == "Clinician"
    assert "clinician@clinic.example" in {to for _, to, _ in mail.got}
