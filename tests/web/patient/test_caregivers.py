"""A patient lets somebody in, as far as they say and until when, and takes it back; the desk does it for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from bedside import access, records
from bedside.access import settings as access_settings
from bedside.access.testing import someone
from bedside.fhir import consents
from bedside.foundation.ids import uuid7
from bedside.messaging import settings as messaging_settings
from bedside.records import settings as records_settings
from bedside.web import desk
from bedside.web.patient import consent

if TYPE_CHECKING:
    from tests.web.conftest import Ward

    from bedside.access import Person

pytestmark = pytest.mark.engine
HERE = "/me/caregivers"
FORM = {"name": "Luis", "email": "luis@home.example", "may": "look", "until": ""}


@pytest.fixture
def mail(ward: Ward, tmp_path: Path) -> None:
    access_settings.use(ward.ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    chosen = messaging_settings.Settings(smtp="smtp://localhost:1", sender="clinic@sol.example")
    messaging_settings.use(ward.ctx.database, chosen)


async def notices(ward: Ward) -> list[tuple[str, str]]:
    async with ward.ctx.database.connection() as sql:
        rows = await sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send' order by id")
    sent = [orjson.loads(row["payload"])["payload"] for row in rows]
    return [(one["person"], one["template"]) for one in sent]


async def found(ward: Ward, email: str) -> Person:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        return next(one for one in await access.people(ctx) if one.email == email)


async def new_person(ward: Ward, role: str, email: str, patient: str | None = None) -> Person:
    async with access.work(ward.ctx, "prepared") as ctx:
        new = access.NewPerson(name="Known Name", roles=frozenset({role}), email=email, patient=patient)
        return await access.add_person(ctx, new)


@pytest.mark.usefixtures("mail")
async def test_let_in_to_look_and_out_again(ward: Ward) -> None:
    form = {**FORM, "key": uuid7()}
    async with ward.as_(ward.rosa) as client:
        assert "let them in below" in (await client.get(HERE)).text
        for _ in "twice":
            assert (await client.post(HERE, data=form)).status_code == 303
        text = (await client.get(f"{HERE}?in")).text
        assert "A mail is on its way to them" in text
        assert text.count("See the record, and nothing more") == 2, "one card, and the choice"
        assert "See it, and write messages<" not in text
        luis = await found(ward, "luis@home.example")
        assert set(await notices(ward)) == {(luis.id, "access.invitation")}
        async with ward.as_(luis) as theirs:
            assert "for Rosa Núñez" in (await theirs.get("/home")).text
            written = {"systolic": "120", "diastolic": "80"}
            assert (await theirs.post("/readings/send/blood-pressure", data=written)).status_code == 403
        assert (await client.post(f"{HERE}/{luis.id}", data={"alerts": "yes"})).status_code == 303
        assert (await client.post(f"{HERE}/{luis.id}/back")).status_code == 303
        assert "You have let nobody in" in (await client.get(f"{HERE}?back")).text
        assert (await client.post(f"{HERE}/{luis.id}/back")).status_code == 404
    async with ward.as_(luis) as theirs:
        assert (await theirs.get("/home")).status_code == 403
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert await access.caregivers.alerted(ctx, ward.rosa_id) == []
        kept = await records.search(ctx, "Consent", [("patient", f"Patient/{ward.rosa_id}")])
    assert [one["status"] for one in kept.entries] == ["inactive"]


@pytest.mark.usefixtures("mail")
async def test_who_acts_sends_readings_and_is_out_whole(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        await client.post(HERE, data={**FORM, "may": "act", "until": "2099-05-01", "key": uuid7()})
        text = (await client.get(HERE)).text
        assert "until 1 May 2099" in text
        assert text.count("write messages, send readings") == 2
        luis = await found(ward, "luis@home.example")
        async with ward.as_(luis) as theirs:
            written = {"systolic": "120", "diastolic": "80"}
            assert (await theirs.post("/readings/send/blood-pressure", data=written)).status_code == 303
            await client.post(f"{HERE}/{luis.id}/back")
            assert (await theirs.post("/readings/send/blood-pressure", data=written)).status_code == 403


@pytest.mark.usefixtures("mail")
async def test_no_answer_tells_who_has_an_account(ward: Ward) -> None:
    known = await new_person(ward, "patient", "ben@home.example", ward.ben_id)
    await new_person(ward, "nurse", "amina@sol.example")
    async with ward.as_(ward.rosa) as client:
        new = await client.post(HERE, data={**FORM, "key": uuid7()})
        old = await client.post(HERE, data={**FORM, "email": "BEN@home.example", "name": "My Ben", "key": uuid7()})
        assert (new.status_code, new.headers["location"]) == (old.status_code, old.headers["location"])
        text = (await client.get(HERE)).text
        assert "My Ben" in text
        assert "Known Name" not in text, "what they are called here is not the patient's to learn"
        staff = await client.post(HERE, data={**FORM, "email": "amina@sol.example", "key": uuid7()})
        assert staff.status_code == 409
        assert "This address cannot be used here." in staff.text
    assert (known.id, "access.let-in") in await notices(ward)
    ben = await found(ward, "ben@home.example")
    assert ben.roles == {"patient", "caregiver"}
    async with ward.as_(ben) as theirs:
        home = (await theirs.get("/home")).text
        assert "Acting for" in home
        assert "for Rosa Núñez" not in home, "their own page first"
        await theirs.post("/for", data={"patient": ward.rosa_id})
        for path in ("/home", "/readings", "/readings/send", "/medicines", "/messages", "/me/who-looked"):
            assert "for Rosa Núñez" in (await theirs.get(path)).text, path
        looked = (await theirs.get("/me/who-looked")).text
        assert "looked at this record" in looked
        assert "your record" not in looked
    async with ward.as_(ward.rosa) as client:
        assert "because you let them in" in (await client.get("/me/who-looked")).text


@pytest.mark.usefixtures("mail")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "Write the name"),
        ({"email": "luis"}, "This is no e-mail address."),
        ({"may": "everything"}, "Choose one."),
        ({"until": "2020-01-01"}, "This day is over."),
        ({"until": "soon"}, "There is no such day."),
        ({"key": "x"}, "This form is damaged."),
    ],
)
async def test_what_is_wrong_is_said_and_lets_nobody_in(ward: Ward, wrong: dict[str, str], said: str) -> None:
    async with ward.as_(ward.rosa) as client:
        answer = await client.post(HERE, data={**FORM, "key": uuid7(), **wrong})
    assert answer.status_code == 400
    assert said in answer.text
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert await access.caregivers.of_patient(ctx, ward.rosa_id) == []


async def test_without_mail_the_desk_lets_in_by_a_sheet(ward: Ward, tmp_path: Path) -> None:
    access_settings.use(ward.ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    plain = ward.app_of

    def app_of(person: Person) -> object:
        app = plain(person)
        app.router.routes[:0] = desk.ROUTES
        return app

    ward.app_of = app_of  # type: ignore[assignment]
    async with ward.as_(ward.rosa) as client:
        assert "ask the clinic to let them see" in (await client.get(HERE)).text
        assert (await client.post(HERE, data={**FORM, "key": uuid7()})).status_code == 409
    here = f"/patients/{ward.rosa_id}/caregivers"
    async with ward.as_(ward.nurse) as client:
        assert "Nobody is let in" in (await client.get(here)).text
        silent = await client.post(here, data={**FORM, "key": uuid7(), "how": ""})
        assert silent.status_code == 400
        assert "Say how the patient told you." in silent.text
        done = await client.post(here, data={**FORM, "key": uuid7(), "how": "At the desk, identity card seen"})
        assert done.headers["cache-control"] == "no-store"
        assert len(re.findall(r"/enter/[\w-]{40,}", done.text)) == 1
        assert "Luis" in (await client.get(here)).text
        luis = await found(ward, "luis@home.example")
        assert (await client.post(f"{here}/{luis.id}/back")).status_code == 303
        assert (await client.get(f"/patients/{ward.ben_id}/caregivers")).status_code == 403
    stranger = await someone(ward.ctx, "administrator")
    async with ward.as_(stranger) as client:
        assert (await client.get(here)).status_code == 403


@pytest.mark.usefixtures("mail")
async def test_whom_a_patient_lets_in_stands_in_the_record(ward: Ward) -> None:
    """Where references must lead somewhere too: the Consent names a RelatedPerson, who is there, and of one patient."""
    records_settings.use(ward.ctx.database, records_settings.Settings(references="enforce"))
    form = {**FORM, "may": "act", "until": "2099-05-01", "key": uuid7()}

    async def kept() -> list[dict[str, Any]]:
        async with access.work(ward.ctx, "looked", readonly=True) as ctx:
            page = await records.search(ctx, "RelatedPerson", [("patient", f"Patient/{ward.rosa_id}")])
            named = await records.search(ctx, "Consent", [("patient", f"Patient/{ward.rosa_id}")])
        ids = {one["id"] for one in page.entries}
        actors = [actor for one in named.entries for actor in one["provision"].get("actor", ())]
        assert {actor["reference"]["reference"].rpartition("/")[2] for actor in actors} <= ids
        return page.entries

    async with ward.as_(ward.rosa) as client:
        for _ in "twice":
            answer = await client.post(HERE, data=form)
            assert answer.status_code == 303, answer.text
        [luis] = await kept()
        assert luis["patient"] == {"reference": f"Patient/{ward.rosa_id}"}
        assert (luis["active"], luis["name"]) == (True, [{"text": "Luis"}])
        assert luis["period"]["end"].startswith("2099-05-0")
        person = await found(ward, "luis@home.example")
        assert "Luis" in (await client.get(HERE)).text
        async with ward.as_(person) as theirs:
            written = {"systolic": "120", "diastolic": "80"}
            assert (await theirs.post("/readings/send/blood-pressure", data=written)).status_code == 303
        # Somebody else's caregiver too: another RelatedPerson, the same account.
        async with access.work(ward.ctx, "let in") as ctx:
            said = consent.Said(uuid7(), "My friend", "luis@home.example", "look", None)
            await consent.let_in(ctx, ward.ben_id, said, ZoneInfo("UTC"), how="said so", language=None, by_mail=True)
            [other] = (await records.search(ctx, "RelatedPerson", [("patient", f"Patient/{ward.ben_id}")])).entries
        assert other["id"] != luis["id"]
        assert "period" not in other
        # Without an end, beside the one that ends: the longer holds.
        await client.post(HERE, data={**FORM, "key": uuid7()})
        [luis] = await kept()
        assert "period" not in luis
        assert (await client.post(f"{HERE}/{person.id}/back")).status_code == 303
    [luis] = await kept()
    assert luis["active"] is False
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert [one.person for one in await access.caregivers.of_patient(ctx, ward.ben_id)] == [person.id]
        assert (await records.read(ctx, "RelatedPerson", other["id"]))["active"] is True


@pytest.mark.usefixtures("mail")
async def test_a_consent_that_another_program_ends_ends_the_related_person(ward: Ward) -> None:
    async with ward.as_(ward.rosa) as client:
        await client.post(HERE, data={**FORM, "key": uuid7()})
    person = await found(ward, "luis@home.example")
    async with access.work(ward.ctx, "ended") as ctx:
        [one] = (await records.search(ctx, "Consent", [("patient", f"Patient/{ward.rosa_id}")])).entries
        await records.update(ctx, {**one, "status": "inactive"})
        [luis] = (await records.search(ctx, "RelatedPerson", [("patient", f"Patient/{ward.rosa_id}")])).entries
        assert luis["active"] is False
        assert await access.caregivers.of_patient(ctx, ward.rosa_id) == []
        await records.update(ctx, {**one, "status": "active"})
        assert (await records.read(ctx, "RelatedPerson", luis["id"]))["active"] is True
        assert [one.person for one in await access.caregivers.of_patient(ctx, ward.rosa_id)] == [person.id]


@pytest.mark.usefixtures("mail")
async def test_who_is_let_in_under_another_programs_name_is_out_whole(ward: Ward) -> None:
    """A program's own RelatedPerson, of an id of its own, is the account that its identifier names."""
    person = await new_person(ward, "caregiver", "luis@home.example")
    async with access.work(ward.ctx, "let in") as ctx:
        known_as = {**consents.related(ward.rosa_id, person.id, "Luis"), "id": uuid7()}
        await records.update(ctx, known_as)
        permit = consents.permit(
            uuid7(), ward.rosa_id, person.id, "Luis", actions=["access"], until=None, at=ctx.clock.now(), how="said so"
        )
        [actor] = permit["provision"]["actor"]
        actor["reference"]["reference"] = f"RelatedPerson/{known_as['id']}"
        await records.update(ctx, permit)
        assert [one.person for one in await access.caregivers.of_patient(ctx, ward.rosa_id)] == [person.id]
    async with ward.as_(ward.rosa) as client:
        assert (await client.post(f"{HERE}/{person.id}/back")).status_code == 303
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert await access.caregivers.of_patient(ctx, ward.rosa_id) == []
        assert (await records.read(ctx, "Consent", permit["id"]))["status"] == "inactive"


@pytest.mark.usefixtures("mail")
async def test_whom_a_related_person_is_nobody_else_says(ward: Ward) -> None:
    """What another program wrote into Luis's RelatedPerson does not let somebody else in, in his place."""
    other = await new_person(ward, "caregiver", "eve@elsewhere.example")
    async with ward.as_(ward.rosa) as client:
        await client.post(HERE, data={**FORM, "key": uuid7()})
        person = await found(ward, "luis@home.example")
        async with access.work(ward.ctx, "wrote") as ctx:
            luis = await records.read(ctx, "RelatedPerson", consents.related_id(ward.rosa_id, person.id))
            elsewhere = {"system": "urn:elsewhere", "value": "7"}
            await records.update(
                ctx, {**luis, "identifier": [elsewhere, {"system": consents.ACCOUNT, "value": other.id}]}
            )
        await client.post(HERE, data={**FORM, "may": "act", "key": uuid7()})
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        assert [one.person for one in await access.caregivers.of_patient(ctx, ward.rosa_id)] == [person.id]
        luis = await records.read(ctx, "RelatedPerson", luis["id"])
    assert luis["identifier"] == [{"system": consents.ACCOUNT, "value": person.id}, elsewhere]
