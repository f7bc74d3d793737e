"""Send: keep the notice, then have a job deliver it."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from bedside import access
from bedside.foundation import telemetry
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue
from bedside.messaging import settings, store
from bedside.messaging.model.notice import Notice, Sent
from bedside.messaging.model.templates import words

log = telemetry.logger("messaging")


async def send(ctx: Ctx, notice: Notice) -> str:
    """Keep a notice and have it delivered after the commit. Returns its id. Raises NotFound for an unknown person."""
    person = await access.person(ctx, notice.person)
    channel = notice.channel or ("email" if person.email else "phone")
    address = person.email if channel == "email" else person.phone
    if address is None:
        channel, address = ("phone", person.phone) if person.phone else ("email", person.email)
    subject, text = words(notice.template, person.language).filled(notice.data)
    kept = Sent(
        notice.id or uuid7(),
        person.id,
        notice.template,
        channel if address else "none",
        address,
        subject,
        text,
        ctx.clock.now(),
        "waiting" if address else "held",
    )
    if await store.insert(ctx.sql, ctx.tenant, kept) and address:
        await enqueue(ctx, "messaging.deliver", {"id": kept.id})
    if not address:
        log.warning("a notice has nowhere to go", notice=kept.id, template=kept.template)
    return kept.id


async def asked(ctx: Ctx, payload: dict[str, Any]) -> None:
    """The job messaging.send."""
    notice = Notice(
        payload["person"], payload["template"], payload.get("data", {}), payload.get("channel"), payload.get("id")
    )
    async with access.work(ctx, "sent a notice") as inner:
        await send(inner, notice)


async def deliver(ctx: Ctx, payload: dict[str, Any]) -> None:
    """The job messaging.deliver. Delivered twice is better than never: the mark follows the sending."""
    chosen = settings.of(ctx.database)
    async with access.work(ctx, "delivered a notice", readonly=True) as inner:
        notice = await store.waiting(inner.sql, inner.tenant, payload["id"])
    if notice is None:
        return
    state = "sent"
    if chosen.demo:
        pass  # the outbox is the delivery
    elif notice.channel == "email" and chosen.smtp and notice.address:
        # Outside any transaction: a slow mail server holds nothing here.
        await asyncio.to_thread(_mail, chosen, notice)
    else:
        state = "held"
        log.warning("a notice is held: no channel is set up", notice=notice.id, channel=notice.channel)
    async with access.work(ctx, "delivered a notice") as inner:
        forget = state == "sent" and not chosen.demo
        await store.mark(inner.sql, inner.tenant, notice.id, state, inner.clock.now(), forget=forget)


def _mail(chosen: settings.Settings, notice: Sent) -> None:
    url = urlsplit(chosen.smtp or "")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = chosen.sender, notice.address, notice.subject
    message["Message-ID"] = f"<{notice.id}@{chosen.sender.partition('@')[2]}>"
    message.set_content(f"{notice.text}\n\n{chosen.clinic}")
    tls = ssl.create_default_context()
    host, port = url.hostname or "localhost", url.port
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=20, context=tls)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=20)
    with server:
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)


async def outbox(ctx: Ctx, *, limit: int = 50) -> list[Sent]:
    """The demo's outbox, the newest first. Raises NotFound elsewhere: a notice may let its reader in."""
    if not settings.of(ctx.database).demo:
        raise NotFound("There is no such page.")
    return await store.newest(ctx.sql, ctx.tenant, limit)
