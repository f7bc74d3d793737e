"""Duties by the hour and substitutes, against the real database: who is asked, who may look, what is refused."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bedside import access
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, NotFound

pytestmark = pytest.mark.engine

DAY = timedelta(days=1)


@dataclass
class House:
    """A ward in Madrid with Amina on duty around the clock at its first step."""

    ctx: Ctx
    clock: TurnableClock
    amina: access.Person
    tom: access.Person
    doctor: access.Person
    admin: Ctx
    duty: access.Duty

    async def names(self, place: str = "icu") -> list[str]:
        async with access.work(self.ctx, "looked", readonly=True) as inner:
            return [duty.name for duty in await access.on_duty(inner, place=place)]

    async def replace(self, who: access.Person, by: access.Person, days: int = 2, **more: object) -> access.Substitute:
        since = more.pop("since", self.clock.now())
        assert isinstance(since, datetime)
        async with access.work(self.admin, "planned") as inner:
            return await access.rota.set_substitute(
                inner,
                person=who.id,
                by=by.id,
                since=since,
                until=since + days * DAY,
                **more,  # type: ignore[arg-type]
            )

    async def sees(self, who: access.Person) -> bool:
        async with access.work(acting(self.ctx, who), "looked", readonly=True) as inner:
            found = await access.may(inner, "ann", "R", what="Observation")
            assert (await access.visible(inner) == {"ann"}) == found
            return found


@pytest.fixture
async def house(ctx: Ctx, clock: TurnableClock) -> House:
    amina, tom = await someone(ctx, "nurse", name="Amina"), await someone(ctx, "nurse", name="Tom")
    doctor, admin = await someone(ctx, "clinician", name="Elena"), await someone(ctx, "administrator")
    async with access.work(ctx, "planned") as inner:
        await access.add_place(inner, "icu", "ICU", "ward", "Europe/Madrid")
        await access.place_patient(inner, "ann", "icu")
        duty = await access.set_duty(inner, person=amina.id, place="icu", role="nurse")
    return House(ctx, clock, amina, tom, doctor, acting(ctx, admin), duty)


async def test_by_the_hour_one_is_on_duty_and_may_look_only_then(house: House, clock: TurnableClock) -> None:
    today = clock.now().astimezone(UTC).date()
    async with access.work(house.admin, "planned") as inner:
        await access.rota.add_duty(
            inner,
            person=house.tom.id,
            place="icu",
            role="nurse",
            step=2,
            first=today - 7 * DAY,
            last=None,
            hours=(range(1, 8), time(20, 0), time(8, 0)),
        )
    zone = timedelta(hours=1 if clock.now().month in {11, 12, 1, 2} else 2)
    midnight = datetime.combine(today + DAY, time(0), UTC) - zone
    clock.turn(midnight + timedelta(hours=7, minutes=59) - clock.now())
    assert await house.names() == ["Amina", "Tom"]
    assert await house.sees(house.tom)
    clock.turn(timedelta(minutes=1))
    assert await house.names() == ["Amina"]
    assert not await house.sees(house.tom)


async def test_a_substitute_is_asked_and_may_look_and_the_other_neither(house: House, clock: TurnableClock) -> None:
    made = await house.replace(house.amina, house.tom)
    async with access.work(house.ctx, "looked", readonly=True) as inner:
        [duty] = await access.on_duty(inner, place="icu")
        assert [d.id for d in await access.on_duty(inner, person=house.tom.id)] == [duty.id]
        assert await access.on_duty(inner, person=house.amina.id) == []
    assert (duty.name, duty.step, duty.instead_name) == ("Tom", 1, "Amina")
    assert (await house.sees(house.tom), await house.sees(house.amina)) == (True, False)
    clock.turn(DAY)
    async with access.work(acting(house.ctx, house.amina), "is back") as inner:
        await access.rota.end_substitute(inner, made.id)
    assert await house.names() == ["Amina"]
    clock.turn(DAY)
    async with access.work(house.admin, "tried") as inner:
        with pytest.raises(Conflict):
            await access.rota.end_substitute(inner, made.id)


async def test_of_several_duties_one_alone_is_taken_over(house: House) -> None:
    async with access.work(house.ctx, "planned") as inner:
        await access.add_place(inner, "home", "Home", "programme", "Europe/Madrid")
        await access.set_duty(inner, person=house.amina.id, place="home", role="nurse")
    await house.replace(house.amina, house.tom, duty=house.duty.id)
    assert (await house.names("icu"), await house.names("home")) == (["Tom"], ["Amina"])
    with pytest.raises(Conflict):
        await house.replace(house.amina, house.tom)


async def test_a_chain_and_a_circle_are_refused_in_words(house: House, clock: TurnableClock) -> None:
    eve = await someone(house.ctx, "nurse", name="Eve")
    async with access.work(house.ctx, "planned") as inner:
        for one in (house.tom, eve):
            await access.set_duty(inner, person=one.id, place="icu", role="nurse", step=2)
    await house.replace(house.amina, house.tom)
    for who, by, says in (
        (house.tom, house.amina, "Tom stands in for Amina then."),
        (house.tom, eve, "Tom stands in for Amina then."),
        (eve, house.amina, "Amina is away then."),
        (house.amina, eve, "Tom stands in for Amina then already."),
    ):
        with pytest.raises(Conflict) as refused:
            await house.replace(who, by)
        assert refused.value.message == says
    await house.replace(house.tom, house.amina, since=clock.now() + 2 * DAY)
    assert await house.names() == ["Tom", "Eve", "Tom"], "asked for Amina, and as himself"


async def test_of_two_who_name_each_other_at_once_one_is_refused(house: House, clock: TurnableClock) -> None:
    async with access.work(house.ctx, "planned") as inner:
        await access.set_duty(inner, person=house.tom.id, place="icu", role="nurse", step=2)
    found = await asyncio.gather(
        house.replace(house.amina, house.tom), house.replace(house.tom, house.amina), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in found) == ["Conflict", "Substitute"]


async def test_a_pharmacy_s_duty_is_nobody_s_to_stand_in_for(house: House) -> None:
    async with access.work(house.ctx, "planned") as inner:
        new = access.NewPerson(name="Grace", roles=frozenset({"nurse", "pharmacist"}))
        grace = await access.add_person(inner, new)
        await access.add_place(inner, "shop", "Shop", "pharmacy")
        await access.set_duty(inner, person=grace.id, place="shop", role="pharmacist")
        await access.set_duty(inner, person=grace.id, place="icu", role="nurse", step=2)
    await house.replace(grace, house.tom)
    assert (await house.names("shop"), await house.names("icu")) == (["Grace"], ["Amina", "Tom"])


async def test_who_cannot_answer_is_refused(house: House, clock: TurnableClock) -> None:
    gone = await someone(house.ctx, "nurse", name="Gone")
    now = clock.now()
    async with access.work(house.ctx, "ended an account") as inner:
        await access.change_person(inner, gone.id, active=False)
        first = now.date() - DAY
        for who, until in ((house.amina, 30), (house.tom, 1)):
            last = now.date() + until * DAY
            licence = access.Licence(who.id, "US-NY", f"L-{until}", "full", first, last, now.date(), "board")
            await access.add_licence(inner, licence)
    refusals: list[tuple[access.Person, access.Person, str]] = [
        (house.amina, house.doctor, "Elena is not a nurse."),
        (house.amina, gone, "This account is ended."),
        (house.amina, house.amina, "Nobody stands in for themselves."),
        (house.doctor, house.tom, "There is no duty to stand in for at that time."),
        (house.amina, house.tom, "Tom holds no licence for US-NY for all of that time."),
    ]
    for who, by, says in refusals:
        with pytest.raises(Invalid) as refused:
            await house.replace(who, by)
        assert refused.value.message == says
    await house.replace(house.amina, house.tom, days=1)
    for days, since in ((-1, now), (1, now - 3 * DAY), (400, now)):
        with pytest.raises(Invalid):
            await house.replace(house.amina, house.tom, days, since=since)


async def test_when_the_substitute_leaves_the_next_step_is_asked_and_the_administrator_sees_the_gap(
    house: House,
) -> None:
    async with access.work(house.ctx, "planned") as inner:
        await access.set_duty(inner, person=house.doctor.id, place="icu", role="clinician", step=2)
    await house.replace(house.amina, house.tom)
    async with access.work(house.admin, "looked", readonly=True) as inner:
        [week] = await access.rota.weeks(inner)
        assert week.gaps == ()
    async with access.work(house.ctx, "ended an account") as inner:
        await access.change_person(inner, house.tom.id, active=False)
    assert await house.names() == ["Elena"]
    async with access.work(house.admin, "looked", readonly=True) as inner:
        [week] = await access.rota.weeks(inner)
    [gap] = week.gaps
    assert (gap.step, gap.missing, gap.end - gap.start) == (1, ("Tom",), 2 * DAY)
    assert week.wanting


async def test_a_step_that_is_planned_for_nights_alone_asks_nobody_to_see_to_it(house: House) -> None:
    async with access.work(house.ctx, "planned") as inner:
        nights = access.Weekly(frozenset(range(1, 8)), time(20), time(8), "Europe/Madrid")
        await access.set_duty(inner, person=house.doctor.id, place="icu", role="clinician", step=2, weekly=nights)
    async with access.work(house.admin, "looked", readonly=True) as inner:
        [week] = await access.rota.weeks(inner)
    assert {gap.step for gap in week.gaps} == {2}
    assert not week.wanting
    async with access.work(house.admin, "ended") as inner:
        await access.rota.end_duty(inner, house.duty.id)
        [week] = await access.rota.weeks(inner)
    assert {gap.step for gap in week.gaps} == {None, 2}, "by day nobody is left"
    assert week.wanting


async def test_only_an_administrator_plans_and_a_person_only_for_themselves(house: House, clock: TurnableClock) -> None:
    now = clock.now()
    nurse = acting(house.ctx, house.tom)
    async with access.work(nurse, "tried") as inner:
        for tried in (
            access.rota.weeks(inner),
            access.rota.set_zone(inner, "icu", "Europe/Madrid"),
            access.rota.end_duty(inner, house.duty.id),
            access.rota.substitutes(inner),
            access.rota.set_substitute(inner, person=house.amina.id, by=house.tom.id, since=now, until=now + DAY),
        ):
            with pytest.raises(Forbidden):
                await tried
    async with access.work(acting(house.ctx, house.amina), "is ill") as inner:
        made = await access.rota.set_substitute(
            inner, person=house.amina.id, by=house.tom.id, since=now, until=now + DAY
        )
        duties, turns, standing = await access.rota.mine(inner)
        assert [duty.id for duty in duties] == [house.duty.id]
        assert [turn.duty.name for turn in turns if turn.duty] == ["Tom", "Amina"]
        assert standing == [made]
    async with access.work(nurse, "tried") as inner:
        with pytest.raises(Forbidden):
            await access.rota.end_substitute(inner, made.id)
        assert [turn.duty.instead_name for turn in (await access.rota.mine(inner))[1] if turn.duty] == ["Amina"]


async def test_what_cannot_be_planned_is_said(house: House) -> None:
    async with access.work(house.ctx, "opened a place") as inner:
        await access.add_place(inner, "new", "New", "programme")
        await access.add_place(inner, "shop", "Shop", "pharmacy")
    plan = {"person": house.tom.id, "place": "icu", "role": "nurse", "step": 1, "first": date(2030, 1, 7), "last": None}
    wrong: list[tuple[dict[str, object], type[BedsideError]]] = [
        ({"place": "new"}, Conflict),
        ({"place": "shop"}, NotFound),
        ({"place": "nowhere"}, NotFound),
        ({"role": "clinician"}, Invalid),
        ({"step": 0}, Invalid),
        ({"last": date(2029, 1, 1)}, Invalid),
        ({"first": date(2020, 1, 1), "last": date(2020, 1, 2)}, Invalid),
        ({"hours": ([], time(8), time(9))}, Invalid),
        ({"hours": ([1], time(8), time(8))}, Invalid),
    ]
    async with access.work(house.admin, "tried") as inner:
        for change, kind in wrong:
            with pytest.raises(kind):
                await access.rota.add_duty(inner, **{"hours": None, **plan, **change})  # type: ignore[arg-type]
        with pytest.raises(Invalid):
            await access.rota.set_zone(inner, "icu", "Madrid")
        await access.rota.set_zone(inner, "new", "Europe/Madrid")
        night = {"place": "new", "last": date(2030, 1, 8), "hours": ([1, 2], time(22), time(6))}
        made = await access.rota.add_duty(inner, **{**plan, **night})  # type: ignore[arg-type]
        assert made.until == datetime(2030, 1, 9, 5, 0, tzinfo=UTC), "the last night is whole"
        await access.rota.end_duty(inner, house.duty.id)
        with pytest.raises(Conflict):
            await access.rota.end_duty(inner, house.duty.id)
    assert await house.names() == []


async def test_alarms_go_to_a_caregiver_only_where_the_patient_said_so(house: House) -> None:
    patient = await someone(house.ctx, "patient", patient="ann")
    carer, reader = await someone(house.ctx, "caregiver", name="Luis"), await someone(house.ctx, "caregiver")

    async def grant(person: access.Person, what: str, source: str) -> None:
        async with access.work(house.ctx, "let somebody in") as inner:
            await access.revoke(inner, source)
            await access.grant(
                inner,
                access.GrantRequest(
                    person=person.id, patient="ann", actions="RE", what=frozenset({what}), source=source
                ),
            )

    async def alerted() -> list[str]:
        async with access.work(house.ctx, "looked", readonly=True) as inner:
            return await access.caregivers.alerted(inner, "ann")

    await grant(carer, "*", "Consent/1")
    await grant(reader, "Observation", "Consent/2")
    assert await alerted() == []
    async with access.work(acting(house.ctx, patient), "chose") as inner:
        assert [(one.name, one.alerts) for one in await access.caregivers.of_patient(inner, "ann")] == [
            ("Luis", False),
            ("Test caregiver", False),
        ]
        await access.caregivers.set_alerts(inner, "ann", carer.id, on=True)
        with pytest.raises(Conflict):
            await access.caregivers.set_alerts(inner, "ann", reader.id, on=True)
        with pytest.raises(NotFound):
            await access.caregivers.set_alerts(inner, "ann", house.tom.id, on=True)
    for other in (acting(house.ctx, carer), acting(house.ctx, house.amina), house.admin):
        async with access.work(other, "tried") as inner:
            with pytest.raises(Forbidden):
                await access.caregivers.set_alerts(inner, "ann", carer.id, on=False)
    assert await alerted() == [carer.id]
    await grant(carer, "*", "Consent/1")
    assert await alerted() == [carer.id], "a Consent that is changed keeps what was said"
    async with access.work(house.ctx, "took it back") as inner:
        await access.revoke(inner, "Consent/1")
    assert await alerted() == []
    house.clock.turn(timedelta(hours=1))
    await grant(carer, "*", "Consent/1")
    assert await alerted() == [], "let in anew, they are told nothing before the patient says so"
