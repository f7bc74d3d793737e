"""A visit from the hand-over to the signed note on a real PostgreSQL."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import uuid4

import asyncpg
import pytest

from bedside import access, monitoring, records, visits
from bedside.access import Proof
from bedside.access import testing as access_testing
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Gone, Invalid
from bedside.foundation.jobs import Worker
from bedside.visits import Place, subscribers
from bedside.visits.service import running

pytestmark = pytest.mark.engine

for governed in subscribers.GOVERNED:
    records.govern(governed)

PASSWORD = "correct horse battery staple"
BORN = date(1955, 1, 2)
HOME = Place("US", "NY", "1 Main St, Albany", "+1 518 555 0101")


@dataclass
class Scene:
    system: Ctx
    nurse: Ctx
    clinician: Ctx
    patient: Ctx
    record: str
    clinician_id: str
    colleague: Ctx

    async def invited(self) -> tuple[visits.Visit, str]:
        """A nurse asks, the clinician takes: the visit and the link's secret."""
        async with access.work(self.nurse, "asked") as ctx:
            visit = await visits.ask(ctx, self.record, "Pressure 178/112", clinician=self.clinician_id)
        async with access.work(self.clinician, "took") as ctx:
            await visits.take(ctx, visit.id)
            link = await visits.invite(ctx, visit.id, "http://localhost:8000/")
        return visit, link.rsplit("/", 1)[1]

    async def running(self) -> visits.Visit:
        visit, _ = await self.invited()
        async with access.work(self.patient, "arrived") as ctx:
            await visits.arrive(ctx, visit.id, HOME, True, home="US")
        async with access.work(self.patient, "joined") as ctx:
            await running.join(ctx, visit.id, "patient-page")
        async with access.work(self.clinician, "joined") as ctx:
            found, _ = await running.join(ctx, visit.id, "clinician-page")
        return found


@pytest.fixture
async def scene(ctx: Ctx) -> Scene:
    record = str(uuid4())
    async with access.work(ctx, "set the scene") as inner:
        patient = {
            "resourceType": "Patient",
            "id": record,
            "name": [{"family": "Álvarez Test", "given": ["Rosa"]}],
            "birthDate": BORN.isoformat(),
        }
        await records.update(inner, patient)
        await access.add_place(inner, "ward", "Ward", "ward")
        await access.place_patient(inner, record, "ward")
        people = {}
        for role, name in (("clinician", "clinician"), ("nurse", "nurse"), ("clinician", "colleague")):
            new = access.NewPerson(name=f"Test {name}", roles=frozenset({role}), password=PASSWORD)
            people[name] = await access.add_person(inner, new)
        new = access.NewPerson(name="Rosa Álvarez Test", roles=frozenset({"patient"}), patient=record)
        people["patient"] = await access.add_person(inner, new)
        await access.set_duty(inner, person=people["nurse"].id, place="ward", role="nurse")
        licence = access.Licence(
            people["clinician"].id, "US-NY", "1", "full", date(2020, 1, 1), date(2027, 1, 1), date(2026, 1, 1), "board"
        )
        await access.add_licence(inner, licence)
    as_ = {role: access_testing.acting(ctx, person) for role, person in people.items()}
    clinician = people["clinician"].id
    return Scene(ctx, as_["nurse"], as_["clinician"], as_["patient"], record, clinician, as_["colleague"])


async def test_the_hand_over_opens_the_record_to_the_clinician(scene: Scene) -> None:
    with pytest.raises(Forbidden):
        async with access.work(scene.clinician, "looked") as ctx:
            await records.read(ctx, "Patient", scene.record)
    visit, _ = await scene.invited()
    async with access.work(scene.clinician, "looked") as ctx:
        assert (await records.read(ctx, "Patient", scene.record))["id"] == scene.record
        found = await visits.get(ctx, visit.id)
        events = [e.event for e in await visits.history(ctx, visit.id)]
    assert (found.status, found.clinician) == ("invited", scene.clinician_id)
    assert events == ["asked", "taken", "invited"]


