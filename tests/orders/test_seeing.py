"""A result waits until a clinician who cares for the patient has seen it, whichever way and order it came in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bedside import access, orders, records
from bedside.access import Person
from bedside.access.testing import acting, client, someone
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden
from bedside.orders import subscribers

pytestmark = pytest.mark.engine


def lab(patient: str, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
        ],
        "code": {"text": "Potassium"},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": 6, "unit": "mmol/L"},
        **changes,
    }


def critical() -> list[dict[str, Any]]:
    system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
    return [{"coding": [{"system": system, "code": "HH"}]}]


def report(patient: str, *parts: str) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Electrolytes"},
        "subject": {"reference": f"Patient/{patient}"},
        "result": [{"reference": part} for part in parts],
    }


class Clinic:
    """Two patients, a clinician of the first, and what a laboratory's system writes."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.laboratory = client(ctx, "system/*.cruds")

    async def begin(self) -> Clinic:
        self.elena = await someone(self.ctx, "clinician", name="Elena Ruiz")
        self.sam = await someone(self.ctx, "clinician", name="Sam Okafor")
        self.rosa, self.ben = [(await self.write({"resourceType": "Patient"})).id for _ in range(2)]
        async with access.work(self.ctx, "put a patient into care for a test") as inner:
            for person in (self.elena, self.sam):
                await access.relate(inner, person=person.id, patient=self.rosa, kind="care", source="test")
        return self

    async def write(self, resource: dict[str, Any]) -> records.Stored:
        async with access.work(self.laboratory, "wrote for a test") as inner:
            return await (records.update if "id" in resource else records.create)(inner, resource)

    async def come(self, resource: dict[str, Any]) -> str:
        stored = await self.write(resource)
        await self.tell(stored.reference)
        return stored.reference

    async def tell(self, *references: str) -> None:
        job = self.ctx.with_(actor=self.ctx.actor, tx=None)
        await subscribers.result_came(job, {"references": list(references)})

    async def waiting(self, who: Person | None = None) -> list[str]:
        async with access.work(acting(self.ctx, who or self.elena), "looked", readonly=True) as inner:
            found, total, _ = await orders.waiting(inner)
        assert total == len(found)
        return [f"{'!' if one.critical else ''}{one.ref}" for one in found]

    async def see(self, ref: str, version: int = 1, who: Person | None = None) -> None:
        async with access.work(acting(self.ctx, who or self.elena), "saw") as inner:
            await orders.see(inner, ref, version, "rang the patient")


@pytest.fixture
async def clinic(ctx: Ctx) -> Clinic:
    return await Clinic(ctx).begin()


async def test_the_write_asks_for_the_job(ctx: Ctx, clinic: Clinic) -> None:
    for heed in subscribers.HEEDED:
        records.heed(heed)
    one = await clinic.write(lab(clinic.rosa))
    vital = lab(clinic.rosa)
    vital["category"][0]["coding"][0]["code"] = "vital-signs"
    await clinic.write(vital)
    async with access.work(ctx, "looked at the queue", readonly=True) as inner:
        rows = await inner.sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'orders.result_came'")
    assert [one.reference.encode() in row["payload"] for row in rows] == [True]


async def test_critical_ones_come_first_then_the_oldest(clinic: Clinic, ctx: Ctx) -> None:
    first = await clinic.come(lab(clinic.rosa))
    ctx.clock.turn(timedelta(minutes=1))  # type: ignore[attr-defined]
    second = await clinic.come(lab(clinic.rosa))
    third = await clinic.come(lab(clinic.rosa, interpretation=critical()))
    await clinic.come(lab(clinic.ben))  # in nobody's care
    assert await clinic.waiting() == [f"!{third}", first, second]


async def test_one_mark_is_for_all_who_care_and_is_in_the_audit(clinic: Clinic, ctx: Ctx) -> None:
    ref = await clinic.come(lab(clinic.rosa))
    await clinic.see(ref)
    assert await clinic.waiting(clinic.sam) == []
    async with access.work(acting(ctx, clinic.sam), "looked", readonly=True) as inner:
        stands = await orders.look(inner, ref)
    assert stands is not None
    assert (stands.seen_by_name, stands.note) == ("Elena Ruiz", "rang the patient")
    async with access.work(ctx, "read the audit", readonly=True) as inner:
        rows = await inner.sql.fetch("select actor from access.audit where $1 = any(entities) and wrote", ref)
    assert clinic.elena.id in {row["actor"] for row in rows}
    with pytest.raises(Conflict, match="already"):
        await clinic.see(ref, who=clinic.sam)


