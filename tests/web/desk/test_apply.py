"""Asking to be registered: only where the clinic lets people, only by a confirmed e-mail, and answered by a person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from tests.web.desk.test_register import IDA, ROSA, clinic, patients

from bedside import access
from bedside.access.service.sessions import forget
from bedside.access.testing import acting, someone
from bedside.foundation.context import NOBODY
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging import subscribers
from bedside.web import kit

__all__ = ["clinic"]
pytestmark = pytest.mark.engine

SOL = {
    "name": "Clínica Sol",
    "country": "ES",
    "zone": "Europe/Madrid",
    "language": "en",
    "units": "metric",
    "telephone": "+34 910 000 000",
    "emergency": "112",
}
ASK = {name: IDA[name] for name in ("given", "family", "birth", "gender", "phone", "email")}


async def opened(clinic: Any, *, on: bool = True) -> None:
    # As in a demo, where the words of a notice stay readable: elsewhere a link is forgotten once it has gone.
    messaging_settings.use(clinic.ctx.database, messaging_settings.Settings(demo=True))
    async with access.work(acting(clinic.ctx, clinic.pat), "said") as ctx:
        said = msgspec.structs.replace(access.clinics.read(SOL), self_registration=on)
        await access.clinics.set_clinic(ctx, said)


class Visitor:
    """Nobody is signed in."""

    def __init__(self, clinic: Any) -> None:
        self.clinic = clinic

    async def __aenter__(self) -> Any:
        nobody = access.Person(id="-", name="nobody", roles=frozenset())
        self.client = self.clinic.as_(nobody)
        return await self.client.__aenter__()

    async def __aexit__(self, *gone: Any) -> None:
        await self.client.__aexit__(*gone)


async def link(clinic: Any) -> str:
    """What stands in the newest notice."""
    async with clinic.ctx.database.connection() as sql:
        text = await sql.fetchval("select text from messaging.notice order by created desc limit 1")
    messaging_settings.use(clinic.ctx.database, messaging_settings.Settings())
    found = re.search(r"(/register/[\w-]+)", str(text))
    assert found is not None, text
    return found[1]


async def asked(clinic: Any, form: dict[str, str]) -> str:
    """Ask, have the notice written, confirm; the request's page for the staff."""
    async with Visitor(clinic) as client:
        sent = await client.post("/register", data=form)
        assert sent.status_code == 200
        assert "Look into your mail" in sent.text
    await deliver(clinic)
    async with Visitor(clinic) as client:
        path = await link(clinic)
        assert "Is this your e-mail?" in (await client.get(path)).text
        assert "has your request" in (await client.post(path)).text
        assert (await client.post(path)).status_code == 410
    async with access.work(acting(clinic.ctx, clinic.nurse), "looked") as ctx:
        return f"/patients/waiting/{(await access.applying.waiting(ctx))[-1].id}"


async def deliver(clinic: Any) -> None:
    await Worker(clinic.ctx.database, clinic.ctx.bus, clinic.ctx.clock, subscribers.JOBS).run_due()


async def test_where_the_clinic_does_not_let_people_ask_there_is_no_page(clinic: Any) -> None:
    for on in (None, False):
        if on is not None:
            await opened(clinic, on=on)
        async with Visitor(clinic) as client:
            assert (await client.get("/register")).status_code == 404
            assert (await client.post("/register", data=ASK)).status_code == 404
    await opened(clinic)
    async with Visitor(clinic) as client:
        assert (await client.get("/register")).status_code == 200


async def test_nothing_is_made_before_the_e_mail_is_confirmed_and_then_a_person_answers(clinic: Any) -> None:
    await opened(clinic)
    async with Visitor(clinic) as client:
        await client.post("/register", data=ASK)
    await deliver(clinic)
    async with clinic.as_(clinic.nurse) as client:
        assert "Nobody waits" in (await client.get("/patients/waiting")).text
    path = await link(clinic)
    async with Visitor(clinic) as client:
        assert (await client.get(path)).status_code == 200, "a mail scanner's look consumes nothing"
        await client.post(path)
    assert len(await patients(clinic)) == 2
    async with clinic.as_(clinic.nurse) as client:
        listed = (await client.get("/patients/waiting")).text
        assert "Ida Marie Holm" in listed
        page = re.search(r"/patients/waiting/[0-9a-f-]{36}", listed)
        assert page is not None
        assert "Nobody like them is here" in (await client.get(page[0])).text
        assert (await client.post(page[0], data={})).status_code == 400
        done = await client.post(page[0], data={"answer": "new"})
        assert done.status_code == 200
        assert "/enter/" in done.text, "no mail server here: handed over"
        assert (await client.post(page[0], data={"answer": "new"})).status_code == 404, "answered once"
    (ida,) = [one for one in await patients(clinic) if one["name"][0]["family"] == "Holm"]
    assert ida["telecom"][1]["value"] == "ida@example.org"
    async with access.work(clinic.ctx, "looked") as ctx:
        account = await access.person_of_patient(ctx, ida["id"])
        assert account is not None
        assert account.email == "ida@example.org"
        said = await ctx.sql.fetchval("select said from access.applicant")
    assert said == {}, "what they typed stands in the record alone"


