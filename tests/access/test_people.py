"""People, places, duties: who is there and where."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside import access
from bedside.access.testing import someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.engine


async def test_a_person_is_kept_as_given(ctx: Ctx) -> None:
    async with access.work(ctx, "added somebody") as inner:
        made = await access.add_person(
            inner,
            access.NewPerson(
                name="Ana Ruiz", roles=frozenset({"clinician"}), email="Ana@clinic.example", zone="Europe/Madrid"
            ),
        )
    async with access.work(ctx, "looked", readonly=True) as inner:
        assert await access.person(inner, made.id) == made
        assert made.reference == f"Practitioner/{made.id}"
        assert [one.name for one in await access.people(inner, role="clinician")] == ["Ana Ruiz"]
        assert await access.people(inner, role="nurse") == []


async def test_what_a_person_cannot_be(ctx: Ctx) -> None:
    async with access.work(ctx, "tried") as inner:
        for roles, patient in (({"wizard"}, None), (set(), None), ({"patient"}, None), ({"nurse"}, "p1")):
            with pytest.raises(Invalid):
                await access.add_person(inner, access.NewPerson(name="X", roles=frozenset(roles), patient=patient))
        await access.add_person(inner, access.NewPerson(name="A", roles=frozenset({"nurse"}), email="a@x.example"))
        with pytest.raises(Conflict):
            await access.add_person(inner, access.NewPerson(name="B", roles=frozenset({"nurse"}), email="A@X.example"))
        # the transaction survives the refusal
        assert len(await access.people(inner)) == 1


async def test_duties_are_by_time_place_and_step(ctx: Ctx, clock: TurnableClock) -> None:
    nurse, doctor = await someone(ctx, "nurse"), await someone(ctx, "clinician")
    now = clock.now()
    async with access.work(ctx, "planned") as inner:
        await access.add_place(inner, "icu", "ICU", "ward")
        await access.set_duty(inner, person=doctor.id, place="icu", role="clinician", step=2)
        await access.set_duty(inner, person=nurse.id, place="icu", role="nurse", until=now + timedelta(hours=8))
        with pytest.raises(NotFound):
            await access.set_duty(inner, person=nurse.id, place="nowhere", role="nurse")
        with pytest.raises(Invalid):
            await access.set_duty(inner, person=nurse.id, place="icu", role="clinician")
        assert [d.person for d in await access.on_duty(inner, place="icu")] == [nurse.id, doctor.id]
        assert [d.step for d in await access.on_duty(inner, place="icu", role="clinician")] == [2]
        later = now + timedelta(hours=8)
        assert [d.person for d in await access.on_duty(inner, place="icu", role=None, at=later)] == [doctor.id]


async def test_a_patient_stays_in_a_place_until_they_leave(ctx: Ctx) -> None:
    async with access.work(ctx, "placed") as inner:
        await access.add_place(inner, "home", "Home pressure", "programme")
        await access.place_patient(inner, "p1", "home")
        await access.place_patient(inner, "p1", "home", bed="7")
        assert [(b.patient, b.bed) for b in await access.patients_at(inner, "home")] == [("p1", "7")]
        assert [b.place for b in await access.places_of(inner, "p1")] == ["home"]
        await access.leave_place(inner, "p1", "home")
        assert await access.patients_at(inner, "home") == []
        with pytest.raises(NotFound):
            await access.place_patient(inner, "p1", "nowhere")