async def test_the_alarm_goes_with_the_visit_to_the_clinician(scene: Scene) -> None:
    async with access.work(scene.system, "set up") as ctx:
        await monitoring.set_profile(ctx, scene.record, birth_date=BORN)
    async with access.work(scene.nurse, "measured") as ctx:
        high = monitoring.NewReading(
            patient=scene.record, metric="systolic", value=178, also=(monitoring.Typed("diastolic", 112),)
        )
        await monitoring.enter_readings(ctx, high)
        (alarm,) = await monitoring.alarms(ctx, patient=scene.record)
    async with access.work(scene.nurse, "asked") as ctx:
        visit = await visits.ask(ctx, scene.record, "Pressure 178/112", alarm=alarm.id, clinician=scene.clinician_id)
        handed = await monitoring.alarm(ctx, alarm.id)
    assert visit.alarm == alarm.id
    assert handed.holder == scene.clinician_id


def door(scene: Scene) -> Ctx:
    """The named job behind the link's page: nobody is signed in there."""
    return scene.system.with_(purpose="PATRQT")


async def test_the_link_is_consumed_by_the_right_answer_and_not_by_looking(scene: Scene) -> None:
    visit, secret = await scene.invited()
    for _ in range(3):
        async with access.work(door(scene), "looked") as ctx:
            await visits.look(ctx, secret)
    async with access.work(door(scene), "confirmed") as ctx:
        let_in = await visits.confirm(ctx, secret, "rosa alvarez", BORN)
    assert let_in is not None
    device, found = let_in
    assert found.id == visit.id
    async with access.work(door(scene), "came back") as ctx:
        actor, key = await visits.guest(ctx, device)
        assert await visits.came_back(ctx, secret, device) == visit.id
        assert await visits.came_back(ctx, secret, "another device") is None
    assert (actor.reference, key) == (f"Patient/{scene.record}", visit.id)
    with pytest.raises(Gone):
        async with access.work(door(scene), "confirmed again") as ctx:
            await visits.confirm(ctx, secret, "Rosa Alvarez", BORN)


async def test_five_wrong_answers_close_the_link_and_staff_are_told(scene: Scene) -> None:
    visit, secret = await scene.invited()
    for n in range(5):
        async with access.work(door(scene), "guessed") as ctx:
            assert await visits.confirm(ctx, secret, "Rosa Alvarez", date(1950, 1, 1 + n)) is None
    with pytest.raises(Gone):
        async with access.work(door(scene), "knew it") as ctx:
            await visits.confirm(ctx, secret, "Rosa Alvarez", BORN)
    async with access.work(scene.clinician, "looked") as ctx:
        assert "locked" in [e.event for e in await visits.history(ctx, visit.id)]
    async with access.work(scene.system, "counted") as ctx:
        told = await ctx.sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
    assert sum(b"visits.link-locked" in bytes(row["payload"]) for row in told) == 2


async def test_a_new_link_kills_the_unused_one(scene: Scene) -> None:
    _, first = await scene.invited()
    async with access.work(door(scene), "asked anew") as ctx:
        await visits.renew(ctx, first, "http://localhost:8000")
    with pytest.raises(Gone):
        async with access.work(door(scene), "looked") as ctx:
            await visits.look(ctx, first)


async def test_the_visit_runs_from_both_present_to_its_end_and_the_encounter_says_so(
    scene: Scene, clock: TurnableClock
) -> None:
    visit = await scene.running()
    assert visit.status == "in-progress"
    assert visit.decision is not None
    assert visit.decision["answer"] == "allow"
    clock.turn(timedelta(minutes=12))
    async with access.work(scene.clinician, "ended") as ctx:
        await visits.end(ctx, visit.id)
        encounter = await records.read(ctx, "Encounter", visit.id)
    assert encounter["class"]["code"] == "VR"
    assert encounter["status"] == "finished"
    assert encounter["period"]["start"].startswith("2026-11-21T12:00")
    assert encounter["period"]["end"].startswith("2026-11-21T12:12")
    assert [p["individual"]["display"] for p in encounter["participant"]] == ["Test clinician"]


