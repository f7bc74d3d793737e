"""Quiet hours: what can wait waits, durable and as one; what cannot does not."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from tests.messaging.servers import Mail, mail
from tests.messaging.test_delivery import by_mail
from tests.messaging.test_notices import add, outbox, run

from bedside import access, messaging
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.messaging import settings
from bedside.messaging.model.quiet import Quiet
from bedside.messaging.model.templates import TEMPLATES, URGENT

pytestmark = pytest.mark.engine
__all__ = ["mail"]

NIGHT = (time(22), time(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-01T21:59+02:00", None),
        ("2026-06-01T22:00+02:00", "2026-06-02T07:00+02:00"),
        ("2026-06-02T06:59+02:00", "2026-06-02T07:00+02:00"),
        ("2026-06-02T07:00+02:00", None),
        ("2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),
        ("2026-10-24T23:00+02:00", "2026-10-25T07:00+01:00"),
    ],
)
def test_the_end_is_the_reader_s_own_seven_o_clock(now: str, until: str | None) -> None:
    assert Quiet(*NIGHT).until(at(now), "Europe/Madrid") == (at(until) if until else None)


def test_an_end_that_comes_twice_or_never_is_found() -> None:
    early = Quiet(time(22), time(2, 30))
    assert early.until(at("2026-10-25T02:10+02:00"), "Europe/Madrid") == at("2026-10-25T02:30+02:00")
    assert early.until(at("2026-10-25T02:10+01:00"), "Europe/Madrid") == at("2026-10-25T02:30+01:00")
    assert early.until(at("2026-03-29T01:50+01:00"), "Europe/Madrid") == at("2026-03-29T03:30+02:00")
    noon = Quiet(time(13), time(15))
    assert noon.until(at("2026-06-01T14:00+02:00"), "Europe/Madrid") == at("2026-06-01T15:00+02:00")
    assert noon.until(at("2026-06-01T15:00+02:00"), "Europe/Madrid") is None


async def night(ctx: Ctx, clock: TurnableClock) -> access.Person:
    """Ann in New York at 23:00 by her clock, with quiet hours from 22 to 7."""
    settings.use(ctx.database, settings.Settings(demo=True))
    ann = await add(ctx, email="ann@home.example", zone="America/New_York")
    clock.turn(datetime(2027, 1, 12, 4, 0, tzinfo=UTC) - clock.now())
    async with access.work(acting(ctx, ann), "set quiet hours") as inner:
        await messaging.set_quiet_hours(inner, NIGHT)
        assert await messaging.quiet_hours(inner) == NIGHT
    return ann


async def send(ctx: Ctx, person: str, template: str, *, urgent: bool = False, **data: str) -> str:
    async with access.work(ctx, "asked") as inner:
        return await messaging.send(inner, messaging.Notice(person, template, data, urgent=urgent))


async def test_what_can_wait_waits_until_the_morning_and_several_become_one(ctx: Ctx, clock: TurnableClock) -> None:
    ann = await night(ctx, clock)
    first = await send(ctx, ann.id, "monitoring.check-device")
    assert await send(ctx, ann.id, "monitoring.check-device") == first
    other = await send(ctx, ann.id, "prescribing.refused")
    await run(ctx)
    morning = datetime(2027, 1, 12, 12, 0, tzinfo=UTC)
    assert {(one.id, one.state, one.due) for one in await outbox(ctx)} == {
        (first, "waiting", morning),
        (other, "waiting", morning),
    }
    clock.turn(timedelta(hours=7, minutes=59))
    await run(ctx)
    assert {one.state for one in await outbox(ctx)} == {"waiting"}
    clock.turn(timedelta(minutes=1))
    await run(ctx)
    assert [one.state for one in await outbox(ctx)] == ["sent", "sent"]
    await run(ctx)
    again = await send(ctx, ann.id, "monitoring.check-device")
    await run(ctx)
    assert again != first
    newest = (await outbox(ctx))[0]
    assert (newest.state, newest.due) == ("sent", None)


async def test_what_is_urgent_does_not_wait(ctx: Ctx, clock: TurnableClock) -> None:
    ann = await night(ctx, clock)
    for template in sorted(URGENT):
        await send(ctx, ann.id, template, link="https://x/1")
    await send(ctx, ann.id, "monitoring.read", urgent=True)
    await run(ctx)
    assert {one.state for one in await outbox(ctx)} == {"sent"}
    assert len(await outbox(ctx)) == len(URGENT) + 1
    assert TEMPLATES.keys() > URGENT


async def test_whoever_is_on_duty_is_told_at_once(ctx: Ctx, clock: TurnableClock) -> None:
    settings.use(ctx.database, settings.Settings(demo=True))
    clock.turn(datetime(2027, 1, 12, 23, 0, tzinfo=UTC) - clock.now())
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "planned") as inner:
        await access.change_person(inner, nurse.id, email="n@x.example", zone="UTC")
        await access.add_place(inner, "icu", "ICU", "ward", "UTC")
        hours = access.Weekly(frozenset({2}), time(20), time(23, 30), "UTC")
        await access.set_duty(inner, person=nurse.id, place="icu", role="nurse", weekly=hours)
    async with access.work(acting(ctx, nurse), "set quiet hours") as inner:
        await messaging.set_quiet_hours(inner, NIGHT)
    await send(ctx, nurse.id, "monitoring.handed")
    clock.turn(timedelta(minutes=30))
    await send(ctx, nurse.id, "prescribing.refused")
    await run(ctx)
    assert {one.template: one.state for one in await outbox(ctx)} == {
        "monitoring.handed": "sent",
        "prescribing.refused": "waiting",
    }


async def test_other_quiet_hours_hold_for_what_waits(ctx: Ctx, clock: TurnableClock) -> None:
    ann = await night(ctx, clock)
    await send(ctx, ann.id, "prescribing.refused")
    async with access.work(acting(ctx, ann), "sleeps longer") as inner:
        await messaging.set_quiet_hours(inner, (time(22), time(9)))
    clock.turn(timedelta(hours=8))
    await run(ctx)
    assert [one.state for one in await outbox(ctx)] == ["waiting"]
    clock.turn(timedelta(hours=2))
    await run(ctx)
    assert [one.state for one in await outbox(ctx)] == ["sent"]
    clock.turn(timedelta(hours=14))
    await send(ctx, ann.id, "prescribing.refused")
    async with access.work(acting(ctx, ann), "wants them all") as inner:
        await messaging.set_quiet_hours(inner, None)
        assert await messaging.quiet_hours(inner) is None
    await run(ctx)
    assert {one.state for one in await outbox(ctx)} == {"sent"}


async def test_one_that_is_withdrawn_is_never_sent(ctx: Ctx, clock: TurnableClock) -> None:
    ann = await night(ctx, clock)
    known = await send(ctx, ann.id, "prescribing.refused")
    async with access.work(ctx, "took back") as inner:
        await messaging.withdraw(inner, known)
    clock.turn(timedelta(days=1))
    await run(ctx)
    assert [one.state for one in await outbox(ctx)] == ["withdrawn"]


async def test_what_is_refused(ctx: Ctx) -> None:
    ann = await add(ctx, email="ann@home.example")
    async with access.work(acting(ctx, ann), "tried") as inner:
        with pytest.raises(Invalid):
            await messaging.set_quiet_hours(inner, (time(7), time(7)))
    wall = await someone(ctx, "display")
    async with access.work(acting(ctx, wall), "tried") as inner:
        with pytest.raises(Forbidden):
            await messaging.set_quiet_hours(inner, NIGHT)


async def test_hours_that_end_while_a_notice_is_retried_try_it_no_oftener(
    ctx: Ctx, clock: TurnableClock, mail: Mail
) -> None:
    ann = await night(ctx, clock)
    by_mail(ctx, mail)
    await send(ctx, ann.id, "prescribing.refused")
    mail.rcpt = ["451 later", "451 later"]
    clock.turn(timedelta(hours=7, minutes=59, seconds=45))
    async with access.work(acting(ctx, ann), "is awake") as inner:
        await messaging.set_quiet_hours(inner, None)
    await run(ctx)
    assert mail.asked == 1
    # Now the job of the hours as they were comes too, beside that of the second try.
    clock.turn(timedelta(seconds=15))
    await run(ctx)
    assert (mail.asked, mail.got) == (2, [])
    clock.turn(timedelta(seconds=30))
    await run(ctx)
    assert (mail.asked, len(mail.got)) == (3, 1)
