"""A patient at the desk: looked for first, made once, in somebody's care, and invited to sign in as themselves."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from bedside import access, records
from bedside.access import settings as access_settings
from bedside.access.testing import acting, someone
from bedside.foundation.ids import uuid7
from bedside.messaging import settings as messaging_settings
from bedside.web import desk, entry

pytestmark = pytest.mark.engine

NEW = "/patients/new"
IDA = {
    "given": "Ida Marie",
    "family": "Holm",
    "birth": "1948-06-21",
    "gender": "female",
    "number": "b 77",
    "national": "",
    "phone": "+1 212 555 0188",
    "email": "ida@example.org",
    "line": "3 Quay Street",
    "postcode": "10001",
    "city": "New York",
    "state": "NY",
    "country": "US",
    "language": "es",
    "contact_name": "Per Holm",
    "contact_relation": "son",
    "contact_phone": "+1 212 555 0189",
}
ROSA = {"given": "Rosa", "family": "Nunez", "birth": "1951-03-02", "gender": "female"}


@pytest.fixture
async def clinic(ward: Any, tmp_path: Path) -> Any:
    """The ward with the desk's pages and the way in; .pat is an administrator."""
    access_settings.use(ward.ctx.database, access_settings.Settings(home=tmp_path, answer_after=0))
    messaging_settings.use(ward.ctx.database, messaging_settings.Settings())
    plain = ward.app_of
    ward.pat = await someone(ward.ctx, "administrator", name="Pat Morgan")
    ward.doctor = await someone(ward.ctx, "clinician", name="Elena Ruiz")

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes[:0] = [*desk.ROUTES, *entry.ROUTES]
        return app

    ward.app_of = app_of
    return ward


async def patients(ward: Any) -> list[dict[str, Any]]:
    async with access.work(ward.ctx, "counted") as ctx:
        return list((await records.search(ctx, "Patient", {"_count": "50"})).entries)


def of(made: httpx.Response) -> str:
    """The id of the patient that an answer leads to."""
    found = re.fullmatch(r"/patients/([0-9a-f-]{36})\?registered", made.headers["location"])
    assert found is not None, made.headers["location"]
    return found[1]


async def mail_leads_out(ward: Any) -> None:
    messaging_settings.use(ward.ctx.database, messaging_settings.Settings(smtp="smtp://mail.example"))


