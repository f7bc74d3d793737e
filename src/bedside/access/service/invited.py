"""Beginning with a passkey: who was invited by a one-time link needs no password first.

A passkey with user verification is both factors. Only an invitation may be answered so, and only while the person has
no second factor: a link comes by e-mail, and must never stand in for a telephone or a key that somebody already has.
"""

from __future__ import annotations

from bedside.access.model.people import Person
from bedside.access.model.sign_in import SignedIn
from bedside.access.service import keys, limits, passkeys
from bedside.access.service.actors import actor_of
from bedside.access.service.decide import require
from bedside.access.service.people import person
from bedside.access.service.sessions import open_session
from bedside.access.service.sign_in import REFUSED, REMEDY
from bedside.access.service.unit import work
from bedside.access.store import credentials as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden


async def may_begin(ctx: Ctx, token: str) -> bool:
    """Whether this link may be answered with a passkey. Consumes nothing."""
    async with work(ctx, "opened a link", readonly=True) as inner:
        return await _whose(inner, token) is not None


async def _whose(ctx: Ctx, token: str) -> Person | None:
    id = await store.peek_one_time(ctx.sql, ctx.tenant, keys.digest(token), ["invitation"], ctx.clock.now())
    if id is None or await store.secret(ctx.sql, id, "totp") is not None or await store.passkeys(ctx.sql, id):
        return None
    who = await person(ctx, id)
    return who if who.active else None


async def waited_for(ctx: Ctx) -> list[str]:
    """Who has an account and has not yet set up how they sign in, the first added first; patients may not need to."""
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    return await store.without(ctx.sql, ctx.tenant)


async def options(ctx: Ctx, token: str) -> str:
    """What navigator.credentials.create needs, as JSON. The link stays good. Raises Forbidden, TooMany."""
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "began to add a passkey") as inner:
        return await passkeys.offer(inner, await _certain(inner, token))


async def with_passkey(ctx: Ctx, token: str, answer: str, label: str, *, agent: str = "") -> SignedIn:
    """Keep the passkey that the browser made, consume the link, and sign in.

    Raises Forbidden, TooMany; Invalid when the passkey cannot be checked: the link then stays good.
    """
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "added a passkey") as inner:
        who = await _certain(inner, token)
        inner.trail.actor = actor_of(who, None)
        # Consumed before the passkey is kept: of two at once one waits here, and then finds the link spent.
        if not await store.take_one_time(
            inner.sql, inner.tenant, keys.digest(token), ["invitation"], inner.clock.now()
        ):
            raise _refuse(inner)
        await passkeys.keep(inner, who, answer, label)
        return await open_session(inner, who, agent=agent)


async def _certain(ctx: Ctx, token: str) -> Person:
    who = await _whose(ctx, token)
    if who is None:
        raise _refuse(ctx)
    return who


def _refuse(ctx: Ctx) -> Forbidden:
    ctx.trail.refused = "link"
    return Forbidden(REFUSED, remedy=REMEDY)
