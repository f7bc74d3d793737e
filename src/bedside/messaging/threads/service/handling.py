"""What staff do with a thread besides answering: take it, hand it on, close it, turn it into something."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid
from bedside.messaging.threads.model.thread import Event, Thread
from bedside.messaging.threads.service.finding import CLINIC, find
from bedside.messaging.threads.service.team import colleagues
from bedside.messaging.threads.service.telling import tell
from bedside.messaging.threads.store import threads as store

HELD = timedelta(days=30)
"""How long a hand-over lets somebody in at most."""
TURNED = frozenset({"visit", "task", "note"})
"""What a thread may be turned into."""


async def take(ctx: Ctx, key: str) -> Thread:
    """It is mine from now on. Raises NotFound, Forbidden."""
    thread = await _mine(ctx, key)
    if thread.assigned == ctx.actor.id:
        return thread
    return await _keep(
        ctx, replace(thread, assigned=ctx.actor.id, assigned_name=ctx.actor.name), "taken", thread.assigned_name or ""
    )


async def hand(ctx: Ctx, key: str, person: str) -> Thread:
    """To a colleague, who is told; "" back to the team. Raises NotFound, Forbidden, Invalid."""
    thread = await _mine(ctx, key)
    if not person:
        return await _keep(ctx, replace(thread, assigned=None, assigned_name=None), "handed")
    other = next((one for one in await colleagues(ctx) if one.id == person), None)
    if other is None:
        raise Invalid("Choose a colleague.", where="person")
    if other.id == thread.assigned:
        return thread
    # Whoever is handed a thread may see its patient while they hold it: until it is handed on, closed, or long over.
    await access.unrelate(ctx, source=f"thread/{thread.id}")
    await access.relate(
        ctx,
        person=other.id,
        patient=thread.patient,
        kind="care",
        source=f"thread/{thread.id}",
        until=ctx.clock.now() + HELD,
        reason="A conversation was handed to them",
    )
    moved = await _keep(ctx, replace(thread, assigned=other.id, assigned_name=other.name), "handed", other.name)
    if other.id != ctx.actor.id:
        await tell(ctx, [other.id], "messaging.handed")
    return moved


async def close(ctx: Ctx, key: str) -> Thread:
    """Nothing more is to be answered; who was let in by a hand-over goes. Raises NotFound, Forbidden."""
    thread = await _mine(ctx, key)
    if not thread.open:
        return thread
    without = "without an answer" if thread.promised is not None else ""
    # Whoever held it may see the patient no longer: what comes next is the team's again.
    closed = replace(thread, state="closed", promised=None, told=None, urgent=False, assigned=None, assigned_name=None)
    moved = await _keep(ctx, closed, "closed", without)
    await access.unrelate(ctx, source=f"thread/{thread.id}")
    return moved


async def reopen(ctx: Ctx, key: str) -> Thread:
    """It goes on. Raises NotFound, Forbidden."""
    thread = await _mine(ctx, key)
    return thread if thread.open else await _keep(ctx, replace(thread, state="open"), "opened")


async def link(ctx: Ctx, key: str, what: str, ref: str) -> Thread:
    """It was turned into something, in the transaction that made it. what: visit, task or note. ref: visit/… and so on.

    Raises NotFound, Forbidden, Conflict for what it was turned into already.
    """
    if what not in TURNED:
        raise ValueError(f"nothing is turned into {what!r}")
    thread = await _mine(ctx, key)
    if any(one.ref == ref for one in await store.events(ctx.sql, ctx.tenant, key)):
        raise Conflict("This was done already.")
    return await _keep(ctx, thread, what, ref=ref)


async def _mine(ctx: Ctx, key: str) -> Thread:
    await access.require(ctx, *CLINIC)
    return await find(ctx, key, "U", lock=True)


async def _keep(ctx: Ctx, thread: Thread, what: str, detail: str = "", ref: str | None = None) -> Thread:
    await store.update(ctx.sql, ctx.tenant, thread)
    event = Event(ctx.clock.now(), ctx.actor.id, ctx.actor.name, what, detail, ref)
    await store.add_event(ctx.sql, ctx.tenant, thread.id, event)
    ctx.trail.entities.append(f"Communication/{thread.id}")
    return thread
