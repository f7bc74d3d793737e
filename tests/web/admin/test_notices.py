"""The page of notices that did not arrive, and how people say by which way they are told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.messaging.servers import Mail, mail
from tests.messaging.test_delivery import by_mail, send
from tests.messaging.test_failing import give_password, refuse
from tests.messaging.test_notices import run
from tests.web.admin.test_first_day import clinic

from bedside import access, messaging
from bedside.access.testing import someone
from bedside.messaging.model.reasons import REASONS
from bedside.web import entry

pytestmark = pytest.mark.engine
__all__ = ["clinic", "mail"]


@pytest.fixture
async def desk(clinic: Any, mail: Mail) -> Any:
    """The clinic with everybody's addresses, and a mail server; rosa is a patient, nurse cares for her."""
    by_mail(clinic.ctx, mail)
    plain = clinic.app_of

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes.extend(entry.ROUTES)
        return app

    clinic.app_of = app_of
    async with access.work(clinic.ctx, "gave addresses") as inner:
        for who, at in ((clinic.rosa, "rosa@home.example"), (clinic.nurse, "amina@clinic.example")):
            await access.change_person(inner, who.id, email=at)
    await give_password(clinic.ctx, clinic.nurse.id)
    return clinic


async def test_who_was_not_reached_stands_with_whom_it_concerns(desk: Any, mail: Mail) -> None:
    for who in (desk.rosa, desk.nurse):
        await refuse(desk.ctx, mail, who.id)
    async with desk.as_(desk.pat) as client:
        first = (await client.get("/admin")).text
        assert "1 notice did not reach a colleague" in first
        assert "1 notice to a patient waits" in first
        page = (await client.get("/admin/notices")).text
        assert "Amina Haddad" in page
        assert "Rosa" not in page, "that somebody is a patient is clinical"
        assert "The address or number does not exist." in page
        assert "1 more notice is not yours to see to" in page
        assert "under My account: ring them" in page
        assert (
            await client.post(f"/admin/notices/{desk.rosa.id}/address", data={"email": "x@y.example"})
        ).status_code == 404
        wrong = await client.post(f"/admin/notices/{desk.nurse.id}/address", data={"email": "x@y.example"})
        assert wrong.status_code == 403
    async with desk.as_(desk.nurse) as client:
        assert "1 notice did not arrive or was not opened" in (await client.get("/today")).text
        page = (await client.get("/notices")).text
        assert "Rosa Núñez" in page
        assert "Does the way out work?" not in page
        base = f"/notices/{desk.rosa.id}"
        ids = re.findall(r'name="notice" value="([^"]+)"', page.split("/again")[1].split("</form>")[0])
        bad = await client.post(f"{base}/address", data={"email": "rosa@home", "phone": ""})
        assert bad.status_code == 400
        assert "That is no e-mail address." in bad.text
        assert 'value="rosa@home"' in bad.text
        assert (await client.post(f"{base}/address", data={"email": "r@home.example"})).status_code == 303
        assert (await client.post(f"{base}/again", data={"notice": ids})).headers["location"] == "/notices?again"
        await run(desk.ctx)
        assert [to for _, to, _ in mail.got] == ["r@home.example"]
        assert "Everybody was reached" in (await client.get("/notices?again")).text
        assert (await client.post(f"{base}/again", data={"notice": ids})).status_code == 409
        await refuse(desk.ctx, mail, desk.rosa.id)
        ids = re.findall(r'name="notice" value="([^"]+)"', (await client.get("/notices")).text)
        assert (await client.post(f"{base}/close", data={"notice": ids, "how": "ill"})).status_code == 400
        done = await client.post(f"{base}/close", data={"notice": ids, "how": "told"})
        page = (await client.get(done.headers["location"])).text
        assert "Everybody was reached" in page
        assert f'action="{base}/reopen"' in page
        assert (await client.post(f"{base}/reopen")).status_code == 303
        assert "Everybody was reached" not in (await client.get("/notices?open")).text, "a slip is taken back"
        assert (await client.post(f"{base}/reopen")).status_code == 409
        assert (await client.post(f"{base}/close", data={"notice": ids, "how": "told"})).status_code == 303
    async with desk.as_(desk.rosa) as client:
        assert (await client.get("/notices")).status_code == 403
    async with desk.as_(await someone(desk.ctx, "pharmacist")) as client:
        assert (await client.get("/admin/notices")).status_code == 403


