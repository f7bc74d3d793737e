"""Somebody leaves: nothing of theirs stays in their hands, and nothing of it is lost."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

import pytest

from bedside import access, monitoring, prescribing, records, visits
from bedside.access import settings as access_settings
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.monitoring import subscribers as monitoring_subscribers
from bedside.prescribing import Draft, Pharmacy
from bedside.prescribing import subscribers as prescribing_subscribers
from bedside.visits import subscribers as visits_subscribers
from bedside.web import admin

pytestmark = pytest.mark.engine

for governed in (*monitoring_subscribers.GOVERNED, *visits_subscribers.GOVERNED, *prescribing_subscribers.GOVERNED):
    records.govern(governed)
PASSWORD = "correct horse battery staple"


@dataclass
class Scene:
    ward: Any
    ctx: Ctx
    elena: access.Person
    ben: access.Person
    pat: access.Person

    def of(self, person: access.Person) -> Ctx:
        return acting(self.ctx, person)


def draft_note(subject: dict[str, Any], author: dict[str, Any]) -> dict[str, Any]:
    text = {"contentType": "text/plain", "data": base64.b64encode(b"Rang twice.").decode()}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "docStatus": "preliminary",
        "subject": subject,
        "author": [author],
        "content": [{"attachment": text}],
    }


@pytest.fixture
async def scene(ward: Any, tmp_path: Any) -> Scene:
    """Elena holds an alarm, a visit, a note, a refill and a duty of Rosa's ward; Ben does not know Rosa."""
    ctx = ward.ctx
    access_settings.use(ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    plain = ward.app_of

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes.extend(admin.ROUTES)
        return app

    ward.app_of = app_of
    pat = await someone(ctx, "administrator", name="Pat Morgan")
    ben = await someone(ctx, "clinician", name="Ben Ode")
    async with access.work(ctx, "prepared") as inner:
        new = access.NewPerson(
            name="Elena Ruiz", roles=frozenset({"clinician"}), email="elena@clinic.example", password=PASSWORD
        )
        elena = await access.add_person(inner, new)
        await access.add_place(inner, "home", "Home monitoring", "programme", "UTC")
        await access.place_patient(inner, ward.rosa_id, "home")
        await access.set_duty(inner, person=elena.id, place="home", role="clinician")
        await access.relate(inner, person=elena.id, patient=ward.rosa_id, kind="care", source="test")
        await prescribing.put_pharmacy(
            inner.with_(actor=acting(ctx, pat).actor), Pharmacy("corner", "Corner Pharmacy", "1", "Main St")
        )
    made = Scene(ward, ctx, elena, ben, pat)
    async with access.work(made.of(elena), "worked") as inner:
        one = await visits.ask(inner, ward.rosa_id, "Pressure")
        await visits.ask(inner, ward.rosa_id, "Weight")
        drug = Draft(ward.rosa_id, "amlodipine-5", 1, "tablet", "oral", "QD", 30, "corner")
        written = await prescribing.save(inner, drug)
        await prescribing.sign(inner, written.id, access.Proof("password", PASSWORD))
        await visits.notes.save(inner, one.id, "Well.", 1)
        await prescribing.save(inner, Draft(ward.rosa_id, "metformin-500", 1, "tablet", "oral", "BID", 30, "corner"))
        about = {"reference": f"Patient/{ward.rosa_id}"}
        me = {"reference": elena.reference}
        task = {"resourceType": "Task", "status": "requested", "intent": "order", "for": about, "owner": me}
        await records.create(inner, task | {"description": "Ring her"})
        await records.create(inner, draft_note(about, me))
    async with access.work(made.of(ward.rosa), "asked") as inner:
        await prescribing.ask_refill(inner, written.id)
        await monitoring.report_symptoms(inner, ward.rosa_id, ["chest-pain"])
    async with access.work(made.of(elena), "saw it") as inner:
        [alarm] = await monitoring.alarms(inner, patients=[ward.rosa_id])
        await monitoring.acknowledge(inner, alarm.id)
    async with ctx.database.connection() as sql:  # the visit began and ended; its note is a draft
        await sql.execute(
            "update visits.visit set status = 'finished', started_at = now(), ended_at = now() where id = $1", one.id
        )
    return made


async def test_what_is_in_hand_is_listed_and_a_clinician_is_asked_for(scene: Scene) -> None:
    address = f"/admin/people/{scene.elena.id}/leave"
    async with scene.ward.as_(scene.pat) as client:
        text = (await client.get(address)).text
        plain = re.sub(r"</?div[^>]*>", "", text)
        found = dict(re.findall(r'scope="row">([^<]+)</th>\s*<td[^>]*class="number">(\d+)</td>', plain))
        assert found == {
            "Alarms they hold": "1",
            "Visits not begun": "1",
            "Visits in progress": "0",
            "Notes not signed": "1",
            "Draft notes outside visits": "1",
            "Prescriptions not signed": "1",
            "Open tasks": "1",
            "Requests for refills": "1",
            "Conversations they have taken": "0",
            "Patients in their care": "1",
            "Duties": "1",
            "Places where they are signed in": "0",
        }
        assert "Núñez" not in text, "an administrator learns no patient"
        refused = await client.post(address, data={"to": ""})
        assert refused.status_code == 409
        nurse = await client.post(address, data={"to": scene.ward.nurse.id})
        assert nurse.status_code == 409
    async with access.work(scene.ctx, "looked", readonly=True) as inner:
        assert (await access.person(inner, scene.elena.id)).active, "nothing happened by halves"


async def test_everything_goes_to_the_one_who_is_named(scene: Scene) -> None:
    signed_in = await access.sign_in.with_password(
        scene.ctx.with_(tx=None), "elena@clinic.example", PASSWORD, agent="test"
    )
    assert signed_in is not None
    async with scene.ward.as_(scene.pat) as client:
        done = await client.post(f"/admin/people/{scene.elena.id}/leave", data={"to": scene.ben.id})
        assert done.status_code == 303, done.text
        again = await client.get(f"/admin/people/{scene.elena.id}/leave")
        assert again.status_code == 409
    ben = scene.of(scene.ben)
    async with access.work(ben, "looked") as inner:
        [alarm] = await monitoring.alarms(inner, patients=[scene.ward.rosa_id])
        assert (alarm.holder_name, alarm.state) == ("Ben Ode", "acknowledged")
        assert {one.reason for one in await visits.mine(inner)} == {"Pressure", "Weight"}
        [unsigned] = await visits.notes.unsigned(inner)
        note = await visits.notes.read(inner, unsigned.id)
        assert note is not None
        assert note.text == "[Elena Ruiz → Ben Ode]\nWell."
        [draft], number, _ = await visits.drafts.to_sign(inner, limit=5)
        assert (draft.text, number) == ("[Elena Ruiz → Ben Ode]\nRang twice.", 1)
        assert [one.name for one in await prescribing.drafts(inner)] == ["Metformin 500 mg tablet"]
        tasks = await records.search(inner, "Task", [("owner", str(scene.ben.reference))])
        assert [one["note"][0]["text"] for one in tasks.entries] == ["Elena Ruiz → Ben Ode"]
        [refill] = await prescribing.refills_to_answer(inner)
        await prescribing.refuse_refill(inner, refill.id, "See me first")
        assert [one.name for one in await access.on_duty(inner, place="home")] == ["Ben Ode"]
    async with access.work(scene.ctx, "looked", readonly=True) as inner:
        assert await access.relations_of(inner, person=scene.elena.id) == []
    async with scene.ctx.database.connection() as sql:
        left = await sql.fetchval(
            """select (select count(*) from access.session where person = $1 and ended is null)
            + (select count(*) from access.credential where person = $1)
            + (select count(*) from access.one_time where person = $1)""",
            scene.elena.id,
        )
        told = await sql.fetchval("select count(*) from messaging.notice where person = $1", scene.ben.id)
        lines = await sql.fetch("select action, patients from access.audit where action = 'ended an account'")
    assert left == 0
    assert told >= 1
    assert [list(one["patients"]) for one in lines] == [[scene.ward.rosa_id]], "one entry, naming every patient"


async def test_what_a_pharmacy_refused_of_who_left_is_the_successors(scene: Scene) -> None:
    async with access.work(scene.ctx, "a pharmacist for a test") as inner:
        await inner.sql.execute("update prescribing.prescription set status = 'refused' where status = 'signed'")
        await inner.sql.execute(
            """insert into prescribing.step (tenant, prescription, number, step, at, who, reason)
               select tenant, id, 9, 'refuse', $1, 'P', 'none left' from prescribing.prescription
               where status = 'refused'""",
            inner.clock.now(),
        )
    async with scene.ward.as_(scene.pat) as client:
        assert (
            await client.post(f"/admin/people/{scene.elena.id}/leave", data={"to": scene.ben.id})
        ).status_code == 303
    async with access.work(scene.of(scene.ben), "looked") as inner:
        assert len(await prescribing.refused(inner)) == 1


async def test_patients_whom_nobody_else_looks_after_go_to_somebody(scene: Scene) -> None:
    """Else the results that come of them would be on nobody's list."""
    cora = await someone(scene.ctx, "clinician", name="Cora Lind")
    async with access.work(scene.ctx, "care for a test") as inner:
        await access.relate(inner, person=cora.id, patient="p-lone", kind="care", source="test-cora")
    address = f"/admin/people/{cora.id}/leave"
    async with scene.ward.as_(scene.pat) as client:
        page = (await client.get(address)).text
        assert "nobody else looks after 1 of them" in page
        refused = await client.post(address, data={"to": ""})
        assert (refused.status_code, "in nobody" in refused.text) == (409, True)
        assert (await client.post(address, data={"to": scene.ward.nurse.id})).status_code == 409
        assert (await client.post(address, data={"to": scene.ben.id})).status_code == 303
    async with access.work(scene.ctx, "looked", readonly=True) as inner:
        bonds = await access.relations_of(inner, patient="p-lone")
        assert [one.person for one in bonds] == [scene.ben.id]


async def test_a_nurses_tasks_need_somebody_who_does_them(scene: Scene) -> None:
    nurse = await someone(scene.ctx, "nurse", name="Uma Roy")
    task = {"resourceType": "Task", "status": "requested", "intent": "order", "owner": {"reference": nurse.reference}}
    async with access.work(scene.ctx, "a task for a test") as inner:
        await records.create(inner, task | {"for": {"reference": f"Patient/{scene.ward.rosa_id}"}})
    address = f"/admin/people/{nurse.id}/leave"
    async with scene.ward.as_(scene.pat) as client:
        assert (await client.post(address, data={"to": ""})).status_code == 409
        assert (await client.post(address, data={"to": scene.ward.nurse.id})).status_code == 303
    async with scene.ward.as_(scene.ward.nurse) as client:
        assert "My tasks (1)" in (await client.get("/work")).text


async def test_alarms_go_back_to_the_ladder_when_nobody_is_named(scene: Scene) -> None:
    nurse = await someone(scene.ctx, "nurse", name="Uma Roy")
    async with access.work(scene.ctx, "planned") as inner:
        await access.set_duty(inner, person=nurse.id, place="home", role="nurse", step=2)
        [alarm] = await monitoring.alarms(inner, patients=[scene.ward.rosa_id])
        await monitoring.hand_over(inner.with_(actor=scene.of(scene.elena).actor), alarm.id, nurse.id, "yours")
    async with scene.ward.as_(scene.pat) as client:
        done = await client.post(f"/admin/people/{nurse.id}/leave", data={"to": ""})
        assert done.status_code == 303, done.text
    async with access.work(scene.ctx, "looked", readonly=True) as inner:
        [alarm] = await monitoring.alarms(inner, patients=[scene.ward.rosa_id])
        assert (alarm.state, alarm.holder) == ("raised", None)
        weeks = await access.rota.weeks(inner.with_(actor=scene.of(scene.pat).actor))
        assert any(week.wanting for week in weeks), "the duty is a gap that is named"


async def test_only_an_administrator_ends_an_account_and_not_their_own(scene: Scene) -> None:
    async with scene.ward.as_(scene.ben) as client:
        assert (await client.get(f"/admin/people/{scene.elena.id}/leave")).status_code == 403
        assert (await client.post(f"/admin/people/{scene.elena.id}/leave")).status_code == 403
    async with scene.ward.as_(scene.pat) as client:
        assert (await client.post(f"/admin/people/{scene.pat.id}/leave")).status_code == 400
        assert (await client.get(f"/admin/people/{scene.ward.rosa.id}/leave")).status_code == 404, "of no patient"
