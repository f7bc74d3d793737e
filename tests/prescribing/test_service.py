"""A prescription from draft to dispensed on a real PostgreSQL: who may, what is refused, what the record shows."""

from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from bedside import access, prescribing, records
from bedside.access import Proof
from bedside.access import testing as access_testing
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, Unprocessable
from bedside.prescribing import Draft, Pharmacy, subscribers

pytestmark = pytest.mark.engine

for governed in subscribers.GOVERNED:
    records.govern(governed)

PASSWORD = "correct horse battery staple"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ACTIVE = {"coding": [{"system": ALLERGY, "code": "active"}]}


@dataclass
class Scene:
    system: Ctx
    clinician: Ctx
    pharmacist: Ctx
    patient: Ctx
    record: str

    def draft(self, medicine: str = "amlodipine-5", **changes: object) -> Draft:
        values = {
            "patient": self.record,
            "medicine": medicine,
            "dose": 1,
            "unit": "tablet",
            "route": "oral",
            "frequency": "QD",
            "days": 30,
            "pharmacy": "corner",
        } | changes
        return Draft(**values)  # type: ignore[arg-type]

    async def signed(self, **changes: object) -> prescribing.Prescription:
        async with access.work(self.clinician, "wrote") as ctx:
            kept = await prescribing.save(ctx, self.draft(**changes))  # type: ignore[arg-type]
        async with access.work(self.clinician, "signed") as ctx:
            return await prescribing.sign(ctx, kept.id, Proof("password", PASSWORD))


@pytest.fixture
async def scene(ctx: Ctx) -> Scene:
    record = str(uuid4())
    async with access.work(ctx, "set the scene") as inner:
        await records.update(
            inner,
            {
                "resourceType": "Patient",
                "id": record,
                "name": [{"family": "Test", "given": ["Ana"]}],
                "birthDate": "1955-01-02",
            },
        )
        await records.create(
            inner,
            {
                "resourceType": "AllergyIntolerance",
                "patient": {"reference": f"Patient/{record}"},
                "clinicalStatus": ACTIVE,
                "code": {
                    "coding": [{"system": "http://snomed.info/sct", "code": "764146007"}],
                    "text": "Penicillin",
                },
            },
        )
        await access.add_place(inner, "corner", "Corner Pharmacy", "pharmacy")
        people = {}
        for role in ("clinician", "pharmacist", "administrator"):
            new = access.NewPerson(name=f"Test {role}", roles=frozenset({role}), password=PASSWORD)
            people[role] = await access.add_person(inner, new)
        new = access.NewPerson(name="Ana Test", roles=frozenset({"patient"}), patient=record)
        people["patient"] = await access.add_person(inner, new)
        await access.relate(inner, person=people["clinician"].id, patient=record, kind="care", source="test")
        await access.set_duty(inner, person=people["pharmacist"].id, place="corner", role="pharmacist")
    as_ = {role: access_testing.acting(ctx, person) for role, person in people.items()}
    async with access.work(as_["administrator"], "added a pharmacy") as inner:
        await prescribing.put_pharmacy(inner, Pharmacy("corner", "Corner Pharmacy", "555", "1 Main St"))
    return Scene(ctx, as_["clinician"], as_["pharmacist"], as_["patient"], record)


async def test_from_draft_to_dispensed_the_record_follows(scene: Scene) -> None:
    rx = await scene.signed()
    assert rx.status == "signed"
    async with access.work(scene.pharmacist, "opened the inbox") as ctx:
        assert [p.id for p in await prescribing.inbox(ctx)] == [rx.id]
        await prescribing.step(ctx, rx.id, "accept")
        await prescribing.step(ctx, rx.id, "dispense")
    async with access.work(scene.patient, "looked") as ctx:
        request = await records.read(ctx, "MedicationRequest", rx.id)
        dispensed = await records.search(ctx, "MedicationDispense", {"patient": scene.record})
        steps = [e.step for e in (await prescribing.of_patient(ctx, scene.record))[0].events]
    assert request["status"] == "completed"
    assert request["dosageInstruction"][0]["text"] == "1 tablet, oral, once a day, for 30 days"
    assert dispensed.entries[0]["authorizingPrescription"][0]["reference"] == f"MedicationRequest/{rx.id}"
    assert steps == ["sign", "accept", "dispense"]


