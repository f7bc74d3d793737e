"""Notices: kept, delivered, and empty of health."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bedside import access, messaging
from bedside.access import settings as access_settings
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import NotFound
from bedside.foundation.jobs import Worker
from bedside.messaging import settings
from bedside.messaging.model.templates import ALLOWED, OTHER, TEMPLATES, words
from bedside.messaging.subscribers import JOBS

pytestmark = pytest.mark.engine


async def add(ctx: Ctx, **more: str) -> access.Person:
    async with access.work(ctx, "added somebody") as inner:
        return await access.add_person(
            inner,
            access.NewPerson(name="Ann Lee", roles=frozenset({"patient"}), patient="ann", **more),  # type: ignore[arg-type]
        )


async def run(ctx: Ctx) -> None:
    await Worker(ctx.database, ctx.bus, ctx.clock, JOBS).run_due()


async def outbox(ctx: Ctx) -> list[messaging.Sent]:
    async with access.work(ctx, "looked", readonly=True) as inner:
        return await messaging.outbox(inner)


async def test_a_notice_reaches_the_demo_outbox_in_the_persons_language(ctx: Ctx) -> None:
    settings.use(ctx.database, settings.Settings(demo=True))
    ann = await add(ctx, email="ann@home.example", language="es")
    async with access.work(ctx, "asked") as inner:
        await messaging.send(inner, messaging.Notice(ann.id, "visits.link", {"link": "https://x/1"}))
    assert [one.state for one in await outbox(ctx)] == ["waiting"]
    await run(ctx)
    [sent] = await outbox(ctx)
    assert (sent.state, sent.channel, sent.address, sent.subject) == (
        "sent",
        "email",
        "ann@home.example",
        "Su visita por vídeo",
    )
    assert sent.text is not None
    assert "https://x/1" in sent.text


async def test_the_demo_s_address_that_leads_nowhere_is_refused(ctx: Ctx) -> None:
    settings.use(ctx.database, settings.Settings(demo=True))
    ann = await add(ctx, email="ann@mail.invalid")
    async with access.work(ctx, "asked") as inner:
        await messaging.send(inner, messaging.Notice(ann.id, "visits.handed"))
    await run(ctx)
    assert [(one.state, one.reason) for one in await outbox(ctx)] == [("refused", "no-such-address")]


async def test_access_sends_its_code_through_here(ctx: Ctx, tmp_path: Path) -> None:
    settings.use(ctx.database, settings.Settings(demo=True))
    access_settings.use(ctx.database, access_settings.Settings(home=tmp_path, demo=True, answer_after=0))
    await add(ctx, phone="+15550001")
    door = ctx.with_(actor=NOBODY)
    await access.sign_in.send(door, "+15550001")
    await run(ctx)
    [sent] = await outbox(ctx)
    code = re.search(r"\b\d{6}\b", sent.text or "")
    assert code is not None
    assert (await access.sign_in.with_code(door, "+15550001", code[0])).person.name == "Ann Lee"


async def test_asking_twice_with_one_id_sends_once(ctx: Ctx) -> None:
    settings.use(ctx.database, settings.Settings(demo=True))
    ann = await add(ctx, phone="+15550001")
    for _ in range(2):
        async with access.work(ctx, "asked") as inner:
            await messaging.send(inner, messaging.Notice(ann.id, "visits.handed", id="one"))
    await run(ctx)
    await run(ctx)
    assert [one.id for one in await outbox(ctx)] == ["one"]


async def test_outside_the_demo_nobody_reads_it_and_it_is_held_without_a_channel(ctx: Ctx) -> None:
    ann = await add(ctx, phone="+15550001")
    async with access.work(ctx, "asked") as inner:
        await messaging.send(inner, messaging.Notice(ann.id, "visits.handed"))
    await run(ctx)
    with pytest.raises(NotFound):
        await outbox(ctx)
    async with ctx.database.connection() as sql:
        assert await sql.fetchval("select state from messaging.notice") == "held"


async def test_mail_is_sent_and_its_secret_forgotten(ctx: Ctx) -> None:
    heard: list[str] = []

    async def smtp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        body = False
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            heard.append(text)
            if body:
                if text == ".":
                    body = False
                    writer.write(b"250 ok\r\n")
                continue
            if text.upper() == "DATA":
                body = True
                writer.write(b"354 go\r\n")
            elif text.upper() == "QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(smtp, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings.use(ctx.database, settings.Settings(smtp=f"smtp://127.0.0.1:{port}", sender="clinic@clinic.example"))
    ann = await add(ctx, email="ann@home.example")
    async with access.work(ctx, "asked") as inner:
        await messaging.send(inner, messaging.Notice(ann.id, "access.link", {"link": "https://x/secret", "code": 1}))
    async with server:
        await run(ctx)
    assert "RCPT TO:<ANN@HOME.EXAMPLE>" in [line.upper() for line in heard]
    assert "https://x/secret" in "".join(line.removesuffix("=") for line in heard), "quoted-printable breaks lines"
    async with ctx.database.connection() as sql:
        assert tuple(await sql.fetchrow("select state, text from messaging.notice")) == ("sent", None)


def test_no_template_can_carry_more_than_what_is_allowed() -> None:
    for template, languages in {**TEMPLATES, "other": OTHER}.items():
        assert {"en", "es"} <= set(languages), template
        for one in languages.values():
            assert set(re.findall(r"\{(\w+)\}", one.subject + one.text)) <= ALLOWED, template
            filled = " ".join(one.filled({**dict.fromkeys(ALLOWED, "x"), "diagnosis": "D", "value": "178/112"}))
            assert "178/112" not in filled
    assert "{link}" not in " ".join(words("nobody.wrote-this", "fr").filled({}))
