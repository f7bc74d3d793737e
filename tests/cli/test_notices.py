"""`bedside doctor --send-test` says in plain words what came of it; `bedside notice bounce` takes what comes back."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from tests.messaging.servers import SECRET, Gateway, Mail, gateway, mail, refuses_sign_in, smtp
from tests.messaging.test_delivery import by_mail, dsn, send, state
from tests.messaging.test_notices import add, run
from typer.testing import CliRunner

from bedside import app
from bedside.cli import cli
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.settings import Settings

pytestmark = pytest.mark.engine
__all__ = ["gateway", "mail"]


async def bedside(*words: str, stdin: bytes = b"", **environment: str) -> Result:
    """The command in a thread, with nothing of notices in its environment but what is said."""
    names = ("SMTP_URL", "SMTP_FROM", "SMTP_BOUNCES", "SMS_URL", "SMS_SECRET")
    env: dict[str, str | None] = {f"BEDSIDE_{name}": environment.get(name) for name in names}
    return await asyncio.to_thread(lambda: CliRunner().invoke(cli, [*words], input=stdin, env=env))


async def test_a_test_goes_through_the_real_server(mail: Mail, gateway: Gateway) -> None:
    url = f"smtp://127.0.0.1:{mail.port}"
    done = await bedside("doctor", "--send-test", "you@example.org", SMTP_URL=url, SMTP_FROM="clinic@clinic.example")
    assert (done.exit_code, "took the e-mail for you@example.org over" in done.output) == (0, True), done.output
    assert [to for _, to, _ in mail.got] == ["you@example.org"]
    done = await bedside("doctor", "--send-test", "+34600000000", SMS_URL=gateway.url, SMS_SECRET=SECRET)
    assert done.exit_code == 0, done.output
    assert [(one["to"], one["kind"]) for one in gateway.got] == [("+34600000000", "test")]


async def test_what_went_wrong_is_said_in_plain_words(mail: Mail, gateway: Gateway) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    url = f"127.0.0.1:{mail.port}"
    for smtp_url, said in (
        ("smtp://nowhere.invalid", "The server's name was not found."),
        (f"smtp://127.0.0.1:{closed}", "The server refused the connection."),
        (f"smtps://{url}", "No encrypted connection could be made."),
        ("mail.example", "BEDSIDE_SMTP_URL is none"),
        ("", "No way out for e-mail is set up in this environment."),
    ):
        done = await bedside("doctor", "--send-test", "you@example.org", SMTP_URL=smtp_url)
        assert (done.exit_code, said in done.output) == (1, True), done.output
    async with smtp(Mail(), authenticator=refuses_sign_in, auth_require_tls=False) as strict:
        done = await bedside(
            "doctor", "--send-test", "you@example.org", SMTP_URL=f"smtp://me:hidden-word@127.0.0.1:{strict.port}"
        )
    assert (done.exit_code, "The server refused our sign-in." in done.output) == (1, True), done.output
    assert "hidden-word" not in done.output
    for said, server in (
        ("The server does not let us send from our address.", {"mail": "550 5.7.1 not yours"}),
        ("The address or number does not exist.", {"rcpt": ["550 5.1.1 nobody"]}),
        ("The server asked to try later.", {"rcpt": ["451 4.7.1 later"]}),
        ("The server went away in the middle.", {"hang": True}),
    ):
        mail.mail, mail.rcpt, mail.hang = "", [], False
        for name, value in server.items():
            setattr(mail, name, value)
        done = await bedside("doctor", "--send-test", "you@example.org", SMTP_URL=f"smtp://{url}")
        assert (done.exit_code, said in done.output) == (1, True), done.output
    for status, said in ((401, "refused our sign-in"), (404, "no such server"), (503, "asked to try later")):
        gateway.answers = [(status, {})]
        done = await bedside("doctor", "--send-test", "+34600000000", SMS_URL=gateway.url, SMS_SECRET=SECRET)
        assert (done.exit_code, said in done.output) == (1, True), done.output
    done = await bedside("doctor", "--send-test", "600 000", SMS_URL=gateway.url, SMS_SECRET=SECRET)
    assert "not in international form" in done.output


async def test_a_mail_server_s_pipe(ctx: Ctx, database_url: str, tmp_path: Path, mail: Mail) -> None:
    by_mail(ctx, mail, bounces="bounces@clinic.example")
    ann = await add(ctx, email="ann@home.example")
    id_ = await send(ctx, ann.id)
    await run(ctx)
    [(back, _, _)] = mail.got
    there = ("notice", "bounce", "--home", str(tmp_path / "home"), "--database-url", database_url)
    done = await bedside(*there, stdin=b"Subject: hello\r\n\r\nbuy this")
    assert (done.exit_code, "left alone" in done.output) == (0, True), done.output
    done = await bedside(*there, "--to", back, stdin=dsn("bounces@clinic.example"))
    assert (done.exit_code, "it is noted" in done.output) == (0, True), done.output
    assert (await state(ctx, id_))[:2] == ("bounced", "no-such-address")
    gone = "postgresql://nobody@127.0.0.1:1/none"
    done = await bedside("notice", "bounce", "--home", str(tmp_path), "--database-url", gone, stdin=dsn(back))
    assert done.exit_code == 75, "the mail server keeps it"


async def test_doctor_says_how_notices_stand(
    ctx: Ctx, clock: TurnableClock, database_url: str, tmp_path: Path, mail: Mail, monkeypatch: Any
) -> None:
    for name in ("SMTP_URL", "SMS_URL"):
        monkeypatch.delenv(f"BEDSIDE_{name}", raising=False)
    settings = Settings(tmp_path, database_url, "")

    async def said() -> dict[str, str]:
        return {one.what: one.state for one in await app.look_at_notices(settings)}

    found = await said()
    assert {state for what, state in found.items() if "Nothing is set up" in what} == {"note"}
    assert found["No notice has gone out yet."] == "note"
    monkeypatch.setenv("BEDSIDE_SMTP_URL", "smtp://mail.example")
    monkeypatch.setenv("BEDSIDE_SMS_URL", "http://sms.example")
    by_mail(ctx, mail)
    ann = await add(ctx, email="ann@home.example")
    await send(ctx, ann.id)
    await run(ctx)
    mail.rcpt = ["550 5.1.1 nobody", "451 later"]
    for template in ("prescribing.refused", "visits.handed"):
        await send(ctx, ann.id, template)
        await run(ctx)
    found = await said()
    assert "BEDSIDE_SMS_URL must be https (http is for this machine alone)." in found
    assert any(what.startswith("Notices leave by e-mail (SMTP).") for what in found)
    assert any(what.startswith("The last notice went out") and state == "good" for what, state in found.items())
    assert any(
        what.startswith("Notices that wait to go out: 1, the oldest") and state == "bad"
        for what, state in found.items()
    )
    assert found["Notices that did not arrive or were not opened: 1."] == "note"
    assert [one.what for one in await app.look_at_notices(Settings(tmp_path, database_url, "", demo=True))] == [
        "Notices go to the demo's outbox."
    ]