async def test_a_place_without_licence_stops_the_clinician_until_a_reason_is_written(scene: Scene) -> None:
    visit, _ = await scene.invited()
    async with access.work(scene.patient, "arrived") as ctx:
        place = Place("US", "NJ", "2 Elm St, Newark", "+1 201 555 0101")
        found = await visits.arrive(ctx, visit.id, place, True, home="US")
    assert found.decision is not None
    assert found.decision["answer"] == "override"
    with pytest.raises(Forbidden):
        async with access.work(scene.clinician, "joined") as ctx:
            await running.join(ctx, visit.id, "page")
    async with access.work(scene.clinician, "overrode") as ctx:
        await visits.override(ctx, visit.id, "continuity of care, established patient")
    async with access.work(scene.clinician, "joined") as ctx:
        await running.join(ctx, visit.id, "clinician-page")
        encounter = await records.read(ctx, "Encounter", visit.id)
    assert "continuity of care" in encounter["extension"][0]["valueString"]


async def licence_until(scene: Scene, until: date, status: Literal["active", "revoked"] = "active") -> None:
    async with access.work(scene.system, "changed the licence") as ctx:
        held = access.Licence(
            *(scene.clinician_id, "US-NY", "1", "full", date(2020, 1, 1), until, date(2026, 1, 1), "board"), status
        )
        await access.add_licence(ctx, held)


async def sign(scene: Scene, visit: str, reason: str = "") -> None:
    async with access.work(scene.clinician, "signed") as ctx:
        await visits.notes.sign(ctx, visit, Proof("password", PASSWORD), home="US", reason=reason)


async def test_a_licence_that_ended_before_signing_asks_for_a_reason_which_stays_with_the_encounter(
    scene: Scene,
) -> None:
    visit = await scene.running()
    async with access.work(scene.clinician, "wrote") as ctx:
        await visits.notes.save(ctx, visit.id, "Feels well.", 1)
        await visits.end(ctx, visit.id)
        allowed = await visits.licence_to_sign(ctx, visit.id, home="US")
    assert allowed is not None
    assert allowed.passes
    await licence_until(scene, date(2026, 11, 20))
    with pytest.raises(Forbidden, match="ended on 2026-11-20"):
        await sign(scene, visit.id)
    with pytest.raises(Invalid):
        await sign(scene, visit.id, "yes")
    await sign(scene, visit.id, "renewal is with the board")
    async with access.work(scene.clinician, "looked") as ctx:
        encounter = await records.read(ctx, "Encounter", visit.id)
        events = [(e.event, e.detail) for e in await visits.history(ctx, visit.id)]
    assert encounter["extension"][0]["valueString"].startswith("override US-NY")
    assert encounter["extension"][0]["valueString"].endswith("renewal is with the board")
    assert ("licence overridden", "renewal is with the board") in events
    async with access.work(scene.system, "read what was kept") as ctx:
        kept = await ctx.sql.fetchval("select decision from visits.note where visit = $1", visit.id)
    assert (kept["answer"], kept["reason"]) == ("override", "renewal is with the board")


async def test_a_licence_that_was_revoked_before_signing_stops_the_signature_whatever_the_reason(scene: Scene) -> None:
    visit = await scene.running()
    async with access.work(scene.clinician, "wrote") as ctx:
        await visits.notes.save(ctx, visit.id, "Feels well.", 1)
    await licence_until(scene, date(2027, 1, 1), "revoked")
    with pytest.raises(Forbidden, match="revoked"):
        await sign(scene, visit.id, "it is urgent all the same")
    async with access.work(scene.clinician, "looked") as ctx:
        note = await visits.notes.read(ctx, visit.id)
    assert note is not None
    assert (note.text, note.signed_at) == ("Feels well.", None)