async def test_who_may_not_see_it_cannot_mark_it(clinic: Clinic, ctx: Ctx) -> None:
    ref = await clinic.come(lab(clinic.ben))
    nurse = await someone(ctx, "nurse")
    for who in (clinic.elena, nurse):
        with pytest.raises(Forbidden):
            await clinic.see(ref, who=who)
    with pytest.raises(Forbidden):
        await clinic.waiting(nurse)


async def test_a_correction_is_to_be_seen_anew_and_the_same_words_are_not(clinic: Clinic) -> None:
    ref = await clinic.come(lab(clinic.rosa))
    await clinic.see(ref)
    id_ = ref.partition("/")[2]
    await clinic.come(lab(clinic.rosa, id=id_, meta={"tag": [{"code": "routed"}]}))
    assert await clinic.waiting() == []
    await clinic.come(lab(clinic.rosa, id=id_, status="corrected", valueQuantity={"value": 4, "unit": "mmol/L"}))
    assert await clinic.waiting() == [ref]
    with pytest.raises(Conflict, match="newer version"):
        await clinic.see(ref, version=1)
    await clinic.see(ref, version=3)
    await clinic.tell(ref)  # a job that comes twice
    assert await clinic.waiting() == []


async def test_what_was_seen_before_its_job_ran_is_not_asked_for_again(clinic: Clinic) -> None:
    ref = await clinic.come(lab(clinic.rosa))
    await clinic.write(lab(clinic.rosa, id=ref.partition("/")[2], status="corrected"))
    await clinic.see(ref, version=2)
    await clinic.tell(ref)
    assert await clinic.waiting() == []


@pytest.mark.parametrize("reports_first", [True, False])
async def test_a_report_stands_for_its_parts(clinic: Clinic, *, reports_first: bool) -> None:
    part = (await clinic.write(lab(clinic.rosa, interpretation=critical()))).reference
    whole = (await clinic.write(report(clinic.rosa, part, "Observation/elsewhere"))).reference
    for reference in (whole, part) if reports_first else (part, whole):
        await clinic.tell(reference)
    assert await clinic.waiting() == [f"!{whole}"]
    await clinic.see(part)  # opened by the part: it is the report that is marked
    assert await clinic.waiting() == []
    await clinic.come(lab(clinic.rosa, id=part.partition("/")[2], status="corrected"))
    assert await clinic.waiting() == [whole]


async def test_what_was_withdrawn_is_told_only_to_who_had_seen_it(clinic: Clinic) -> None:
    unseen, seen = await clinic.come(lab(clinic.rosa)), await clinic.come(lab(clinic.rosa, status="final"))
    await clinic.see(seen)
    for ref in (unseen, seen):
        await clinic.come(lab(clinic.rosa, id=ref.partition("/")[2], status="entered-in-error"))
    assert await clinic.waiting() == [seen]


async def test_a_mark_is_taken_back_by_who_made_it(clinic: Clinic, ctx: Ctx) -> None:
    ref = await clinic.come(lab(clinic.rosa))
    await clinic.see(ref)
    async with access.work(acting(ctx, clinic.sam), "took back") as inner:
        with pytest.raises(Conflict):
            await orders.unsee(inner, ref)
    async with access.work(acting(ctx, clinic.elena), "took back") as inner:
        await orders.unsee(inner, ref)
    assert await clinic.waiting() == [ref]


async def test_a_number_that_no_version_has_marks_nothing(clinic: Clinic) -> None:
    """Else the versions up to it would never be told of (hazard H160)."""
    ref = await clinic.come(lab(clinic.rosa))
    id_ = ref.partition("/")[2]
    with pytest.raises(Conflict):
        await clinic.see(ref, version=7)
    assert await clinic.waiting() == [ref]
    await clinic.write(lab(clinic.rosa, id=id_, status="corrected"))
    await clinic.see(ref, version=1)  # the one that was looked at, though another stands there by now
    assert await clinic.waiting() == []
    await clinic.tell(ref)
    assert await clinic.waiting() == [ref]


async def test_a_parts_own_version_says_nothing_of_its_reports(clinic: Clinic) -> None:
    part = (await clinic.write(lab(clinic.rosa))).reference
    for n in range(4):  # the part has many versions, the report one
        await clinic.write(lab(clinic.rosa, id=part.partition("/")[2], note=[{"text": str(n)}]))
    whole = await clinic.come(report(clinic.rosa, part))
    await clinic.see(part, version=5)
    await clinic.come(report(clinic.rosa, part) | {"id": whole.partition("/")[2], "conclusion": "Changed."})
    assert await clinic.waiting() == [whole]
