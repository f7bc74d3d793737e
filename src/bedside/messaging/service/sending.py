"""Send: keep the notice, then have a job deliver it, at once or when its reader's quiet hours end."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfoNotFoundError

from bedside import access
from bedside.foundation import telemetry
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue
from bedside.messaging import settings, store
from bedside.messaging.model import bounces, retry
from bedside.messaging.model.answers import until
from bedside.messaging.model.notice import CHANNELS, Channel, Notice, Sent
from bedside.messaging.model.quiet import Quiet
from bedside.messaging.model.reasons import SENT, Outcome
from bedside.messaging.model.templates import URGENT, secret, words
from bedside.messaging.service import mail, sms
from bedside.messaging.service.routing import address, route

log = telemetry.logger("messaging")

TEST = "messaging.test"


async def send(ctx: Ctx, notice: Notice) -> str:
    """Keep a notice and have it delivered after the commit. Returns its id. Raises NotFound for an unknown person.

    One that can wait waits for the end of its reader's quiet hours, unless they are on duty now; if one that says the
    same waits already, that one stands for both, and its id is returned.
    """
    person = await access.person(ctx, notice.person)
    subject, text = words(notice.template, person.language).filled(notice.data)
    urgent = notice.urgent or notice.template in URGENT
    if notice.everywhere:
        for channel in CHANNELS[1:]:
            where, leads = address(person, channel), settings.of(ctx.database).leads_out(channel)
            if where and leads and address(person, CHANNELS[0]):
                also = str(uuid5(NAMESPACE_OID, f"{notice.id}/{channel}")) if notice.id else None
                await keep(ctx, person, notice.template, (subject, text), (channel, where), urgent=urgent, id=also)
        to = await route(ctx, person, CHANNELS[0])
    elif notice.template == TEST and notice.channel:  # a test of the other channel would tell nothing of this one
        where = address(person, notice.channel)
        to = (notice.channel, where) if where else None
    else:
        to = await route(ctx, person, notice.channel)
    return await keep(ctx, person, notice.template, (subject, text), to, urgent=urgent, id=notice.id)


async def keep(
    ctx: Ctx,
    person: access.Person,
    template: str,
    said: tuple[str, str],
    to: tuple[Channel, str] | None,
    *,
    urgent: bool,
    id: str | None = None,  # noqa: A002
) -> str:
    """A notice with its words (subject, text) goes to an address by a channel; without one it is held for a person."""
    due = await quiet_until(ctx, person) if to and not urgent else None
    kept = Sent(
        id or uuid7(),
        person.id,
        template,
        to[0] if to else "none",
        to[1] if to else None,
        said[0],
        said[1] if to or not secret(template) else None,
        ctx.clock.now(),
        "waiting" if to else "held",
        due,
        urgent=urgent,
        language=person.language,
        reason=None if to else "no-address",
        token=bounces.new_token() if to and to[0] == "email" else None,
    )
    if not await store.insert(ctx.sql, ctx.tenant, kept):
        if due is None:
            return kept.id  # asked twice with one id
        if waits := await store.of_its_kind(ctx.sql, ctx.tenant, kept):
            return waits
        # It went meanwhile; or this one was asked twice.
        if not await store.insert(ctx.sql, ctx.tenant, kept):
            return kept.id
    if to:
        await ask_delivery(ctx, kept.id, due)
    else:
        log.warning("a notice has nowhere to go", notice=kept.id, template=kept.template)
    return kept.id


async def ask_delivery(ctx: Ctx, id: str, at: datetime | None) -> None:  # noqa: A002
    """Have it delivered at `at` or at once, by one job however often it is asked."""
    await enqueue(ctx, "messaging.deliver", {"id": id}, at=at, key=id)


async def quiet_until(ctx: Ctx, person: access.Person) -> datetime | None:
    """Until when a person's quiet hours hold up what can wait."""
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


async def send_test(ctx: Ctx, channel: Channel | None = None) -> None:
    """Send a notice to oneself, to see whether any arrives. An administrator's. Raises Forbidden."""
    await access.require(ctx, "administrator")
    await send(ctx, Notice(ctx.actor.id, TEST, channel=channel, urgent=True))
    ctx.trail.wrote = True


