"""Find and read threads. Whoever may read the patient's Communications may read them, and nobody else."""

from __future__ import annotations

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.messaging.threads.model import picture
from bedside.messaging.threads.model.thread import File, Message, Row, Seen, Side, Talk, Thread
from bedside.messaging.threads.store import threads as store

WHAT = "Communication"
CLINIC = frozenset({"clinician", "nurse"})
LISTED = 100
"""Threads of an inbox: beyond it are those that nobody waits for."""
MOST = 500
"""Messages of a thread that are shown."""


def side_of(ctx: Ctx) -> Side:
    """From which side the actor writes."""
    return "clinic" if ctx.actor.roles & CLINIC else "home"


async def find(ctx: Ctx, key: str, action: str = "R", *, lock: bool = False) -> Thread:
    """The thread, if the actor may come near it. Raises NotFound, Forbidden."""
    thread = await store.get(ctx.sql, ctx.tenant, key, lock=lock)
    if thread is None:
        raise await access.absent(ctx, action, WHAT, "There is no such conversation.")
    await access.authorise(ctx, thread.patient, action, what=WHAT)
    return thread


async def read(ctx: Ctx, key: str, *, seeing: bool = False) -> Talk:
    """A whole thread. seeing: what the other side wrote is seen by the actor from now on. Raises as `find`."""
    thread = await find(ctx, key)
    side = side_of(ctx)
    if seeing and ctx.actor.kind == "person":
        # Under its own name: two tabs of one person write the same line once.
        mine = Seen("", ctx.actor.id, ctx.actor.name, side, ctx.clock.now())
        await store.see(ctx.sql, ctx.tenant, thread.id, mine)
    written = await store.messages(ctx.sql, ctx.tenant, thread.id)
    page = await records.search(ctx, WHAT, [("identifier", f"{picture.IDENTIFIER}|{thread.id}"), ("_count", str(MOST))])
    words = {one["id"]: picture.said(one) for one in page.entries}
    seen: dict[str, list[Seen]] = {}
    for one in await store.seen(ctx.sql, ctx.tenant, thread.id):
        seen.setdefault(one.message, []).append(one)
    messages = tuple(Message(one, *words[one.id], tuple(seen.get(one.id, ()))) for one in written if one.id in words)
    return Talk(thread, messages, tuple(await store.events(ctx.sql, ctx.tenant, thread.id)))


async def of_patient(ctx: Ctx, patient: str, *, limit: int = 100) -> list[Row]:
    """A patient's threads: who waits first, then the newest. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what=WHAT)
    return await store.rows(ctx.sql, ctx.tenant, ctx.actor.id, side_of(ctx), patients=[patient], limit=limit)


async def unseen(ctx: Ctx, patient: str) -> int:
    """How many messages to the actor's side the actor has not seen. Raises Forbidden."""
    return sum(row.unseen for row in await of_patient(ctx, patient))


async def inbox(ctx: Ctx, *, closed: bool = False) -> list[Row]:
    """The threads of the patients in the actor's care: unanswered first, by what was promised. Raises Forbidden."""
    await access.require(ctx, *CLINIC)
    patients = await access.visible(ctx, WHAT)
    found = await store.rows(
        ctx.sql,
        ctx.tenant,
        ctx.actor.id,
        "clinic",
        patients=None if patients is None else sorted(patients),
        state="closed" if closed else "open",
        limit=LISTED,
    )
    for patient in {row.thread.patient for row in found}:
        await access.authorise(ctx, patient, "R", what=WHAT)
    return found


async def waiting(ctx: Ctx) -> tuple[int, int]:
    """How many threads of the actor's patients wait for an answer, and how many beyond what was promised: numbers."""
    await access.require(ctx, *CLINIC)
    patients = await access.visible(ctx, WHAT)
    known = None if patients is None else sorted(patients)
    return await store.waiting(ctx.sql, ctx.tenant, known, ctx.clock.now())


async def awaited(ctx: Ctx, *, limit: int = 50) -> list[Thread]:
    """The threads of the actor's patients that wait for an answer, urgent ones first, then by what was promised; how
    many there are in all, `waiting` says. Raises Forbidden."""
    await access.require(ctx, *CLINIC)
    patients = await access.visible(ctx, WHAT)
    found = await store.awaited(ctx.sql, ctx.tenant, None if patients is None else sorted(patients), limit)
    for thread in found:
        ctx.trail.patients.setdefault(thread.patient, set()).add("R")
    return found


async def file(ctx: Ctx, key: str, binary: str) -> tuple[File, bytes]:
    """A file of a message of the thread. Raises NotFound, Forbidden."""
    talk = await read(ctx, key)
    for message in talk.messages:
        for one in message.files:
            if one.binary == binary:
                return one, await records.content(ctx, binary)
    raise NotFound("There is no such file.")


async def from_ref(ctx: Ctx, ref: str) -> Thread | None:
    """The thread that was turned into this (visit/…, Task/…), where the actor may read it."""
    key = await store.of_ref(ctx.sql, ctx.tenant, ref)
    thread = await store.get(ctx.sql, ctx.tenant, key) if key else None
    if thread is None or not await access.may(ctx, thread.patient, "R", what=WHAT):
        return None
    return thread