async def test_nothing_is_signed_under_the_visit_of_somebody_else(scene: Scene) -> None:
    visit = await scene.running()
    with pytest.raises(Invalid) as error:
        async with access.work(scene.clinician, "signed") as ctx:
            await visits.sign_under_licence(ctx, visit.id, str(uuid4()), home="US")
    assert error.value.where == "visit"


async def hand(scene: Scene, who: Ctx, visit: str, to: Ctx, reason: str = "called to the ward") -> visits.Visit:
    async with access.work(who, "handed over") as ctx:
        return await visits.hand(ctx, visit, to.actor.id, reason, home="US")


async def test_a_waiting_patient_is_handed_to_a_colleague_who_needs_a_licence_of_her_own(scene: Scene) -> None:
    visit, secret = await scene.invited()
    async with access.work(scene.patient, "arrived") as ctx:
        await visits.arrive(ctx, visit.id, HOME, True, home="US")
    with pytest.raises(Forbidden):
        async with access.work(scene.colleague, "looked") as ctx:
            await records.read(ctx, "Patient", scene.record)
    async with access.work(scene.clinician, "chose") as ctx:
        others = await visits.clinicians_on_duty(ctx, scene.record, but=scene.clinician_id)
    assert [one.name for one in others] == ["Test colleague"]
    moved = await hand(scene, scene.clinician, visit.id, scene.colleague)
    assert (moved.status, moved.clinician_name) == ("waiting", "Test colleague")
    assert moved.decision is not None
    assert moved.decision["answer"] == "override"  # New York licensed the first, not her
    async with access.work(door(scene), "looked") as ctx:
        await visits.look(ctx, secret)  # the patient's link is as good as before
    async with access.work(scene.colleague, "took it on") as ctx:
        assert [v.id for v in await visits.mine(ctx)] == [visit.id]
        await visits.override(ctx, visit.id, "colleague called away, patient waits")
        encounter = await records.read(ctx, "Encounter", visit.id)
        events = [(e.event, e.detail) for e in await visits.history(ctx, visit.id)]
    assert ("handed", "called to the ward → Test colleague") in events
    assert [p["individual"]["display"] for p in encounter["participant"]] == ["Test colleague"]
    async with access.work(scene.system, "counted") as ctx:
        told = await ctx.sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
    assert any(
        b"visits.handed" in bytes(row["payload"]) and scene.colleague.actor.id.encode() in bytes(row["payload"])
        for row in told
    )


async def test_who_cannot_hand_a_visit_and_what_cannot_be_handed(scene: Scene) -> None:
    visit, _ = await scene.invited()
    with pytest.raises(Forbidden):
        await hand(scene, scene.patient, visit.id, scene.colleague)
    for to, reason, where in (
        (scene.nurse, "called away", "clinician"),
        (scene.clinician, "called away", "clinician"),
        (scene.colleague, " ", "reason"),
    ):
        with pytest.raises(Invalid) as error:
            await hand(scene, scene.clinician, visit.id, to, reason)
        assert error.value.where == where
    async with access.work(scene.clinician, "wrote") as ctx:
        await visits.notes.save(ctx, visit.id, "Rings back.", 1)
    with pytest.raises(Conflict, match="begun"):
        await hand(scene, scene.clinician, visit.id, scene.colleague)


async def test_a_visit_that_began_is_not_handed(scene: Scene) -> None:
    visit = await scene.running()
    with pytest.raises(Conflict, match="in progress"):
        await hand(scene, scene.clinician, visit.id, scene.colleague)


