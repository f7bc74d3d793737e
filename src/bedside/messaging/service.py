"""Send: keep the notice, then have a job deliver it, at once or when its reader's quiet hours end."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from datetime import datetime, time
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfoNotFoundError

from bedside import access
from bedside.foundation import telemetry
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue
from bedside.messaging import settings, store
from bedside.messaging.model.notice import Channel, Notice, Sent
from bedside.messaging.model.quiet import Quiet
from bedside.messaging.model.templates import URGENT, words

log = telemetry.logger("messaging")

PEOPLE = ("patient", "caregiver", "clinician", "nurse", "pharmacist", "administrator", "privacy-officer")
"""All but a display: nobody tells a wall anything."""


async def send(ctx: Ctx, notice: Notice) -> str:
    """Keep a notice and have it delivered after the commit. Returns its id. Raises NotFound for an unknown person.

    One that can wait waits for the end of its reader's quiet hours, unless they are on duty now; if one that says the
    same waits already, that one stands for both, and its id is returned.
    """
    person = await access.person(ctx, notice.person)
    channel = notice.channel or ("email" if person.email else "phone")
    address = person.email if channel == "email" else person.phone
    if address is None:
        channel, address = ("phone", person.phone) if person.phone else ("email", person.email)
    subject, text = words(notice.template, person.language).filled(notice.data)
    due = await _quiet_until(ctx, person) if address and not (notice.urgent or notice.template in URGENT) else None
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
        due,
    )
    if not await store.insert(ctx.sql, ctx.tenant, kept):
        if due is None:
            return kept.id  # asked twice with one id
        if waits := await store.of_its_kind(ctx.sql, ctx.tenant, kept):
            return waits
        # It went meanwhile; or this one was asked twice.
        if not await store.insert(ctx.sql, ctx.tenant, kept):
            return kept.id
    if address:
        await enqueue(ctx, "messaging.deliver", {"id": kept.id}, at=due)
    if not address:
        log.warning("a notice has nowhere to go", notice=kept.id, template=kept.template)
    return kept.id


async def _quiet_until(ctx: Ctx, person: access.Person) -> datetime | None:
    hours = await store.quiet(ctx.sql, ctx.tenant, person.id)
    if hours is None:
        return None
    try:
        due = Quiet(*hours).until(ctx.clock.now(), person.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return None  # a zone that nobody knows holds nothing up
    # Whoever the timetable has on duty is awake for it.
    return None if due is None or await access.on_duty(ctx, person=person.id) else due


async def withdraw(ctx: Ctx, id: str) -> bool:  # noqa: A002
    """A notice that has not gone yet is not sent any more: what it was about is no more. False when it has gone."""
    return await store.withdraw(ctx.sql, ctx.tenant, id, ctx.clock.now())


async def quiet_hours(ctx: Ctx) -> tuple[time, time] | None:
    """When one's own quiet hours begin and end, by the clock of one's own zone; None without any."""
    return await store.quiet(ctx.sql, ctx.tenant, ctx.actor.id)


async def set_quiet_hours(ctx: Ctx, hours: tuple[time, time] | None) -> None:
    """One's own, or none; what waits keeps to them from now on. Raises Forbidden, Invalid."""
    await access.require(ctx, *PEOPLE)
    if hours is not None and hours[0] == hours[1]:
        raise Invalid("Quiet hours end at another time than they begin.", where="quiet")
    person = await access.person(ctx, ctx.actor.id)
    await store.put_quiet(ctx.sql, ctx.tenant, person.id, hours)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{person.id}")
    at = await _quiet_until(ctx, person) or ctx.clock.now()
    for waits, due in await store.waiting_of(ctx.sql, ctx.tenant, person.id):
        if at != due:
            await store.put_off(ctx.sql, ctx.tenant, waits, at)
            # The earlier job finds nothing to do, or that it is early.
            await enqueue(ctx, "messaging.deliver", {"id": waits}, at=at)


TEST = "messaging.test"


async def send_test(ctx: Ctx) -> None:
    """Send a notice to oneself, to see whether any arrives. An administrator's. Raises Forbidden."""
    await access.require(ctx, "administrator")
    await send(ctx, Notice(ctx.actor.id, TEST, urgent=True))
    ctx.trail.wrote = True


async def last_test(ctx: Ctx) -> Sent | None:
    """The newest test notice and what became of it. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return await store.last_of(ctx.sql, ctx.tenant, TEST)


def leads_out(ctx: Ctx, channel: Channel) -> bool:
    """Whether notices by this channel leave this installation."""
    chosen = settings.of(ctx.database)
    return chosen.demo or (channel == "email" and chosen.smtp is not None)


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
        early = notice.due is not None and notice.due > inner.clock.now()
        signed = await access.clinics.name(inner)
    if early:
        return  # its quiet hours were made longer after this job was asked for; another was asked for then
    state = "sent"
    if chosen.demo:
        pass  # the outbox is the delivery
    elif notice.channel == "email" and chosen.smtp and notice.address:
        # Outside any transaction: a slow mail server holds nothing here.
        await asyncio.to_thread(_mail, chosen, notice, signed)
    else:
        state = "held"
        log.warning("a notice is held: no channel is set up", notice=notice.id, channel=notice.channel)
    async with access.work(ctx, "delivered a notice") as inner:
        forget = state == "sent" and not chosen.demo
        await store.mark(inner.sql, inner.tenant, notice.id, state, inner.clock.now(), forget=forget)


def _mail(chosen: settings.Settings, notice: Sent, signed: str) -> None:
    url = urlsplit(chosen.smtp or "")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = chosen.sender, notice.address, notice.subject
    message["Message-ID"] = f"<{notice.id}@{chosen.sender.partition('@')[2]}>"
    message.set_content(f"{notice.text}\n\n{signed}")
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
