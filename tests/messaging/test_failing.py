"""Notices that did not arrive, or that nobody opened: whose work they are, what may be done, and when it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.messaging.servers import Mail, mail
from tests.messaging.test_delivery import by_mail, go, send
from tests.messaging.test_notices import add, run

from bedside import access, messaging
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from bedside.messaging.model.answers import ASKS
from bedside.messaging.model.templates import TEMPLATES
from bedside.messaging.subscribers import JOBS

pytestmark = pytest.mark.engine
__all__ = ["mail"]


async def ids(ctx: Ctx, who: access.Person) -> tuple[dict[str, list[str]], int]:
    """Whom somebody has to see to, with the states of their notices; how many are others' work."""
    async with access.work(acting(ctx, who), "looked", readonly=True) as inner:
        mine, others = await messaging.failing(inner)
        assert (await messaging.to_see_to(inner)) == (sum(len(one.notices) for one in mine), others)
    return {one.person.name: [n.state for n in one.notices] for one in mine}, others


async def refuse(ctx: Ctx, mail: Mail, person: str, template: str = "prescribing.refused") -> str:
    mail.rcpt = ["550 5.1.1 no such user"]
    id_ = await send(ctx, person, template)
    await run(ctx)
    return id_


async def give_password(ctx: Ctx, person: str) -> None:
    async with access.work(ctx, "set up") as inner:
        await inner.sql.execute(
            "insert into access.credential (person, kind, secret, created) values ($1, 'password', 'x', now())", person
        )


async def test_staff_are_the_administrators_work_and_patients_of_whoever_cares_for_them(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    nurse, other = await someone(ctx, "nurse", name="Nora"), await someone(ctx, "nurse", name="Otto")
    admin = await someone(ctx, "administrator", name="Pat")
    luis = await someone(ctx, "caregiver", name="Luis")
    async with access.work(ctx, "laid out") as inner:
        await access.relate(inner, person=nurse.id, patient="ann", kind="care", source="test")
        await access.change_person(inner, nurse.id, email="nora@clinic.example")
        await access.change_person(inner, luis.id, email="luis@home.example")
        request = access.GrantRequest(person=luis.id, patient="ann", actions="R", what=frozenset({"*"}), source="C/1")
        await access.grant(inner, request)
    for who in (ann, luis, nurse):
        await refuse(ctx, mail, who.id)
    assert await ids(ctx, nurse) == ({"Ann Lee": ["refused"], "Luis": ["refused"]}, 1)
    assert await ids(ctx, other) == ({}, 3)
    assert await ids(ctx, admin) == ({"Nora": ["refused"]}, 2)
    async with access.work(acting(ctx, other), "tried") as inner:
        with pytest.raises(NotFound):
            await messaging.seen_to(inner, ann.id, [], "told")
        with pytest.raises(Forbidden):
            await messaging.seen_to(inner, nurse.id, [], "told")
    async with access.work(acting(ctx, admin), "tried") as inner:
        with pytest.raises(NotFound):
            await messaging.correct(inner, ann.id, "admin@clinic.example", "")
    async with access.work(acting(ctx, ann), "tried") as inner:
        with pytest.raises(Forbidden):
            await messaging.failing(inner)
    # Whoever looks has touched Ann's record, and she reads it.
    async with access.work(acting(ctx, nurse), "saw to it") as inner:
        await messaging.seen_to(
            inner, ann.id, [one.id for one in (await messaging.failing(inner))[0][0].notices], "told"
        )
    async with access.work(acting(ctx, ann), "looked who had looked", readonly=True) as inner:
        looked = await access.who_looked(inner, "ann", limit=9)
    assert "saw to it" in [line.action for line in looked]
    assert await ids(ctx, nurse) == ({"Luis": ["refused"]}, 1)


async def test_an_address_is_corrected_told_of_and_used(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "laid out") as inner:
        await access.relate(inner, person=nurse.id, patient="ann", kind="care", source="test")
        await access.change_person(inner, nurse.id, email="nora@clinic.example")
    bad = await refuse(ctx, mail, ann.id)
    doctor = acting(ctx, nurse)
    for email, phone in (("ann", ""), ("a b@home.example", ""), ("ann@home", ""), ("", "600 000 000")):
        async with access.work(doctor, "tried") as inner:
            with pytest.raises(Invalid):
                await messaging.correct(inner, ann.id, email, phone)
    async with access.work(doctor, "corrected") as inner:
        await messaging.correct(inner, ann.id, " ann.lee@home.example ", "+34 600 000 000")
    await run(ctx)
    assert mail.got == [], "the address that is dead is not told"
    async with access.work(doctor, "sent again") as inner:
        assert await messaging.send_again(inner, ann.id, [bad]) == 1
        with pytest.raises(Conflict):
            await messaging.send_again(inner, ann.id, [bad])
    await run(ctx)
    assert [to for _, to, _ in mail.got] == ["ann.lee@home.example"]
    assert (await ids(ctx, nurse))[0] == {}
    mail.got.clear()
    async with access.work(doctor, "corrected") as inner:
        await messaging.correct(inner, ann.id, "another@home.example", "")
    await run(ctx)
    [(_, to, message)] = mail.got
    assert to == "ann.lee@home.example", "who did not ask for it learns of it, where they were reached until now"
    assert "changed" in message.get_content()


async def test_nobody_sets_a_colleague_s_address_and_one_s_own_only_with_proof(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    nurse, admin = await someone(ctx, "nurse"), await someone(ctx, "administrator")
    async with access.work(ctx, "laid out") as inner:
        await access.change_person(inner, nurse.id, email="nora@clinic.example")
    await refuse(ctx, mail, nurse.id)
    # Who was invited and never came in is as good as not added yet.
    async with access.work(acting(ctx, admin), "corrected") as inner:
        [one], _ = await messaging.failing(inner)
        assert one.correctable
        await messaging.correct(inner, nurse.id, "nora.w@clinic.example", "")
    await give_password(ctx, nurse.id)
    async with access.work(acting(ctx, admin), "tried") as inner:
        [one], _ = await messaging.failing(inner)
        assert not one.correctable
        with pytest.raises(Forbidden):
            await messaging.correct(inner, nurse.id, "admin@clinic.example", "")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, nurse), "tried") as inner:
            await messaging.reach_me(inner, "n@clinic.example", "", access.Proof("password", "wrong", None))


