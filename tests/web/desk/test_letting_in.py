"""Letting a patient in again: the desk's pages, the patient's, and the requests to be called."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.web.desk.test_apply import Visitor
from tests.web.desk.test_register import clinic

from bedside import access, records
from bedside.access.testing import acting
from bedside.foundation.clock import TurnableClock
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging import subscribers

__all__ = ["clinic"]
pytestmark = pytest.mark.engine
PASSWORD = "six small green lamps"
BORN = "1951-03-02"
PHONE = "+34 600 000 000"


@pytest.fixture
async def desk(clinic: Any) -> Any:
    """The ward, its nurse able to show who she is, the patient in Spanish with an e-mail and a telephone."""
    from bedside.access.service import keys
    from bedside.access.store import credentials

    async with access.work(clinic.ctx, "made ready") as ctx:
        secret = await keys.hashed(PASSWORD)
        await credentials.put_secret(ctx.sql, clinic.nurse.id, "password", secret, ctx.clock.now())
        await access.change_person(ctx, clinic.rosa.id, language="es", email="rosa@home.example", phone="+34600000000")
    await number(clinic, PHONE)
    return clinic


async def number(clinic: Any, *written: str) -> None:
    """The telephones of the record from now on."""
    async with access.work(acting(clinic.ctx, clinic.nurse), "changed") as ctx:
        record = await records.read(ctx, "Patient", clinic.rosa_id)
        record["telecom"] = [{"system": "phone", "value": one} for one in written]
        await records.update(ctx, record)


def page(clinic: Any) -> str:
    return f"/patients/{clinic.rosa_id}/let-in"


def digits(html: str) -> str:
    found = re.search(r'code-said">(\d{3} \d{3} \d{3})<', html)
    assert found is not None, html
    return found[1]


async def test_a_code_of_the_desk_in_the_patients_language_and_in_with_it(desk: Any) -> None:
    async with desk.as_(desk.nurse) as client:
        looked = await client.get(page(desk))
        assert "Mar 2, 1951" in looked.text or "2 Mar 1951" in looked.text, "to compare with the document"
        bare = await client.post(page(desk), data={"how": "", "secret": PASSWORD})
        assert bare.status_code == 400
        wrong = await client.post(page(desk), data={"how": "passport", "secret": "nonsense"})
        assert wrong.status_code == 403
        made = await client.post(page(desk), data={"how": "passport", "secret": PASSWORD})
        assert made.headers["cache-control"] == "no-store"
        assert 'lang="es"' in made.text
        assert "Escriba las nueve cifras" in made.text
    async with Visitor(desk) as client:
        refused = [
            await client.post("/sign-in/again", data={"code": one, "birth": birth})
            for one, birth in ((digits(made.text), "1951-03-03"), ("000 000 000", BORN))
        ]
        words = [re.sub(r'value="[^"]*"', "", one.text) for one in refused]
        assert words[0] == words[1], "which of the two was wrong is not told"
        done = await client.post("/sign-in/again", data={"code": digits(made.text), "birth": BORN})
        assert done.headers["location"] == "/account/anew"
        assert "bedside=" in done.headers["set-cookie"]
        assert (await client.post("/sign-in/again", data={"code": digits(made.text), "birth": BORN})).status_code == 403


async def test_only_the_records_number_and_only_one_that_is_not_new(desk: Any, clock: TurnableClock) -> None:
    right = {"how": "call", "number": PHONE, "asked": ["address", "medicine"], "secret": PASSWORD}
    async with desk.as_(desk.nurse) as client:
        # The record began without one: this one is new.
        looked = (await client.get(page(desk))).text
        assert "nobody is let in by a call to it" in looked
        assert f'value="{PHONE}"' not in looked
        refused = await client.post(page(desk), data=right)
        assert refused.status_code == 409
        assert "come to the desk with an identity document" in refused.text
        clock.turn(timedelta(days=7, minutes=1))
        assert f'value="{PHONE}"' in (await client.get(page(desk))).text
        await number(desk, "+34 666 666 666", "+34600000000")
        looked = (await client.get(page(desk))).text
        assert 'value="+34600000000"' in looked, "however it is spaced it is the same number"
        for given, status in (("+34 666 666 666", 409), ("+34 611 111 111", 400), ("", 400)):
            answer = await client.post(page(desk), data={**right, "number": given})
            assert answer.status_code == status, given
            assert "code-said" not in answer.text
        one = await client.post(page(desk), data={**right, "number": "+34600000000", "asked": ["address"]})
        assert one.status_code == 400
        made = await client.post(page(desk), data={**right, "number": "+34600000000"})
        assert digits(made.text)


async def test_asking_to_be_called_says_the_same_to_everybody_and_is_work(desk: Any, clock: TurnableClock) -> None:
    clock.turn(timedelta(days=8))
    async with Visitor(desk) as client:
        asked = (await client.get("/sign-in/call-me")).text
        assert 'type="tel"' not in asked, "no number can be given"
        answers = [
            await client.post("/sign-in/call-me", data={"given": given, "family": family, "birth": birth})
            for given, family, birth in (("Rosa", "Nunez", BORN), ("No", "Body", "1990-01-01"))
        ]
        assert [one.status_code for one in answers] == [200, 200]
        assert answers[0].text == answers[1].text
        for wrong in ({"family": "", "birth": BORN}, {"family": "Núñez", "birth": "1951-02-30"}):
            assert (await client.post("/sign-in/call-me", data=wrong)).status_code == 400
    async with desk.as_(desk.nurse) as client:
        assert "2 people ask to be called" in (await client.get("/today")).text
        links = re.findall(r"/patients/calls/[0-9a-f-]{36}", (await client.get("/patients/calls")).text)
        known, unknown = [(await client.get(link)).text for link in links]
        assert f"/patients/{desk.rosa_id}/let-in?call=" in known
        assert "Nobody like them is here" in unknown
        assert (await client.post(links[1], data={"outcome": "let-in"})).status_code == 400, "only with a code"
        assert (await client.post(links[1], data={"outcome": "nobody"})).headers["location"] == "/patients/calls?done"
        form = {"how": "call", "number": PHONE, "asked": ["visit", "contact"], "secret": PASSWORD}
        made = await client.post(page(desk), data={**form, "call": links[0].rpartition("/")[2]})
        assert digits(made.text)
        assert "Nobody waits" in (await client.get("/patients/calls")).text
    async with desk.as_(desk.pat) as client:
        assert (await client.get("/patients/calls")).status_code == 403, "an administrator learns no patient"


async def test_whoever_came_in_says_where_they_are_reached_and_the_old_address_is_told(desk: Any) -> None:
    messaging_settings.use(desk.ctx.database, messaging_settings.Settings(demo=True))
    async with desk.as_(desk.nurse) as client:
        made = await client.post(page(desk), data={"how": "passport", "secret": PASSWORD})
    async with desk.as_(desk.rosa) as client:
        assert (await client.get("/account/anew")).headers["location"] == "/account", "not without the clinic's code"
        refused = await client.post("/account/anew", data={"email": "thief@example.org", "phone": ""})
        assert refused.headers["location"] == "/account"
        async with access.work(desk.ctx, "looked", readonly=True) as ctx:
            assert (await access.person(ctx, desk.rosa.id)).email == "rosa@home.example"
        async with Visitor(desk) as visitor:
            await visitor.post("/sign-in/again", data={"code": digits(made.text), "birth": BORN})
        async with desk.ctx.database.transaction() as sql:
            await sql.execute("update access.recovery set session = 'test'")  # the one that this client acts in
        assert "Amina Haddad" in (await client.get("/account/anew")).text
        empty = await client.post("/account/anew", data={"email": "", "phone": ""})
        assert empty.status_code == 400
        saved = await client.post("/account/anew", data={"email": "new@home.example", "phone": ""})
        assert saved.status_code == 303
    await Worker(desk.ctx.database, desk.ctx.bus, desk.ctx.clock, subscribers.JOBS).run_due()
    async with desk.ctx.database.connection() as sql:
        went = await sql.fetch("select template, channel, address from messaging.notice")
        person = await sql.fetchrow("select email, phone from access.person where id = $1", desk.rosa.id)
    assert dict(person) == {"email": "new@home.example", "phone": None}
    changed = {(one["channel"], one["address"]) for one in went if one["template"] == "access.address-changed"}
    assert changed == {("email", "rosa@home.example"), ("phone", "+34600000000")}
    handed = {one["channel"] for one in went if one["template"] == "access.code-handed-out"}
    assert handed <= {"email", "phone"}
    assert handed


async def test_handing_out_is_told_by_every_channel(desk: Any) -> None:
    messaging_settings.use(desk.ctx.database, messaging_settings.Settings(demo=True))
    async with desk.as_(desk.nurse) as client:
        await client.post(page(desk), data={"how": "driving-licence", "secret": PASSWORD})
    await Worker(desk.ctx.database, desk.ctx.bus, desk.ctx.clock, subscribers.JOBS).run_due()
    async with desk.ctx.database.connection() as sql:
        went = await sql.fetch("select channel, address, text from messaging.notice order by channel")
    assert [(one["channel"], one["address"]) for one in went] == [
        ("email", "rosa@home.example"),
        ("phone", "+34600000000"),
    ]
    assert all("Amina Haddad" in one["text"] and not re.search(r"\d{9}", one["text"]) for one in went)


async def test_who_has_no_account_is_invited_instead(desk: Any) -> None:
    async with access.work(desk.ctx, "related") as ctx:
        await access.relate(ctx, person=desk.nurse.id, patient=desk.ben_id, kind="care", source="test")
    async with desk.as_(desk.nurse) as client:
        looked = await client.get(f"/patients/{desk.ben_id}/let-in")
        assert looked.status_code == 409
        assert f"/patients/{desk.ben_id}/invite" in looked.text
        made = await client.post(f"/patients/{desk.ben_id}/let-in", data={"how": "passport", "secret": PASSWORD})
        assert made.status_code == 409
