"""The visit itself: who is there, when it truly began and ended, chat, and the licence override."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from bedside import access
from bedside.foundation import jobs
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, Conflict, Forbidden, Invalid
from bedside.visits.model import Message, Presence, Visit, next_status
from bedside.visits.service.kept import find, keep, picture, record, tell
from bedside.visits.service.planning import moved_to
from bedside.visits.service.signing import override_licence
from bedside.visits.store import chat as chat_store
from bedside.visits.store import links, stays

EMPTY = timedelta(minutes=60)
CHAT = 4000


def _role(ctx: Ctx, visit: Visit) -> str:
    if ctx.actor.id == visit.person:
        return "patient"
    return "clinician" if "clinician" in ctx.actor.roles else next(iter(sorted(ctx.actor.roles)), "guest")


def licence_of(visit: Visit) -> access.LicenceDecision | None:
    """The licence decision as it stands; None until the patient said where they are."""
    return msgspec.convert(visit.decision, access.LicenceDecision) if visit.decision else None


async def override(ctx: Ctx, key: str, reason: str) -> Visit:
    """Go on without a licence for the patient's place, with a written reason, where the table lets one."""
    await access.require(ctx, "clinician")
    visit = await find(ctx, key, "U", lock=True)
    decision = licence_of(visit)
    if decision is None or decision.answer != "override":
        raise Conflict("There is nothing to override.")
    return (await override_licence(ctx, visit, decision, reason, where="reason"))[1]


async def join(ctx: Ctx, key: str, connection: str) -> tuple[Visit, str]:
    """A page of the visit opened: (the visit, the role). The visit starts once patient and clinician are both there."""
    visit = await find(ctx, key, "U", lock=True)
    role = _role(ctx, visit)
    if not visit.open or visit.status == "handed":
        raise Conflict("This visit is not open.", remedy="Ask for a new one.")
    if role == "patient" and visit.place is None:
        raise Conflict("Tell us first where you are.")
    decision = licence_of(visit)
    if role != "patient" and decision is None:
        raise Conflict("The patient has not said yet where they are: the room opens then.")
    if role == "clinician" and decision is not None and not decision.passes:
        raise decision.refusal(N_("Give a reason to go on."))
    now = ctx.clock.now()
    await stays.arrive(ctx, visit.id, connection, Presence(ctx.actor.id, ctx.actor.name, role, now))
    await record(ctx, visit, "joined", role)
    there = {p.role for p in await stays.of_visit(ctx, visit.id) if p.left_at is None}
    if {"patient", "clinician"} <= there and decision is not None and visit.started_at is None:
        visit = msgspec.structs.replace(visit, status=next_status(visit.status, "start"), started_at=now)
        await keep(ctx, visit, "started")
    elif visit.status == "in-progress":
        await picture(ctx, visit)
    return visit, role


async def leave(ctx: Ctx, key: str, connection: str) -> None:
    """A page closed or was lost. When it was the last, the visit closes itself an hour later."""
    visit = await find(ctx, key, "U", lock=True)
    now = ctx.clock.now()
    await stays.leave(ctx, visit.id, connection, now)
    await record(ctx, visit, "left", _role(ctx, visit))
    if visit.open and await stays.quiet_since(ctx, visit.id):
        await ask_close(ctx, visit.id, now + EMPTY)


async def end(ctx: Ctx, key: str) -> Visit:
    """End it for everybody: its links die."""
    visit = await find(ctx, key, "U", lock=True)
    if ctx.actor.id == visit.person:
        raise Forbidden("The visit is ended by the clinician; you can leave it at any time.")
    return await _finish(ctx, visit, "ended")


async def ask_close(ctx: Ctx, id: str, at: datetime) -> None:
    """Have an empty visit closed at `at`, by one job however often it is asked."""
    await jobs.enqueue(ctx, "visits.close_empty", {"visit": id}, at=at, key=id)


async def close_empty(ctx: Ctx, key: str) -> None:
    """The job an hour after the last one left: closes it if nobody came back since."""
    visit = await find(ctx, key, "U", lock=True)
    quiet = await stays.quiet_since(ctx, visit.id)
    if not visit.open or quiet is None:
        return
    if ctx.clock.now() < quiet + EMPTY:
        # Somebody came back and left again, or whoever asked had a clock ahead of this one: then no other job waits.
        await ask_close(ctx, visit.id, quiet + EMPTY)
        return
    if visit.planned_at is not None and ctx.clock.now() < visit.planned_at + EMPTY:
        # Whoever came early and left is still expected.
        await ask_close(ctx, visit.id, visit.planned_at + EMPTY)
        return
    if visit.status in {"waiting", "in-progress"}:
        await _finish(ctx, visit, "closed empty", quiet)


async def _finish(ctx: Ctx, visit: Visit, event: str, at: object = None) -> Visit:
    now = ctx.clock.now()
    await stays.leave(ctx, visit.id, None, now)
    await links.kill(ctx, visit.id, now)
    step = "end" if visit.started_at else "cancel"
    moved = msgspec.structs.replace(
        visit, status=next_status(visit.status, step), ended_at=(at or now) if visit.started_at else None
    )
    if step == "cancel" and visit.planned_at is not None:
        moved = moved_to(ctx, moved, visit.planned_at, visit.planned_minutes)
    return await keep(ctx, moved, event)


async def say(ctx: Ctx, key: str, id: str, text: str) -> Message:
    """One line of chat. id: given by the writer's browser, so that a repeat is harmless."""
    visit = await find(ctx, key, "U")
    if not visit.open:
        raise Conflict("This visit is over.")
    if not text.strip() or len(text) > CHAT or not 8 <= len(id) <= 64:
        raise Invalid("A message has 1 to %(most)s characters.", where="text", most=CHAT)
    message = Message(id, ctx.clock.now(), ctx.actor.id, ctx.actor.name, text.strip())
    await chat_store.add(ctx, visit.id, message)
    tell(ctx, visit, {"t": "chat", **msgspec.to_builtins(message)})
    return message


async def chat(ctx: Ctx, key: str) -> list[Message]:
    """The chat so far."""
    visit = await find(ctx, key)
    return await chat_store.of_visit(ctx, visit.id)


async def presence(ctx: Ctx, key: str) -> list[Presence]:
    """Every stay, in order."""
    visit = await find(ctx, key)
    return await stays.of_visit(ctx, visit.id)