async def last_test(ctx: Ctx, channel: Channel | None = None) -> Sent | None:
    """The newest test notice (by a channel) and what became of it. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return await store.last_of(ctx.sql, ctx.tenant, TEST, channel)


def leads_out(ctx: Ctx, channel: Channel) -> bool:
    """Whether notices by this channel leave this installation."""
    return settings.of(ctx.database).leads_out(channel)


async def asked(ctx: Ctx, payload: dict[str, Any]) -> None:
    """The job messaging.send."""
    notice = Notice(
        payload["person"],
        payload["template"],
        payload.get("data", {}),
        payload.get("channel"),
        payload.get("id"),
        everywhere=bool(payload.get("everywhere")),
    )
    async with access.work(ctx, "sent a notice") as inner:
        await send(inner, notice)


async def deliver(ctx: Ctx, payload: dict[str, Any]) -> None:
    """The job messaging.deliver: one try. Delivered twice, under the same id, is better than never: the mark follows
    the sending."""
    chosen = settings.of(ctx.database)
    async with access.work(ctx, "delivered a notice", readonly=True) as inner:
        notice = await store.waiting(inner.sql, inner.tenant, payload["id"])
        if notice is None:
            return
        now = inner.clock.now()
        early = [at for at in (notice.due, notice.next_try) if at is not None and at > now]
        signed = await access.clinics.name(inner)
    if early:
        # Its quiet hours were made longer after this job was asked for, it was tried meanwhile, or whoever asked had a
        # clock ahead of this one: then no other job waits, and nothing else would ever send it.
        async with access.work(ctx, "put off a notice") as inner:
            await ask_delivery(inner, notice.id, max(early))
        return
    # Outside any transaction: a slow server holds nothing here.
    outcome = await _try(chosen, notice, signed, now)
    async with access.work(ctx, "delivered a notice") as inner:
        await _note(inner, notice, outcome, demo=chosen.demo, begun=now)


async def _try(chosen: settings.Settings, notice: Sent, signed: str, now: datetime) -> Outcome | None:
    """None: nothing leads out."""
    if chosen.demo:
        # The outbox is the delivery; to a name that never resolves (RFC 6761) it fails, as it would anywhere.
        return Outcome("refused", "no-such-address") if (notice.address or "").endswith(".invalid") else SENT
    if notice.channel == "email" and chosen.smtp and notice.address:
        return await asyncio.to_thread(mail.sent, chosen, notice, signed)
    if notice.channel == "phone" and chosen.sms:
        return await sms.sent(chosen, notice, signed, now)
    return None


async def _note(ctx: Ctx, notice: Sent, outcome: Outcome | None, *, demo: bool, begun: datetime) -> None:
    """What became of a try. Its first begun is what the time for more of them is counted from."""
    now, begun = ctx.clock.now(), notice.begun or begun
    forget = secret(notice.template) and not demo
    if outcome is None:
        log.warning("a notice is held: no channel is set up", notice=notice.id, channel=notice.channel)
        await store.settle(ctx.sql, ctx.tenant, notice.id, "held", now, "no-channel", forget=forget)
        return
    if outcome.state == "again":
        tries = notice.tries + 1
        at = retry.again(tries, begun, now, urgent=notice.urgent, wait=outcome.wait)
        log.warning("a notice did not go", notice=notice.id, reason=outcome.reason, tries=tries, again=at)
        if at is None:
            await store.settle(ctx.sql, ctx.tenant, notice.id, "failed", now, outcome.reason, forget=forget)
        elif await store.try_again(ctx.sql, ctx.tenant, notice.id, tries, begun, at, outcome.reason):
            await ask_delivery(ctx, notice.id, at)
        return
    await store.settle(
        ctx.sql,
        ctx.tenant,
        notice.id,
        outcome.state,
        now,
        outcome.reason,
        forget=forget,
        asks=until(notice.template, now, urgent=notice.urgent) if outcome.state == "sent" else None,
    )
    if outcome.state == "sent" and secret(notice.template):
        await store.superseded(ctx.sql, ctx.tenant, notice, now)


async def outbox(ctx: Ctx, *, limit: int = 50) -> list[Sent]:
    """The demo's outbox, the newest first. Raises NotFound elsewhere: a notice may let its reader in."""
    if not settings.of(ctx.database).demo:
        raise NotFound("There is no such page.")
    return await store.newest(ctx.sql, ctx.tenant, limit)