async def test_an_ordinary_patient_is_made_and_opens_on_the_chart(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        empty = await client.get(NEW)
        form = re.search(r'name="form" value="([0-9a-f-]{36})"', empty.text)
        assert form is not None
        made = await client.post(NEW, data={**IDA, "form": form[1]})
        assert made.status_code == 303
        id_ = of(made)
        chart = await client.get(made.headers["location"])
        assert chart.status_code == 200
        assert "The patient is registered, and in your care" in chart.text
        again = await client.post(NEW, data={**IDA, "form": form[1]})
        assert again.headers["location"] == made.headers["location"], "sent twice, made once"
        # Back to the same form, and somebody else typed into it.
        per = {**IDA, "given": "Per", "birth": "1946-01-30", "gender": "male", "number": "", "form": form[1]}
        other = await client.post(NEW, data={**per, "email": "", "phone": ""})
        assert other.status_code == 303
        assert of(other) != id_
    async with access.work(acting(clinic.ctx, clinic.nurse), "looked", readonly=True) as ctx:
        ida = await records.read(ctx, "Patient", id_)
        assert len(await records.history(ctx, "Patient", id_)) == 1
    assert ida["name"] == [{"use": "official", "family": "Holm", "given": ["Ida", "Marie"]}]
    assert [(one["system"], one["value"]) for one in ida["identifier"]] == [("urn:bedside:number", "B77")]
    assert ida["contact"][0]["telecom"] == [{"system": "phone", "value": "+1 212 555 0189"}]
    assert ida["communication"][0]["language"]["coding"][0]["code"] == "es"
    assert ida["address"][0]["country"] == "US"
    async with clinic.ctx.database.connection() as sql:
        noted = await sql.fetch("select wrote from access.audit where action = 'registered a patient' and wrote")
    assert len(noted) >= 1


async def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        wrong = await client.post(
            NEW, data={**IDA, "birth": "2999-01-01", "phone": "ring me", "email": "ida", "gender": "", "family": ""}
        )
        assert wrong.status_code == 400
        for words in ("This day is still to come", "This is no telephone number", "This is no e-mail address"):
            assert words in wrong.text
        assert "Choose one." in wrong.text
        assert 'value="ring me"' in wrong.text
        assert (await client.post(NEW, data={**IDA, "contact_phone": ""})).status_code == 400
        assert (await client.post(NEW, data={**IDA, "given": "", "family": ""})).status_code == 400
        for birth in ("", "1948-02-30", "1700-01-01"):
            assert (await client.post(NEW, data={**IDA, "birth": birth})).status_code == 400
    assert len(await patients(clinic)) == 2


async def test_a_likely_duplicate_is_shown_first_and_a_new_one_needs_a_reason(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        shown = await client.post(NEW, data=ROSA)
        assert shown.status_code == 409
        assert "Perhaps here already" in shown.text
        assert f'href="/patients/{clinic.rosa_id}"' in shown.text, "open this one"
        assert 'value="1951-03-02"' in shown.text
        seen = re.search(r'name="seen" value="([^"]+)"', shown.text)
        assert seen is not None
        assert len(await patients(clinic)) == 2, "nothing is made before the answer"
        unseen = await client.post(NEW, data={**ROSA, "new": "1", "reason": "twin"})
        assert unseen.status_code == 409, "whoever was not shown the pair cannot have compared it"
        why = await client.post(NEW, data={**ROSA, "seen": seen[1], "new": "1"})
        assert why.status_code == 400
        assert "Say how you know that it is somebody else" in why.text
        made = await client.post(NEW, data={**ROSA, "seen": seen[1], "new": "1", "reason": "twin, showed both cards"})
        assert of(made)
    assert len(await patients(clinic)) == 3
    async with clinic.ctx.database.connection() as sql:
        kept = await sql.fetchval("select reason from access.audit where reason is not null and wrote")
    assert kept == "twin, showed both cards"


async def test_somebody_whom_one_may_not_open_is_told_by_name_and_birth_date_alone(clinic: Any) -> None:
    stranger = await someone(clinic.ctx, "nurse", name="Tom Berg")
    for person in (stranger, clinic.pat):
        async with clinic.as_(person) as client:
            shown = (await client.post(NEW, data=ROSA)).text
            assert "Rosa Núñez" in shown
            assert "B-1042" not in shown
            assert f'href="/patients/{clinic.rosa_id}"' not in shown
            # Somebody who is not likely the same is not told of at all.
            other = (await client.post(NEW, data={**ROSA, "given": "Ute", "birth": "1999-09-09"})).text
            assert "Núñez" not in other
    async with clinic.ctx.database.connection() as sql:
        looked = await sql.fetch("select patients from access.audit where actor = $1", stranger.id)
    assert any(clinic.rosa_id in str(row["patients"]) for row in looked), "it reads in who looked"


async def test_a_number_leads_to_one_person_whatever_the_reason(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        await client.post(NEW, data=IDA)
        other = {**ROSA, "given": "Kai", "family": "Berg", "birth": "1990-01-01", "number": "B77"}
        shown = await client.post(NEW, data=other)
        assert shown.status_code == 409
        assert "Somebody has this number already" in shown.text
        assert "Ida Marie Holm" in shown.text
        seen = re.search(r'name="seen" value="([^"]+)"', shown.text)
        assert seen is not None
        refused = await client.post(NEW, data={**other, "new": "1", "reason": "x", "seen": seen[1]})
        assert refused.status_code == 409
    assert len(await patients(clinic)) == 3


async def test_who_may_register(clinic: Any) -> None:
    pharmacist = await someone(clinic.ctx, "pharmacist")
    for person in (pharmacist, clinic.rosa):
        async with clinic.as_(person) as client:
            assert (await client.get(NEW)).status_code == 403
            assert (await client.post(NEW, data=IDA)).status_code == 403
            assert (await client.get(f"/patients/{clinic.rosa_id}/invite")).status_code == 403
    assert len(await patients(clinic)) == 2


async def test_an_administrator_gives_the_patient_into_somebodys_care(clinic: Any) -> None:
    async with clinic.as_(clinic.pat) as client:
        nobody = await client.post(NEW, data=IDA)
        assert nobody.status_code == 400
        assert "Nobody would take care of this patient" in nobody.text
        assert len(await patients(clinic)) == 2
        form = {**IDA, "form": uuid7(), "clinician": clinic.doctor.id}
        for _ in range(2):
            made = await client.post(NEW, data=form)
            assert (made.status_code, made.headers["location"]) == (303, f"{NEW}?registered")
        (id_,) = [one["id"] for one in await patients(clinic) if one["name"][0]["family"] == "Holm"]
        assert (await client.get(f"/patients/{id_}")).status_code == 403, "no clinical data"
    async with clinic.as_(clinic.doctor) as client:
        assert (await client.get(f"/patients/{id_}")).status_code == 200
    assert len(await patients(clinic)) == 3


async def test_invited_by_e_mail_the_link_is_in_their_mail_alone(clinic: Any) -> None:
    await mail_leads_out(clinic)
    async with clinic.as_(clinic.nurse) as client:
        done = await client.post(NEW, data={**IDA, "invite": "1"})
        assert done.status_code == 200
        assert "on its way to ida@example.org" in done.text
        assert "/enter/" not in done.text


async def test_without_an_address_a_sheet_leads_to_their_own_account(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        id_ = of(await client.post(NEW, data={**IDA, "email": ""}))
        page = f"/patients/{id_}/invite"
        assert "No account yet" in (await client.get(page)).text
        first = (await client.post(page)).text
        assert "data:image/svg+xml" in first
        assert 'lang="es"' in first, "in the patient's language"
        sheet = await client.post(page)
        assert sheet.headers["cache-control"] == "no-store"
        link = re.search(r"(/enter/[\w-]+)", sheet.text)
        old = re.search(r"(/enter/[\w-]+)", first)
        assert link is not None
        assert old is not None
        assert "has not come in yet" in (await client.get(page)).text
        # The patient opens it on their telephone, where nobody is signed in.
        assert (await client.get(old[1])).status_code == 410, "a new link ends the one before"
        entered = await client.post(
            link[1], data={"password": "four quiet words here", "again": "four quiet words here"}
        )
        assert entered.status_code == 303
        assert "bedside" in entered.headers.get("set-cookie", "")
        assert "The patient signs in" in (await client.get(page)).text
        refused = await client.post(page)
        assert refused.status_code == 409, "a link must not let anybody else in now"
    async with access.work(clinic.ctx, "looked") as ctx:
        account = await access.person_of_patient(ctx, id_)
    assert account is not None
    assert (account.roles, account.language) == (frozenset({"patient"}), "es")


async def test_an_address_that_was_corrected_before_anybody_came_in_is_the_one(clinic: Any) -> None:
    await mail_leads_out(clinic)
    async with clinic.as_(clinic.nurse) as client:
        id_ = of(await client.post(NEW, data=IDA))
        assert "ida@example.org" in (await client.post(f"/patients/{id_}/invite")).text
        async with access.work(acting(clinic.ctx, clinic.nurse), "corrected") as ctx:
            ida = await records.read(ctx, "Patient", id_)
            ida["telecom"][1]["value"] = "holm@example.org"
            await records.update(ctx, ida)
        assert "A link goes to holm@example.org" in (await client.get(f"/patients/{id_}/invite")).text
        assert "on its way to holm@example.org" in (await client.post(f"/patients/{id_}/invite")).text


async def test_a_couples_one_address_lets_in_one_of_them(clinic: Any) -> None:
    await mail_leads_out(clinic)
    per = {**IDA, "given": "Per", "birth": "1946-01-30", "gender": "male", "number": "", "contact_name": ""}
    async with clinic.as_(clinic.nurse) as client:
        await client.post(NEW, data={**IDA, "invite": "1"})
        done = await client.post(NEW, data={**per, "contact_phone": "", "invite": "1"})
        assert "another account" in done.text
        assert "/enter/" in done.text


async def test_only_who_cares_for_a_patient_invites_them(clinic: Any) -> None:
    stranger = await someone(clinic.ctx, "nurse")
    async with clinic.as_(stranger) as client:
        assert (await client.post(f"/patients/{clinic.ben_id}/invite")).status_code == 403
        assert (await client.get(f"/patients/{clinic.ben_id}/invite")).status_code == 403
    async with access.work(clinic.ctx, "looked") as ctx:
        assert await access.person_of_patient(ctx, clinic.ben_id) is None
