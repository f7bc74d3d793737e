"""What is heard of notices afterwards: delivery reports, bounces, that somebody opened them, or nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound, SignInNeeded, Unavailable
from bedside.messaging import settings, store
from bedside.messaging.model import bounces, signature
from bedside.messaging.model.answers import ASKS, until
from bedside.messaging.model.reasons import Reason
from bedside.messaging.model.templates import secret

SAYS: dict[str, Reason] = {
    "no-such-number": "no-such-address",
    "full": "full",
    "rejected": "rejected",
    "unknown": "unknown",
}
"""Why a gateway says that an SMS did not arrive, and our word for it."""


class Report(msgspec.Struct, frozen=True):
    """What a gateway says of a notice. state: delivered or failed. reason: of SAYS."""

    id: str
    state: str
    reason: str = "unknown"


async def report(ctx: Ctx, body: bytes, written: str) -> None:
    """A gateway's delivery report; the same again changes nothing. written: the signature's header.

    Raises SignInNeeded for a signature that is not good now, Invalid, NotFound, Unavailable without a gateway.
    """
    chosen = settings.of(ctx.database)
    if not chosen.sms:
        raise Unavailable("No SMS gateway is set up.")
    if not signature.good(chosen.secret, ctx.clock.now(), body, written):
        raise SignInNeeded("The signature is not good, or older than five minutes.", remedy="See docs/notices.md.")
    try:
        said = msgspec.json.decode(body, type=Report)
    except msgspec.MsgspecError:
        raise Invalid("That is no report: write id, state and reason as JSON.") from None
    if said.state not in {"delivered", "failed"}:
        raise Invalid("A report says delivered or failed.", where="state")
    async with access.work(ctx, "heard of a notice") as inner:
        state = "delivered" if said.state == "delivered" else "bounced"
        reason = None if state == "delivered" else SAYS.get(said.reason, "unknown")
        if not await _heard(inner, said.id, "phone", state, reason):
            raise NotFound("There is no such notice.", where="id")


async def bounce(ctx: Ctx, raw: bytes, to: str = "") -> str:
    """What came to the bounces' address, from a mail server's pipe. to: its envelope recipient, where that is known.

    What it was: bounced, delivered, delayed; `unknown` for a report of no notice of ours, `none` for other mail.
    """
    found = bounces.read(raw, to)
    if found is None:
        return "none"
    async with access.work(ctx, "heard of a notice") as inner:
        for token in found.tokens:
            if (notice := await store.of_token(inner.sql, inner.tenant, token)) is not None:
                if found.state != "delayed":
                    await _heard(inner, notice, "email", found.state, found.reason)
                return found.state
    return "unknown"


async def _heard(ctx: Ctx, id: str, channel: str, state: str, reason: Reason | None) -> bool:  # noqa: A002
    """False: no such notice of this channel."""
    known = await store.known(ctx.sql, ctx.tenant, id, channel)
    if known is None:
        return False
    (template, urgent), now = known, ctx.clock.now()
    asks = until(template, now, urgent=urgent) if state == "delivered" else None
    # Before our own mark too: whoever sent it may have been killed before it could note that.
    await store.heard(ctx.sql, ctx.tenant, id, state, now, reason, forget=secret(template), asks=asks)
    return True


async def opened(ctx: Ctx, *templates: str) -> None:
    """The actor has opened what notices of these templates called them to."""
    await store.opened(ctx.sql, ctx.tenant, ctx.actor.id, templates, ctx.clock.now())


async def look(ctx: Ctx, _: dict[str, Any]) -> None:
    """The job messaging.look: what was to be opened by now and was not is work for a person; what was, is none."""
    async with access.work(ctx, "looked which notices were opened") as inner:
        now = inner.clock.now()
        for id_, person, template, since in await store.to_be_opened(inner.sql, inner.tenant, now):
            asks = ASKS.get(template)
            seen = await access.last_seen(inner, person) if asks is None or asks.sign_in else None
            if seen is not None and seen > since:
                await store.seen(inner.sql, inner.tenant, id_, seen)
            else:
                await store.unanswered(inner.sql, inner.tenant, id_)
