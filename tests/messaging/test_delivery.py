"""What becomes of each notice, against a real SMTP server and a real HTTP server."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from tests.messaging.servers import SECRET, Gateway, Mail, gateway, mail, signature
from tests.messaging.test_notices import add, run

from bedside import access, messaging
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.foundation.http import Errors, Guard
from bedside.messaging import settings
from bedside.messaging.routes import ROUTES
from bedside.messaging.service import sms
from bedside.messaging.service.arriving import report
from bedside.messaging.service.sending import deliver
from bedside.web import kit

pytestmark = pytest.mark.engine
__all__ = ["gateway", "mail"]


def by_mail(ctx: Ctx, mail: Mail, **more: Any) -> None:
    chosen = {"smtp": f"smtp://127.0.0.1:{mail.port}", "sender": "clinic@clinic.example", **more}
    settings.use(ctx.database, settings.Settings(**chosen))


def by_sms(ctx: Ctx, gateway: Gateway, **more: Any) -> None:
    settings.use(ctx.database, settings.Settings(sms=gateway.url, secret=SECRET, **more))


async def send(ctx: Ctx, person: str, template: str = "monitoring.read", **more: Any) -> str:
    async with access.work(ctx, "asked") as inner:
        return await messaging.send(inner, messaging.Notice(person, template, **more))


async def state(ctx: Ctx, id_: str) -> tuple[str, str | None, int]:
    async with ctx.database.connection() as sql:
        row = await sql.fetchrow("select state, reason, tries from messaging.notice where id = $1", id_)
    return row["state"], row["reason"], row["tries"]


async def go(ctx: Ctx, clock: TurnableClock, **span: float) -> None:
    clock.turn(timedelta(**span))
    await run(ctx)


async def test_what_a_server_takes_is_sent_and_what_it_refuses_is_refused_with_a_known_word(
    ctx: Ctx, mail: Mail
) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    first = await send(ctx, ann.id, "access.link", data={"link": "https://x/secret", "code": 1})
    await run(ctx)
    [(back, to, message)] = mail.got
    assert (back, to, message["message-id"]) == (
        "clinic@clinic.example",
        "ann@home.example",
        f"<{first}@clinic.example>",
    )
    assert await state(ctx, first) == ("sent", None, 0)
    for answer, reason in (
        ("550 5.1.1 <ann@home.example>: no such user", "no-such-address"),
        ("550 no", "no-such-address"),
        ("552 5.2.2 full", "full"),
        ("550 5.7.1 blocked", "rejected"),
    ):
        mail.rcpt = [answer]
        id_ = await send(ctx, ann.id, "access.link", data={"link": "https://x/secret", "code": 1})
        await run(ctx)
        assert await state(ctx, id_) == ("refused", reason, 0)
    mail.data = "554 5.7.1 spam"
    id_ = await send(ctx, ann.id)
    await run(ctx)
    assert await state(ctx, id_) == ("refused", "rejected", 0)
    async with ctx.database.connection() as sql:
        kept = await sql.fetch("select text, reason from messaging.notice where template = 'access.link'")
    assert {row["text"] for row in kept} == {None}, "what lets somebody in is forgotten, refused or not"
    assert "example" not in str(kept), "and nothing of what the server said is kept"


async def test_a_greylisting_server_and_one_that_goes_away_get_it_later_under_the_same_id(
    ctx: Ctx, clock: TurnableClock, mail: Mail
) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    mail.rcpt = ["451 4.7.1 greylisted, try later"]
    id_ = await send(ctx, ann.id)
    await run(ctx)
    assert await state(ctx, id_) == ("waiting", "busy", 1)
    await go(ctx, clock, seconds=14)
    assert mail.asked == 1, "not before its time"
    mail.hang = True
    await go(ctx, clock, seconds=1)
    assert await state(ctx, id_) == ("waiting", "broke-off", 2)
    mail.hang = False
    await go(ctx, clock, seconds=30)
    assert await state(ctx, id_) == ("sent", None, 2)
    [(_, _, message)] = mail.got
    assert message["message-id"] == f"<{id_}@clinic.example>"
    await go(ctx, clock, hours=1)
    assert len(mail.got) == 1


@pytest.mark.parametrize(("urgent", "within"), [(True, timedelta(minutes=30)), (False, timedelta(hours=24))])
async def test_it_is_tried_for_a_bounded_time_and_then_it_is_work(
    ctx: Ctx, clock: TurnableClock, mail: Mail, urgent: bool, within: timedelta
) -> None:
    by_mail(ctx, mail)
    nurse = await someone(ctx, "nurse")
    admin = await someone(ctx, "administrator")
    async with access.work(ctx, "gave") as inner:
        await access.change_person(inner, nurse.id, email="n@clinic.example")
    mail.rcpt = ["451 busy"] * 200
    begun = clock.now()
    id_ = await send(ctx, nurse.id, "monitoring.waiting", urgent=urgent)
    await run(ctx)
    while (await state(ctx, id_))[0] == "waiting":
        async with ctx.database.connection() as sql:
            at = await sql.fetchval("select next_try from messaging.notice where id = $1", id_)
        clock.turn(at - clock.now())
        await run(ctx)
    found, reason, tries = await state(ctx, id_)
    assert (found, reason) == ("failed", "busy")
    assert within / 3 < clock.now() - begun <= within
    assert 5 < tries < 70
    async with access.work(acting(ctx, admin), "looked", readonly=True) as inner:
        [one], others = await messaging.failing(inner)
    assert (one.person.id, [n.id for n in one.notices], others) == (nurse.id, [id_], 0)


async def test_a_try_whose_job_ran_before_its_time_is_made_at_its_time(
    ctx: Ctx, clock: TurnableClock, mail: Mail
) -> None:
    """On a machine whose clock is behind the one that asked for the job."""
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    mail.rcpt = ["451 busy"]
    id_ = await send(ctx, ann.id)
    await run(ctx)
    async with ctx.database.connection() as sql:
        at = await sql.fetchval("select next_try from messaging.notice where id = $1", id_)
        await sql.execute("delete from jobs.pgqueuer where entrypoint = 'messaging.deliver'")
    clock.turn(at - clock.now() - timedelta(milliseconds=5))
    for _ in range(2):  # one that runs twice leaves one behind
        await deliver(ctx, {"id": id_})
    assert (await state(ctx, id_))[0] == "waiting"
    clock.turn(timedelta(milliseconds=5))
    await run(ctx)
    assert (await state(ctx, id_))[0] == "sent"
    assert len(mail.got) == 1


async def test_an_address_that_no_server_can_take_is_refused_and_not_tried_for_a_day(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    for address in ("añn@home.example", "ann@home.example\r\nBcc: eve@evil.example", "ann"):
        async with access.work(ctx, "changed") as inner:
            await access.change_person(inner, ann.id, email=address)
        id_ = await send(ctx, ann.id)
        mail.rcpt = ["550 5.1.3 bad address"]
        await run(ctx)
        assert (await state(ctx, id_))[:2] == ("refused", "no-such-address"), address
    assert mail.got == []


async def test_what_is_wrong_with_our_own_place_in_the_server_is_tried_again(
    ctx: Ctx, clock: TurnableClock, mail: Mail
) -> None:
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    mail.mail = "550 5.7.1 you may not send as clinic@clinic.example"
    id_ = await send(ctx, ann.id)
    await run(ctx)
    assert await state(ctx, id_) == ("waiting", "sender", 1)
    mail.mail = ""
    await go(ctx, clock, seconds=15)
    assert (await state(ctx, id_))[0] == "sent"


def dsn(to: str, action: str = "failed", status: str = "5.1.1", original: str = "") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: <" + to + ">\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nann@home.example has hypertension, said somebody\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ann@home.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 <ann@home.example> unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{original}\r\n--b--\r\n"
    ).encode()


async def test_a_bounce_finds_its_notice_by_the_envelope_and_by_nothing_else(ctx: Ctx, mail: Mail) -> None:
    by_mail(ctx, mail, bounces="bounces@clinic.example")
    ann = await add(ctx, email="ann@home.example")
    id_, other = await send(ctx, ann.id), await send(ctx, ann.id, "prescribing.refused")
    await run(ctx)
    back = next(sender for sender, _, message in mail.got if message["message-id"] == f"<{id_}@clinic.example>")
    assert re.fullmatch(r"bounces\+[a-z2-7]{26}@clinic\.example", back)
    assert len({sender for sender, _, _ in mail.got}) == 2
    # Who got the message knows its id, and its From; not its envelope's token.
    named = f"Message-ID: <{id_}@clinic.example>"
    assert await messaging.bounce(ctx, dsn("bounces@clinic.example", original=named)) == "unknown"
    assert await messaging.bounce(ctx, dsn(f"bounces+{'a' * 26}@clinic.example", original=named)) == "unknown"
    assert await messaging.bounce(ctx, b"Subject: I am away\r\n\r\nuntil Monday") == "none"
    assert await messaging.bounce(ctx, dsn(back, "delayed", "4.4.1")) == "delayed"
    assert (await state(ctx, id_))[0] == "sent"
    for _ in range(2):
        assert await messaging.bounce(ctx, dsn("bounces@clinic.example"), back.upper()) == "bounced"
        assert (await state(ctx, id_))[:2] == ("bounced", "no-such-address")
    assert (await state(ctx, other))[0] == "sent"
    assert await messaging.bounce(ctx, dsn(back, "delivered", "2.0.0")) == "delivered"
    assert (await state(ctx, id_))[:2] == ("delivered", None), "that it arrived stands"
    await messaging.bounce(ctx, dsn(back))
    assert (await state(ctx, id_))[0] == "delivered"


async def test_sms_is_signed_normalised_and_says_nothing_more(ctx: Ctx, gateway: Gateway) -> None:
    by_sms(ctx, gateway)
    ann = await add(ctx, phone="+34 600 00-00-00", language="es")
    id_ = await send(ctx, ann.id, "access.link", data={"link": "https://x/1", "code": 123456})
    await run(ctx)
    [got] = gateway.got
    assert (got["id"], got["key"], got["to"], got["language"], got["kind"]) == (
        id_,
        id_,
        "+34600000000",
        "es",
        "sign-in",
    )
    assert "123456" in got["text"]
    assert {"id", "to", "text", "language", "kind"} == set(got) - {"path", "key", "header"}
    assert (await state(ctx, id_))[0] == "sent"
    gateway.got.clear()
    await send(ctx, ann.id)
    async with access.work(ctx, "changed") as inner:
        await access.change_person(inner, ann.id, phone="600 000 000")
    national = await send(ctx, ann.id, "prescribing.refused")
    await run(ctx)
    assert [one["kind"] for one in gateway.got] == ["notice"], "a number without its country is guessed by nobody"
    assert (await state(ctx, national))[:2] == ("refused", "number")


async def test_a_gateway_s_answers(ctx: Ctx, clock: TurnableClock, gateway: Gateway) -> None:
    by_sms(ctx, gateway)
    ann = await add(ctx, phone="+34600000000")
    for status, expected in (
        (400, ("refused", "rejected")),
        (401, ("refused", "sign-in")),
        (404, ("refused", "not-understood")),
        (500, ("waiting", "busy")),
        (408, ("waiting", "busy")),
        (302, ("waiting", "not-understood")),
    ):
        gateway.answers = [(status, {"location": gateway.url.replace("/sms", "/elsewhere")})]
        id_ = await send(ctx, ann.id)
        await run(ctx)
        assert (await state(ctx, id_))[:2] == expected, status
    assert {one["path"] for one in gateway.got} == {"/sms"}, "a redirect is not followed"
    for dated in (False, True):
        gateway.got.clear()
        later = format_datetime(clock.now() + timedelta(seconds=600), usegmt=True) if dated else "600"
        gateway.answers = [(429, {"retry-after": later})]
        id_ = await send(ctx, ann.id, "visits.handed")
        await run(ctx)
        await go(ctx, clock, seconds=598)
        assert [one["id"] for one in gateway.got].count(id_) == 1
        await go(ctx, clock, seconds=3)
        assert [one["id"] for one in gateway.got].count(id_) == 2
    gateway.answers = [(503, {"retry-after": "7200"})]
    id_ = await send(ctx, ann.id, urgent=True)
    await run(ctx)
    assert (await state(ctx, id_))[0] == "failed", "longer than it may take: a person learns of it now"


def app_of(ctx: Ctx) -> httpx.AsyncClient:
    class Nobody:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {}).update(ctx=ctx.with_(actor=NOBODY))
            await self.app(scope, receive, send)

    def log(_: str, **known: Any) -> None:
        raise known["exc_info"]

    stack = [Middleware(Errors, page=kit.error_page, log=log), Middleware(Guard), Middleware(Nobody)]
    app = Starlette(routes=ROUTES, middleware=stack)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bedside")


async def test_delivery_reports_are_signed_of_now_and_idempotent(
    ctx: Ctx, clock: TurnableClock, gateway: Gateway
) -> None:
    by_sms(ctx, gateway)
    ann = await add(ctx, phone="+34600000000")
    id_, killed = await send(ctx, ann.id), await send(ctx, ann.id, "visits.handed")
    clock.turn(datetime.now(UTC) - clock.now())
    async with app_of(ctx) as client:

        async def told(said: dict[str, Any] | bytes, at: float | None = None, sign: str | None = None) -> int:
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            header = {"bedside-signature": signature(body, at) if sign is None else sign}
            return (await client.post("/notices/reports", content=body, headers=header)).status_code

        # Its worker was killed between sending and noting: the report came first.
        assert await told({"id": killed, "state": "delivered"}) == 204
        await run(ctx)
        assert (await state(ctx, killed))[0] == "delivered"
        async with ctx.database.connection() as sql:
            asks = await sql.fetchval("select asks from messaging.notice where id = $1", killed)
        assert asks == clock.now() + timedelta(hours=1), "and it is still to be opened"
        assert [one["id"] for one in gateway.got] == [id_]
        failed = {"id": id_, "state": "failed", "reason": "no-such-number"}
        now = clock.now().timestamp()
        for bad in (now - 301, now + 301):
            assert await told(failed, at=bad) == 401
        assert await told(failed, sign="") == 401
        assert await told(failed, sign=signature(b"{}")) == 401
        assert (await state(ctx, id_))[0] == "sent"
        for _ in range(2):
            assert await told(failed) == 204
            assert (await state(ctx, id_))[:2] == ("bounced", "no-such-address")
        assert await told({**failed, "reason": "ann@home.example is ill"}) == 204
        assert (await state(ctx, id_))[1] == "no-such-address"
        assert await told({"id": "nobody", "state": "delivered"}) == 404
        assert await told({"id": id_, "state": "read"}) == 400
        assert await told(b"[]") == 400
        assert await told(b"{" + b" " * 5000) == 413


async def test_a_report_that_comes_before_the_sending_is_noted_stands(
    ctx: Ctx, clock: TurnableClock, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_sms(ctx, gateway)
    ann = await add(ctx, phone="+34600000000")
    clock.turn(datetime.now(UTC) - clock.now())
    id_ = await send(ctx, ann.id)
    really = sms.sent

    async def quick(*given: Any) -> Any:
        came = await really(*given)
        body = json.dumps({"id": id_, "state": "failed", "reason": "full"}).encode()
        await report(ctx.with_(actor=NOBODY), body, signature(body))
        return came

    monkeypatch.setattr(sms, "sent", quick)
    await run(ctx)
    assert (await state(ctx, id_))[:2] == ("bounced", "full")


async def test_a_person_chooses_and_what_cannot_go_one_way_goes_the_other(
    ctx: Ctx, mail: Mail, gateway: Gateway
) -> None:
    ann = await add(ctx, email="ann@home.example", phone="+34600000000")
    by_mail(ctx, mail, sms=gateway.url, secret=SECRET)
    await send(ctx, ann.id)
    async with access.work(acting(ctx, ann), "chose") as inner:
        await messaging.choose(inner, "phone")
        assert await messaging.told_by(inner) == "phone"
    await send(ctx, ann.id)
    await run(ctx)
    assert (len(mail.got), len(gateway.got)) == (1, 1)
    by_mail(ctx, mail)  # no gateway any more
    await send(ctx, ann.id)
    await run(ctx)
    assert (len(mail.got), len(gateway.got)) == (2, 1)
    by_sms(ctx, gateway)
    async with access.work(acting(ctx, ann), "chose") as inner:
        await messaging.choose(inner, None)
    await send(ctx, ann.id)
    await run(ctx)
    assert (len(mail.got), len(gateway.got)) == (2, 2)
    async with access.work(ctx, "changed") as inner:
        await access.change_person(inner, ann.id, phone=None)
    async with access.work(acting(ctx, ann), "chose") as inner:
        with pytest.raises(Invalid):
            await messaging.choose(inner, "phone")
    wall = await someone(ctx, "display")
    async with access.work(acting(ctx, wall), "chose") as inner:
        with pytest.raises(Forbidden):
            await messaging.choose(inner, "email")


def test_settings_that_cannot_be_used_are_said_and_not_used(tmp_path: Path) -> None:
    def of(**said: str) -> settings.Settings:
        return settings.Settings.of_environment({f"BEDSIDE_{name}": value for name, value in said.items()})

    assert of(SMS_URL="https://sms.example/send", SMS_SECRET=SECRET).sms == "https://sms.example/send"
    for url in ("http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]/x"):
        assert of(SMS_URL=url, SMS_SECRET=SECRET).faults == ()
    for url in ("http://sms.example/send", "http://127.0.0.1.evil.example/", "ftp://localhost", "sms"):
        wrong = of(SMS_URL=url, SMS_SECRET=SECRET)
        assert wrong.sms is None
        assert len(wrong.faults) == 1
    assert of(SMS_URL="https://sms.example", SMS_SECRET="short").sms is None
    assert of(SMTP_URL="mail.example").faults
    assert of(SMTP_URL="smtps://u:p@mail.example", SMTP_BOUNCES="b+x@clinic.example").bounces is None
    assert of().sender == "bedside@localhost"