async def test_the_answer_is_the_same_whether_somebody_is_here(clinic: Any) -> None:
    await opened(clinic)
    known = {**ROSA, "email": "rosa@example.org", "phone": ""}
    texts = []
    for form in (known, {**known, "given": "Nobody", "birth": "2001-01-01"}):
        async with Visitor(clinic) as client:
            texts.append((await client.post("/register", data=form)).text)
    assert texts[0] == texts[1]


async def test_somebody_who_is_here_already_gets_their_own_record_only_when_made_sure(clinic: Any) -> None:
    await opened(clinic)
    page = await asked(clinic, {**ROSA, "email": "rosa@example.org", "phone": ""})
    async with clinic.as_(clinic.nurse) as client:
        shown = (await client.get(page)).text
        assert "Rosa Núñez" in shown
        assert "How do you know" in shown
        assert (await client.post(page, data={"answer": "new"})).status_code == 400, "she may be here: say why not"
        assert (await client.post(page, data={"answer": "known", "reason": "rang her"})).status_code == 400
        other = {"answer": "known", "who": clinic.ben_id, "reason": "x"}
        assert (await client.post(page, data=other)).status_code == 400
        assert (await client.post(page, data={"answer": "known", "who": clinic.rosa_id})).status_code == 400
        done = await client.post(page, data={"answer": "known", "who": clinic.rosa_id, "reason": "rang her"})
        assert done.status_code == 200
    assert len(await patients(clinic)) == 2
    async with access.work(clinic.ctx, "looked") as ctx:
        rosa = await access.person_of_patient(ctx, clinic.rosa_id)
    assert rosa is not None
    assert rosa.email == "rosa@example.org"


async def test_refused_with_a_reason_what_they_typed_is_gone(clinic: Any) -> None:
    await opened(clinic)
    page = await asked(clinic, ASK)
    async with clinic.as_(clinic.pat) as client:
        assert (await client.post(page, data={"answer": "refused"})).status_code == 400
        done = await client.post(page, data={"answer": "refused", "reason": "not of our town"})
        assert done.headers["location"] == "/patients/waiting?done"
    async with clinic.ctx.database.connection() as sql:
        assert await sql.fetchval("select said from access.applicant") == {}
        assert await sql.fetchval("select count(*) from access.person where email = 'ida@example.org'") == 0
        assert await sql.fetchval("select reason from access.audit where reason is not null") == "not of our town"


async def test_who_never_confirms_is_forgotten(clinic: Any, clock: Any) -> None:
    await opened(clinic)
    async with Visitor(clinic) as client:
        await client.post("/register", data=ASK)
    await deliver(clinic)
    path = await link(clinic)
    clock.turn(timedelta(hours=25))
    async with Visitor(clinic) as client:
        assert (await client.get(path)).status_code == 410
        assert (await client.post(path)).status_code == 410
    await forget(clinic.ctx.with_(actor=NOBODY), {})
    async with clinic.ctx.database.connection() as sql:
        assert await sql.fetchval("select count(*) from access.applicant") == 0
        assert await sql.fetchval("select count(*) from access.person where email = 'ida@example.org'") == 0


async def test_it_cannot_be_asked_without_end(clinic: Any) -> None:
    await opened(clinic)
    async with Visitor(clinic) as client:
        seen = [
            (await client.post("/register", data={**ASK, "email": f"x{n}@example.org"})).status_code for n in range(12)
        ]
    assert seen.count(200) == 10
    assert seen[-1] == 429


async def test_who_may_answer(clinic: Any) -> None:
    await opened(clinic)
    page = await asked(clinic, ASK)
    for person in (await someone(clinic.ctx, "pharmacist"), clinic.rosa):
        async with clinic.as_(person) as client:
            for found in (await client.get("/patients/waiting"), await client.get(page), await client.post(page)):
                assert found.status_code == 403


async def test_the_sign_in_page_says_so_where_it_is_open(clinic: Any) -> None:
    app = clinic.app_of(access.Person(id="-", name="nobody", roles=frozenset()))
    for on in (False, True):
        app.state.clinic = kit.Clinic("Clínica Sol", self_registration=on)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
            assert ('href="/register"' in (await client.get("/sign-in")).text) is on