async def test_a_patient_can_be_in_any_country(scene: Scene) -> None:
    codes = [one.code for one in visits.countries()]
    assert len(codes) == len(set(codes)) == 249  # ISO 3166-1
    visit, _ = await scene.invited()
    async with access.work(scene.patient, "arrived") as ctx:
        moved = await visits.arrive(ctx, visit.id, Place("IT", "", "Via 1", "+39 06 555 0101"), True, home="US")
    assert moved.decision is not None
    assert moved.decision["answer"] == "block"
    italy = visits.country("IT")
    assert italy is not None
    assert italy.emergency == ""


@pytest.mark.parametrize(
    ("place", "agreed", "where"),
    [
        (Place("US", "NY", "", "+1 518 555 0101"), True, "address"),
        (Place("US", "", "1 Main St", "+1 518 555 0101"), True, "subdivision"),
        (Place("XX", "", "1 Main St", "+1 518 555 0101"), True, "country"),
        (Place("US", "NY", "1 Main St", "12"), True, "callback"),
        (HOME, False, "agreed"),
    ],
)
async def test_what_is_missing_on_arrival_is_named(scene: Scene, place: Place, agreed: bool, where: str) -> None:
    visit, _ = await scene.invited()
    with pytest.raises(Invalid) as error:
        async with access.work(scene.patient, "arrived") as ctx:
            await visits.arrive(ctx, visit.id, place, agreed, home="US")
    assert error.value.where == where


async def test_an_empty_visit_closes_an_hour_after_the_last_one_left(scene: Scene, clock: TurnableClock) -> None:
    visit = await scene.running()
    for who, page in ((scene.patient, "patient-page"), (scene.clinician, "clinician-page")):
        async with access.work(who, "left") as ctx:
            await running.leave(ctx, visit.id, page)
    clock.turn(timedelta(minutes=59))
    async with access.work(scene.system, "too early") as ctx:
        # The job itself, on a machine whose clock is behind the one that asked for it.
        await ctx.sql.execute("delete from jobs.pgqueuer where entrypoint = 'visits.close_empty'")
        await running.close_empty(ctx, visit.id)
        assert (await visits.get(ctx, visit.id)).status == "in-progress"
    worker = Worker(scene.system.database, scene.system.bus, clock, subscribers.JOBS)
    assert await worker.run_due() == 0
    clock.turn(timedelta(minutes=2))
    assert await worker.run_due() == 1
    async with access.work(scene.system, "in time") as ctx:
        closed = await visits.get(ctx, visit.id)
    assert closed.status == "finished"
    assert closed.ended_at == closed.started_at


async def test_a_note_keeps_the_newest_revision_is_signed_once_and_then_only_grows(scene: Scene) -> None:
    visit = await scene.running()
    async with access.work(scene.clinician, "wrote") as ctx:
        await visits.notes.save(ctx, visit.id, "Feels well.", 2)
        assert (await visits.notes.save(ctx, visit.id, "Fe", 1)).text == "Feels well."
    async with access.work(scene.clinician, "signed") as ctx:
        await visits.notes.sign(ctx, visit.id, Proof("password", PASSWORD), home="US")
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "wrote") as ctx:
            await visits.notes.save(ctx, visit.id, "Other.", 9)
    with pytest.raises(asyncpg.RaiseError, match="cannot change"):
        async with access.work(scene.system, "tampered") as ctx:
            await ctx.sql.execute("update visits.note set text = 'x'")
    async with access.work(scene.clinician, "amended") as ctx:
        note = await visits.notes.amend(ctx, visit.id, "Pressure retaken.", Proof("password", PASSWORD))
        document = await records.read(ctx, "DocumentReference", f"{visit.id}-n")
    assert [a.text for a in note.amendments] == ["Pressure retaken."]
    assert document["docStatus"] == "amended"
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "went round") as ctx:
            await records.update(ctx, document | {"status": "entered-in-error"})


async def test_a_running_encounter_is_shut_to_the_generic_door(scene: Scene) -> None:
    visit = await scene.running()
    with pytest.raises(Conflict):
        async with access.work(scene.clinician, "went round") as ctx:
            await records.delete(ctx, "Encounter", visit.id)