async def test_what_lets_somebody_in_is_never_sent_a_second_time(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "laid out") as inner:
        await access.relate(inner, person=nurse.id, patient="ann", kind="care", source="test")
    bad = await refuse(ctx, mail, ann.id, "visits.link")
    async with access.work(acting(ctx, nurse), "looked") as inner:
        [one], _ = await messaging.failing(inner)
        assert one.again is False
        with pytest.raises(Conflict):
            await messaging.send_again(inner, ann.id, [bad])
        with pytest.raises(Invalid):
            await messaging.seen_to(inner, ann.id, [bad], "because she has hypertension")
        await messaging.seen_to(inner, ann.id, [bad], "other")
    assert (await ids(ctx, nurse))[0] == {}
    await refuse(ctx, mail, ann.id, "visits.link")
    await refuse(ctx, mail, ann.id)
    assert (await ids(ctx, nurse))[0] == {"Ann Lee": ["refused", "refused"]}
    mail.rcpt = []
    await send(ctx, ann.id, "visits.link")
    await run(ctx)
    assert (await ids(ctx, nurse))[0] == {"Ann Lee": ["refused"]}, "a newer link has gone; the other notice has not"


async def test_a_notice_that_asks_for_an_act_and_is_not_opened_is_work(
    ctx: Ctx, clock: TurnableClock, mail: Mail
) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    nurse, admin = await someone(ctx, "nurse", name="Nora"), await someone(ctx, "administrator")
    async with access.work(ctx, "laid out") as inner:
        await access.relate(inner, person=nurse.id, patient="ann", kind="care", source="test")
        await access.change_person(inner, nurse.id, email="nora@clinic.example")
    await send(ctx, ann.id, "monitoring.read", urgent=True)
    await send(ctx, ann.id, "monitoring.waiting")
    await send(ctx, nurse.id, "visits.handed")
    await run(ctx)
    await go(ctx, clock, minutes=29)
    await JOBS["messaging.look"](ctx, {})
    assert await ids(ctx, nurse) == ({}, 0)
    clock.turn(timedelta(minutes=32))
    # Signing in is not opening what the notice was about; for a visit that was handed on it is.
    for who in (ann, nurse):
        async with access.work(acting(ctx, who), "signed in") as inner:
            await inner.sql.execute(
                """insert into access.session (id, digest, tenant, person, kind, origin, agent, created, seen, expires)
                values ($1, $2, 1, $1, 'browser', '', '', $3, $3, $3)""",
                who.id,
                who.id.encode(),
                clock.now(),
            )
    await JOBS["messaging.look"](ctx, {})
    assert await ids(ctx, nurse) == ({"Ann Lee": ["sent"]}, 0)
    assert await ids(ctx, admin) == ({}, 1)
    async with access.work(acting(ctx, ann), "read") as inner:
        await messaging.opened(inner, "monitoring.read")
    assert await ids(ctx, nurse) == ({}, 0)
    assert TEMPLATES.keys() > ASKS.keys()


async def test_what_stands_is_told_in_numbers(ctx: Ctx, clock: TurnableClock, mail: Mail) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    async with access.work(ctx, "looked", readonly=True) as inner:
        assert await messaging.standing(inner) == messaging.Standing(None, 0, None, 0)
    begun = clock.now()
    await send(ctx, ann.id)
    await run(ctx)
    clock.turn(timedelta(hours=1))
    await refuse(ctx, mail, ann.id)
    mail.rcpt = ["451 later"]
    await send(ctx, ann.id, "visits.handed")
    await run(ctx)
    async with access.work(ctx, "looked", readonly=True) as inner:
        assert await messaging.standing(inner) == messaging.Standing(begun, 1, clock.now(), 1)
    nurse = await someone(ctx, "nurse")
    async with access.work(acting(ctx, nurse), "looked", readonly=True) as inner:
        with pytest.raises(Forbidden):
            await messaging.standing(inner)


async def test_staff_change_their_own_address_and_the_old_one_is_told(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    async with access.work(ctx, "added") as inner:
        new = access.NewPerson(
            name="Nora", roles=frozenset({"nurse"}), email="nora@clinic.example", password="six small green lamps"
        )
        nora = await access.add_person(inner, new)
        taken = await access.add_person(
            inner, access.NewPerson(name="Otto", roles=frozenset({"nurse"}), email="otto@clinic.example")
        )
    proof = access.Proof("password", "six small green lamps", None)
    with pytest.raises(Conflict):
        async with access.work(acting(ctx, nora), "changed") as inner:
            await messaging.reach_me(inner, str(taken.email), "", proof)
    async with access.work(acting(ctx, nora), "changed") as inner:
        await messaging.reach_me(inner, "nora.w@clinic.example", "0034 600 000 000", proof)
        kept = await access.person(inner, nora.id)
    assert (kept.email, kept.phone) == ("nora.w@clinic.example", "+34600000000")
    await run(ctx)
    assert [to for _, to, _ in mail.got] == ["nora@clinic.example"]