async def test_what_lies_behind_the_first_page_of_a_long_record_is_weighed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An allergy, a medicine and a prescription that a record of many years holds before many others."""
    monkeypatch.setattr("bedside.records.service.searching.MOST", 20)
    old = await scene.signed()  # amlodipine, the oldest of all
    about = {"reference": f"Patient/{scene.record}"}
    async with access.work(scene.system, "many years") as ctx:
        for name in ("Ibuprofen 400 mg", *(f"Herb {n}" for n in range(45))):
            taken = {"status": "active", "subject": about, "medicationCodeableConcept": {"text": name}}
            await records.create(ctx, {"resourceType": "MedicationStatement", **taken})
        for n in range(45):
            told = {"clinicalStatus": ACTIVE, "patient": about, "code": {"text": f"Something {n}"}}
            await records.create(ctx, {"resourceType": "AllergyIntolerance", **told})
        await ctx.sql.execute(
            """insert into prescribing.prescription select (jsonb_populate_record(p, jsonb_build_object(
               'id', gen_random_uuid(), 'status', 'cancelled', 'written_at', p.written_at + interval '1 day'))).*
               from prescribing.prescription p, generate_series(1, 250) where id = $1""",
            old.id,
        )
    async with access.work(scene.pharmacist, "dispensed") as ctx:
        await prescribing.step(ctx, old.id, "accept")
        await prescribing.step(ctx, old.id, "dispense")
    async with access.work(scene.clinician, "wrote") as ctx:
        penicillin = await prescribing.save(ctx, scene.draft("amoxicillin-500", unit="capsule"))
        again = await prescribing.save(ctx, scene.draft())
        painkiller = await prescribing.save(ctx, scene.draft("ibuprofen-400"))
    assert "allergy" in {one.about for one in penicillin.checks}
    assert "duplicate" in {one.about for one in again.checks}
    assert "duplicate" in {one.about for one in painkiller.checks}


async def test_an_allergy_by_class_needs_a_reason_and_then_passes(scene: Scene) -> None:
    async with access.work(scene.clinician, "wrote") as ctx:
        kept = await prescribing.save(ctx, scene.draft("amoxicillin-500", unit="capsule"))
    stops = [c for c in kept.checks if c.level == "stop"]
    assert [c.about for c in stops] == ["allergy"]
    with pytest.raises(Unprocessable):
        async with access.work(scene.clinician, "signed") as ctx:
            await prescribing.sign(ctx, kept.id, Proof("password", PASSWORD))
    async with access.work(scene.clinician, "signed") as ctx:
        await prescribing.give_reasons(ctx, kept.id, {stops[0].key: "tolerated twice since"})
        assert (await prescribing.sign(ctx, kept.id, Proof("password", PASSWORD))).status == "signed"
    async with access.work(scene.clinician, "looked") as ctx:
        request = await records.read(ctx, "MedicationRequest", kept.id)
    assert any("tolerated twice since" in note["text"] for note in request["note"])


async def test_a_draft_is_not_signed_while_its_pharmacy_is_closed(scene: Scene) -> None:
    pat = access_testing.acting(scene.system, await access_testing.someone(scene.system, "administrator"))
    async with access.work(scene.clinician, "wrote") as ctx:
        kept = await prescribing.save(ctx, scene.draft())
    async with access.work(pat, "closed") as ctx:
        assert await prescribing.waiting_at(ctx, "corner") == 0
        await access.closing.close(ctx, "corner")
    with pytest.raises(Unprocessable, match="This pharmacy is closed"):
        async with access.work(scene.clinician, "signed") as ctx:
            await prescribing.sign(ctx, kept.id, Proof("password", PASSWORD))
    with pytest.raises(Invalid, match="not known here"):
        async with access.work(scene.clinician, "wrote") as ctx:
            await prescribing.save(ctx, scene.draft())
    async with access.work(pat, "opened") as ctx:
        await access.closing.reopen(ctx, "corner")
    async with access.work(scene.clinician, "signed") as ctx:
        await prescribing.sign(ctx, kept.id, Proof("password", PASSWORD))
    async with access.work(pat, "looked", readonly=True) as ctx:
        assert await prescribing.waiting_at(ctx, "corner") == 1, "it would keep the pharmacy open"


async def test_a_wrong_password_signs_nothing(scene: Scene) -> None:
    async with access.work(scene.clinician, "wrote") as ctx:
        kept = await prescribing.save(ctx, scene.draft())
    with pytest.raises(Forbidden):
        async with access.work(scene.clinician, "signed") as ctx:
            await prescribing.sign(ctx, kept.id, Proof("password", "wrong"))
    async with access.work(scene.clinician, "looked") as ctx:
        assert (await prescribing.get(ctx, kept.id)).status == "draft"


async def test_a_controlled_medicine_is_refused_with_the_reason(scene: Scene) -> None:
    with pytest.raises(Unprocessable, match="controlled medicine"):
        async with access.work(scene.clinician, "wrote") as ctx:
            await prescribing.save(ctx, scene.draft("oxycodone-5"))


async def test_what_is_signed_cannot_change_but_can_be_cancelled(scene: Scene) -> None:
    rx = await scene.signed()
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "wrote") as ctx:
            await prescribing.save(ctx, scene.draft(dose=2), key=rx.id)
    with pytest.raises(asyncpg.RaiseError, match="cannot change"):
        async with access.work(scene.system, "tampered") as ctx:
            await ctx.sql.execute("update prescribing.prescription set name = 'x' where id = $1", rx.id)
    with pytest.raises(Invalid):
        async with access.work(scene.clinician, "cancelled") as ctx:
            await prescribing.cancel(ctx, rx.id, " ", Proof("password", PASSWORD))
    with pytest.raises(Invalid):
        async with access.work(scene.clinician, "cancelled") as ctx:
            await prescribing.cancel(ctx, rx.id, "wrong patient")
    for who, secret in ((scene.clinician, "somebody else's"), (scene.pharmacist, PASSWORD)):
        with pytest.raises(Forbidden):
            async with access.work(who, "cancelled") as ctx:
                await prescribing.cancel(ctx, rx.id, "wrong patient", Proof("password", secret))
    async with access.work(scene.clinician, "cancelled") as ctx:
        assert (
            await prescribing.cancel(ctx, rx.id, "wrong patient", Proof("password", PASSWORD))
        ).status == "cancelled"
    with pytest.raises(Conflict):
        async with access.work(scene.pharmacist, "dispensed") as ctx:
            await prescribing.step(ctx, rx.id, "dispense")


async def test_who_prescribed_is_told_of_a_refusal_and_finds_it(scene: Scene) -> None:
    rx = await scene.signed()
    async with access.work(scene.pharmacist, "refused") as ctx:
        await prescribing.step(ctx, rx.id, "refuse", "out of stock everywhere")
    async with access.work(scene.system, "counted") as ctx:
        told = await ctx.sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
        other = await access.add_person(ctx, access.NewPerson(name="Other", roles=frozenset({"clinician"})))
    assert sum(b"prescribing.refused" in bytes(row["payload"]) for row in told) == 1
    async with access.work(scene.clinician, "looked") as ctx:
        [found] = await prescribing.refused(ctx)
    assert (found.id, found.events[-1].reason) == (rx.id, "out of stock everywhere")
    async with access.work(access_testing.acting(scene.system, other), "looked") as ctx:
        assert await prescribing.refused(ctx) == []


async def test_a_pharmacist_sees_only_what_was_sent_to_her(scene: Scene) -> None:
    rx = await scene.signed()
    async with access.work(scene.system, "added") as ctx:
        other = await access.add_person(
            ctx, access.NewPerson(name="Other", roles=frozenset({"pharmacist"}), password=PASSWORD)
        )
    stranger = access_testing.acting(scene.system, other)
    async with access.work(stranger, "opened the inbox") as ctx:
        assert await prescribing.inbox(ctx) == []
    with pytest.raises(Forbidden):
        async with access.work(stranger, "looked") as ctx:
            await prescribing.get(ctx, rx.id)
    with pytest.raises(Forbidden):
        async with access.work(scene.pharmacist, "looked") as ctx:
            await records.search(ctx, "Condition", {"patient": scene.record})


async def test_a_pharmacist_reads_the_request_that_was_sent_to_her_in_the_record_and_no_other(scene: Scene) -> None:
    sent = await scene.signed()
    request = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Lisinopril 10 mg tablet"},
        "subject": {"reference": f"Patient/{scene.record}"},
    }
    async with access.work(scene.clinician, "wrote elsewhere") as ctx:
        await records.create(ctx, request, id="elsewhere")
    async with access.work(scene.pharmacist, "read") as ctx:
        assert (await records.read(ctx, "MedicationRequest", sent.id))["id"] == sent.id
    with pytest.raises(Forbidden):
        async with access.work(scene.pharmacist, "read") as ctx:
            await records.read(ctx, "MedicationRequest", "elsewhere")


async def test_a_draft_that_was_dropped_reaches_neither_pharmacy_nor_patient(scene: Scene) -> None:
    """It was never sent, so that nobody there may read it: the inbox goes on without it."""
    rx = await scene.signed(medicine="chlorthalidone-25")
    async with access.work(scene.clinician, "dropped a draft") as ctx:
        dropped = await prescribing.save(ctx, scene.draft())
        assert (await prescribing.cancel(ctx, dropped.id, "another is better")).status == "cancelled"
    async with access.work(scene.pharmacist, "opened the inbox") as ctx:
        assert [p.id for p in await prescribing.inbox(ctx)] == [rx.id]
    for who in (scene.patient, scene.pharmacist):
        with pytest.raises(Forbidden):
            async with access.work(who, "looked") as ctx:
                await prescribing.get(ctx, dropped.id)
    async with access.work(scene.patient, "looked") as ctx:
        assert [p.id for p in await prescribing.of_patient(ctx, scene.record)] == [rx.id]
        with pytest.raises(Forbidden):
            await records.read(ctx, "MedicationRequest", dropped.id)


async def test_the_generic_door_is_shut_for_what_is_signed(scene: Scene) -> None:
    rx = await scene.signed()
    async with access.work(scene.system, "looked") as ctx:
        request = await records.read(ctx, "MedicationRequest", rx.id)
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "wrote") as ctx:
            await records.update(ctx, request | {"status": "cancelled"})


async def dispensed(scene: Scene, **changes: object) -> prescribing.Prescription:
    rx = await scene.signed(**changes)
    async with access.work(scene.pharmacist, "dispensed") as ctx:
        await prescribing.step(ctx, rx.id, "accept")
        return await prescribing.step(ctx, rx.id, "dispense")


async def ask(scene: Scene, key: str, note: str = "") -> prescribing.Refill:
    async with access.work(scene.patient, "asked for a refill") as ctx:
        return await prescribing.ask_refill(ctx, key, note)


async def test_a_refill_is_asked_for_once_and_renewed_by_a_signed_prescription(scene: Scene) -> None:
    rx = await dispensed(scene)
    asked = await ask(scene, rx.id, "ten tablets left")
    assert (await ask(scene, rx.id)).id == asked.id
    async with access.work(scene.clinician, "opened today") as ctx:
        assert [(r.id, r.note) for r in await prescribing.refills_to_answer(ctx)] == [(asked.id, "ten tablets left")]
        proposal = await records.read(ctx, "MedicationRequest", asked.id)
    assert (proposal["intent"], proposal["status"]) == ("proposal", "draft")
    assert proposal["priorPrescription"] == {"reference": f"MedicationRequest/{rx.id}"}
    assert proposal["requester"]["display"] == "Ana Test"
    # The medicine that is renewed is no duplicate of itself, though the patient takes it still.
    newer = await scene.signed(refill=asked.id)
    assert [c for c in newer.checks if c.about == "duplicate"] == []
    async with access.work(scene.patient, "looked") as ctx:
        (answered,) = await prescribing.refills(ctx, scene.record)
        order = await records.read(ctx, "MedicationRequest", newer.id)
        proposal = await records.read(ctx, "MedicationRequest", asked.id)
    assert (answered.state, answered.renewed_as, answered.answered_by_name) == ("renewed", newer.id, "Test clinician")
    assert order["priorPrescription"]["reference"] == f"MedicationRequest/{rx.id}"
    assert order["basedOn"] == [{"reference": f"MedicationRequest/{asked.id}"}]
    assert proposal["status"] == "completed"
    with pytest.raises(Conflict, match="was renewed"):
        await ask(scene, rx.id)
    async with access.work(scene.clinician, "opened today") as ctx:
        assert await prescribing.refills_to_answer(ctx) == []


async def test_a_refill_is_refused_with_a_reason_once_and_can_be_asked_for_again(scene: Scene) -> None:
    rx = await dispensed(scene)
    asked = await ask(scene, rx.id)
    with pytest.raises(Invalid):
        async with access.work(scene.clinician, "refused") as ctx:
            await prescribing.refuse_refill(ctx, asked.id, " ")
    async with access.work(scene.clinician, "refused") as ctx:
        assert (await prescribing.refuse_refill(ctx, asked.id, "come for a blood test first")).state == "refused"
    with pytest.raises(Conflict, match="answered already"):
        async with access.work(scene.clinician, "refused") as ctx:
            await prescribing.refuse_refill(ctx, asked.id, "again")
    # A renewal that was being written when it was refused is not signed over the refusal.
    with pytest.raises(Conflict, match="answered already"):
        await scene.signed(refill=asked.id)
    async with access.work(scene.patient, "looked") as ctx:
        proposal = await records.read(ctx, "MedicationRequest", asked.id)
    assert (proposal["status"], proposal["statusReason"]["text"]) == ("stopped", "come for a blood test first")
    assert (await ask(scene, rx.id)).id != asked.id


async def test_a_refill_is_not_asked_for_of_what_is_cancelled_and_ends_with_it(scene: Scene) -> None:
    rx = await scene.signed()
    asked = await ask(scene, rx.id)
    async with access.work(scene.clinician, "cancelled") as ctx:
        await prescribing.cancel(ctx, rx.id, "no longer needed", Proof("password", PASSWORD))
    async with access.work(scene.patient, "looked") as ctx:
        assert [(r.state, r.reason) for r in await prescribing.refills(ctx, scene.record)] == [
            ("refused", "no longer needed")
        ]
    with pytest.raises(Conflict, match="cancelled"):
        await ask(scene, rx.id)
    assert asked.open


async def test_only_the_patient_asks_and_only_who_cares_for_them_answers(scene: Scene) -> None:
    rx = await dispensed(scene)
    with pytest.raises(Forbidden):
        async with access.work(scene.clinician, "asked") as ctx:
            await prescribing.ask_refill(ctx, rx.id)
    async with access.work(scene.system, "added") as ctx:
        other = await access.add_person(ctx, access.NewPerson(name="Other", roles=frozenset({"clinician"})))
        foreign = str(uuid4())
        await records.update(ctx, {"resourceType": "Patient", "id": foreign, "name": [{"family": "Else"}]})
        someone = access.NewPerson(name="Eve Else", roles=frozenset({"patient"}), patient=foreign)
        eve = await access.add_person(ctx, someone)
    with pytest.raises(Forbidden):
        async with access.work(access_testing.acting(scene.system, eve), "asked") as ctx:
            await prescribing.ask_refill(ctx, rx.id)
    asked = await ask(scene, rx.id)
    stranger = access_testing.acting(scene.system, other)
    with pytest.raises(Forbidden):
        async with access.work(stranger, "refused") as ctx:
            await prescribing.refuse_refill(ctx, asked.id, "no")
    async with access.work(stranger, "opened today") as ctx:
        assert await prescribing.refills_to_answer(ctx) == []


async def test_what_was_dispensed_and_is_still_taken_is_checked_against(scene: Scene) -> None:
    """Its MedicationRequest is completed, and the patient swallows it for a month more."""
    await dispensed(scene)
    async with access.work(scene.clinician, "wrote") as ctx:
        kept = await prescribing.save(ctx, scene.draft("amlodipine-5"))
    assert "duplicate" in {c.about for c in kept.checks if c.level == "stop"}


async def test_the_generic_door_is_shut_for_a_request_too(scene: Scene) -> None:
    asked = await ask(scene, (await dispensed(scene)).id)
    async with access.work(scene.system, "looked") as ctx:
        proposal = await records.read(ctx, "MedicationRequest", asked.id)
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "wrote") as ctx:
            await records.update(ctx, proposal | {"status": "completed"})


async def test_what_stands_in_another_record_of_the_person_is_said_not_to_be_checked(scene: Scene) -> None:
    says = "This person has another record"
    async with access.work(scene.clinician, "checked") as ctx:
        assert not [c for c in await prescribing.checks(ctx, scene.record, "amlodipine-5") if says in c.text]
    async with access.work(scene.system, "joined") as ctx:
        again = await records.create(ctx, {"resourceType": "Patient", "name": [{"family": "Test", "given": ["Ana"]}]})
        await records.merge(ctx, again.id, scene.record)
    async with access.work(scene.clinician, "checked") as ctx:
        (found,) = [c for c in await prescribing.checks(ctx, scene.record, "amlodipine-5") if says in c.text]
    assert (found.level, found.about) == ("not-checked", "allergy")