async def test_each_way_out_is_tried_and_says_what_became_of_it(desk: Any, mail: Mail) -> None:
    async with access.work(desk.ctx, "gave an address") as inner:
        await access.change_person(inner, desk.pat.id, email="pat@clinic.example", phone="+34600000000")
    async with desk.as_(desk.pat) as client:
        assert "never" in (await client.get("/admin/notices")).text
        for answers, said in (
            ([], "A server took it over."),
            (["550 5.1.1 nobody"], "The address or number does not exist."),
            (["451 4.7.1 later"], "It is on its way: look again in a moment. The server asked to try later."),
        ):
            mail.rcpt = answers
            assert (await client.post("/admin/notices/test", data={"channel": "email"})).status_code == 303
            await run(desk.ctx)
            assert said in (await client.get("/admin/notices")).text
        await client.post("/admin/notices/test", data={"channel": "phone"})
        await run(desk.ctx)
        page = (await client.get("/admin/notices")).text
        assert "BEDSIDE_SMS_URL" in page, "a test of SMS does not go by e-mail"
        assert "Everybody was reached" in page, "a test is nobody's work"
        assert (await client.post("/admin/notices/test", data={"channel": "pigeon"})).status_code == 400
    async with desk.as_(desk.nurse) as client:
        assert (await client.post("/admin/notices/test", data={"channel": "email"})).status_code == 403


async def test_people_say_how_they_are_told_and_staff_where(desk: Any, mail: Mail) -> None:
    async with access.work(desk.ctx, "gave a number") as inner:
        await access.change_person(inner, desk.rosa.id, phone="+34600000000")
    async with desk.as_(desk.rosa) as client:
        assert "by SMS, to +34600000000" in (await client.get("/me")).text
        assert (await client.post("/me/told-by", data={"channel": "phone"})).headers["location"] == "/me?saved=1"
        assert re.search(r'value="phone" checked', (await client.get("/me")).text)
        assert (await client.post("/account/reach", data={"email": "a@b.example", "secret": "x"})).status_code == 403
    async with desk.as_(desk.nurse) as client:
        page = (await client.get("/account")).text
        assert "Where you are reached" in page
        assert "by SMS, to" not in page, "she has no number"
        wrong = await client.post("/account/reach", data={"email": "n@clinic.example", "secret": "wrong"})
        assert wrong.status_code == 403
        assert 'value="n@clinic.example"' in wrong.text
        assert (await client.post("/account/told-by", data={"channel": "email"})).status_code == 303
    async with access.work(desk.ctx, "looked", readonly=True) as inner:
        assert (await access.person(inner, desk.nurse.id)).email == "amina@clinic.example"


async def test_every_reason_and_state_has_words_on_the_page(desk: Any, mail: Mail) -> None:
    id_ = await refuse(desk.ctx, mail, desk.rosa.id)
    await send(desk.ctx, desk.rosa.id)
    async with desk.as_(desk.nurse) as client:
        for reason in REASONS:
            async with desk.ctx.database.connection() as sql:
                await sql.execute("update messaging.notice set reason = $2 where id = $1", id_, reason)
            page = (await client.get("/notices")).text
            assert REASONS[reason].what.split(".", maxsplit=1)[0] in page.replace("&#39;", "'")
        for state in ("refused", "bounced", "failed", "held", "sent", "delivered"):
            async with desk.ctx.database.connection() as sql:
                await sql.execute("update messaging.notice set state = $2, unanswered = true where id = $1", id_, state)
            assert (await client.get("/notices")).status_code == 200
    assert messaging.CLOSED


async def test_printed_codes_are_shown_once_and_lead_to_a_new_beginning(desk: Any) -> None:
    async with access.work(desk.ctx, "added") as inner:
        eva = await access.add_person(
            inner,
            access.NewPerson(
                name="Eva", roles=frozenset({"clinician"}), email="eva@sol.example", password="six small green lamps"
            ),
        )
    async with desk.as_(eva) as client:
        assert "You have none." in (await client.get("/account")).text
        assert (await client.post("/account/printed", data={"secret": "wrong"})).status_code == 403
        shown = await client.post("/account/printed", data={"secret": "six small green lamps"})
        codes = re.findall(r"<code>([A-Z2-9-]{23})</code>", shown.text)
        assert len(codes) == 8
        assert shown.headers["cache-control"] == "no-store"
        assert "8 codes are left" in (await client.get("/account")).text
        typed = {"address": "eva@sol.example", "code": codes[0]}
        assert (await client.post("/sign-in/printed", data={**typed, "code": "no"})).status_code == 403
        done = await client.post("/sign-in/printed", data=typed)
        assert done.status_code == 303
        assert (await client.get(done.headers["location"])).status_code == 200
