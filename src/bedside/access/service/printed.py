"""Printed codes: how staff come back in where nobody else could let them in, as in a practice of one doctor.

A code stands for an administrator who has made sure that it is them: it takes away what was lost and gives the link by
which they begin anew. It is made while signed in, with proof, shown once, and good once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside.access.model.people import STAFF
from bedside.access.model.sign_in import Proof
from bedside.access.service import keys, limits
from bedside.access.service.actors import actor_of
from bedside.access.service.confirm import confirm
from bedside.access.service.decide import require
from bedside.access.service.people import people
from bedside.access.service.sign_in import begin_anew, even, refuse, typed_address
from bedside.access.service.unit import work
from bedside.access.store import credentials as store
from bedside.access.store import people as people_store
from bedside.foundation.context import Ctx
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

CODES, GROUPS, LETTERS = 8, 4, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Four groups of five letters that are not taken for each other: 100 bits, which nobody guesses."""
LASTS = timedelta(minutes=30)
"""Of the link that a code gives: whoever typed it is at the page."""


@dataclass(frozen=True, slots=True)
class Printed:
    """How many codes are left of those that were made last, and when that was."""

    left: int
    made: datetime | None


async def make(ctx: Ctx, proof: Proof) -> list[str]:
    """New codes of one's own, shown this once; those that were made before are good no longer.

    Raises Forbidden, Invalid, TooMany.
    """
    await require(ctx, *STAFF)
    await confirm(ctx, proof)
    found = ["-".join(_group() for _ in range(GROUPS)) for _ in range(CODES)]
    await store.put_printed(
        ctx.sql, ctx.tenant, ctx.actor.id, [keys.digest(_plain(one)) for one in found], ctx.clock.now()
    )
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")
    return found


def _group() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(5))


def _plain(typed: str) -> str:
    return re.sub(r"[\s\-]", "", typed)[:64].upper()


async def printed(ctx: Ctx) -> Printed:
    """How it stands with one's own."""
    return Printed(*await store.printed(ctx.sql, ctx.tenant, ctx.actor.id))


async def use(ctx: Ctx, address: str, code: str) -> str:
    """Come back in by a printed code: password, passkeys, PIN and second factor stop working, every session ends, and
    the link by which to begin anew is returned. The person and the administrators are told.

    Raises Forbidden (always the same words), TooMany.
    """
    await limits.spend(ctx, "sign-in", address)
    await limits.spend(ctx, "sign-in-origin", ctx.origin)
    async with even(ctx), work(ctx, "came back in by a printed code") as inner:
        email, phone = typed_address(address)
        for who in await people_store.persons_at(inner.sql, inner.tenant, email=email, phone=phone):
            if not who.roles & STAFF or not await store.take_printed(
                inner.sql, inner.tenant, who.id, keys.digest(_plain(code)), inner.clock.now()
            ):
                continue
            inner.trail.actor = actor_of(who, None)
            link = await begin_anew(inner, who, LASTS)
            told = {one.id for one in await people(inner, role="administrator")} | {who.id}
            for person in sorted(told):
                data = {"id": uuid7(), "person": person, "template": "access.printed-code", "data": {"name": who.name}}
                await enqueue(inner, "messaging.send", data)
            return link
        raise refuse(inner, "wrong printed code")
