"""Asking to be registered, where the clinic lets people: nothing is made before their e-mail is confirmed by a link,
and then only a member of staff makes it. No answer tells whether somebody is known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bedside.access import settings
from bedside.access.model.people import NewPerson
from bedside.access.service import clinic, keys, limits
from bedside.access.service.decide import require
from bedside.access.service.unit import work
from bedside.access.store import applicants as store
from bedside.access.store import people as people_store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

LASTS = timedelta(hours=24)
MOST = 200
"""How many are listed at once, the longest waiting first."""
STAFF = ("clinician", "nurse", "administrator")
Outcome = Literal["new", "known", "refused"]


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who waits for an answer. said: what they typed, by field. confirmed: their e-mail, when."""

    id: str
    said: dict[str, str]
    confirmed: datetime


async def allowed(ctx: Ctx) -> bool:
    """Whether the clinic lets people ask."""
    async with work(ctx, "opened the registration", readonly=True) as inner:
        found = await clinic.clinic(inner)
    return found is not None and found.self_registration


async def apply(ctx: Ctx, said: dict[str, str], *, name: str, email: str, language: str) -> None:
    """Keep what somebody typed for a day, and send a link to their e-mail. Whoever they are: the answer is the same.

    Raises NotFound where the clinic does not let people ask, TooMany.
    """
    if not await allowed(ctx):
        raise NotFound("There is no such page.")
    await limits.spend(ctx, "applying", ctx.origin)
    await limits.spend(ctx, "send", email)
    async with work(ctx, "asked to be registered") as inner:
        now, id, token = inner.clock.now(), uuid7(), keys.new_token()
        # No role that opens anything, and not active: nobody can sign in as this.
        new = NewPerson(name=name[:120], roles=frozenset({"caregiver"}), language=language)
        await people_store.insert_person(inner.sql, inner.tenant, new, id, f"RelatedPerson/{id}", now)
        await people_store.change_person(inner.sql, inner.tenant, id, {"active": False, "email": email})
        await store.insert(inner.sql, inner.tenant, id, id, keys.digest(token), said, now, now + LASTS)
        link = f"{settings.of(ctx.database).public_url.rstrip('/')}/register/{token}"
        notice = {
            "id": uuid7(),
            "person": id,
            "template": "access.register",
            "data": {"link": link},
            "channel": "email",
        }
        await enqueue(inner, "messaging.send", notice)
        inner.trail.wrote = True
        inner.trail.entities.append(f"applicant/{id}")


async def good(ctx: Ctx, token: str) -> bool:
    """Whether a link still confirms an address. A mail scanner may ask: nothing is consumed."""
    async with work(ctx, "opened a link", readonly=True) as inner:
        return await store.good(inner.sql, inner.tenant, keys.digest(token), inner.clock.now())


async def confirm(ctx: Ctx, token: str) -> bool:
    """The e-mail is theirs: the request waits for the staff from now on. False for a link that is spent."""
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "confirmed an e-mail") as inner:
        found = await store.confirm(inner.sql, inner.tenant, keys.digest(token), inner.clock.now())
        if found is not None:
            inner.trail.wrote = True
            inner.trail.entities.append(f"applicant/{found}")
        return found is not None


async def waiting(ctx: Ctx) -> list[Applicant]:
    """Who waits for an answer, the longest first. For those who register. Raises Forbidden."""
    await require(ctx, *STAFF)
    rows = await store.waiting(ctx.sql, ctx.tenant, None, MOST)
    ctx.trail.entities += [f"applicant/{row['id']}" for row in rows]
    return [Applicant(row["id"], row["said"], row["confirmed"]) for row in rows]


async def one(ctx: Ctx, id: str) -> Applicant:
    """One of them, nobody else's to answer until the transaction ends. Raises Forbidden, NotFound when answered."""
    await require(ctx, *STAFF)
    rows = await store.waiting(ctx.sql, ctx.tenant, id)
    if not rows:
        raise NotFound("This request is answered already.", remedy="Look at the list of those who wait.")
    ctx.trail.entities.append(f"applicant/{id}")
    return Applicant(rows[0]["id"], rows[0]["said"], rows[0]["confirmed"])


async def decide(ctx: Ctx, id: str, outcome: Outcome) -> None:
    """Answered, in the transaction that made or found the record; a refusal says why (ctx.reason). Raises Forbidden."""
    await require(ctx, *STAFF)
    if outcome == "refused" and not ctx.reason:
        raise Forbidden("A refusal says why.")
    await store.decide(ctx.sql, ctx.tenant, id, outcome, ctx.actor.id, ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"applicant/{id}")
