"""Who has seen a result: one mark for all who care for the patient, with who, when and what came of it."""

from __future__ import annotations

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid
from bedside.orders import store
from bedside.orders.model import Waiting

WHAT = "DiagnosticReport"
"""Who may read a patient's reports may see that a result waits, and mark it."""
ACTS = "clinician"
"""Whose work it is: who acts on a result. Others who read it do not take it off anybody's list (hazard H142)."""
LONGEST = 500
SEEN_BEFORE = "Somebody has seen it already."
CHANGED = "A newer version of this result has come."


async def waiting(ctx: Ctx, *, limit: int = 50) -> tuple[list[Waiting], int]:
    """Results that nobody has seen, of the patients in the actor's care: critical ones first, then the oldest; and how
    many there are in all. Raises Forbidden."""
    await access.require(ctx, ACTS)
    found, number = await store.waiting(ctx, await access.visible(ctx, WHAT), limit)
    for one in found:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return found, number


async def look(ctx: Ctx, ref: str) -> Waiting | None:
    """How one stands; of a part its report. None for what never waited. Raises Forbidden."""
    found = await store.get(ctx, ref)
    if found is not None:
        await access.authorise(ctx, found.patient, "R", what=WHAT)
    return found


async def see(ctx: Ctx, ref: str, version: int, note: str = "") -> Waiting:
    """The actor has seen this version. Raises NotFound, Forbidden, Conflict when another version stands there by now or
    somebody has seen it before."""
    found = await _mine(ctx, ref)
    if found.seen_at is not None:
        raise Conflict(SEEN_BEFORE)
    if found.version > version:
        raise Conflict(CHANGED, remedy="Look at it again.")
    if len(note.strip()) > LONGEST:
        raise Invalid("A note has at most %(most)s characters.", where="note", most=LONGEST)
    await store.see(ctx, found.ref, version, ctx.clock.now(), note.strip())
    return found


async def unsee(ctx: Ctx, ref: str) -> Waiting:
    """It waits again: the mark is taken back by who made it. Raises NotFound, Forbidden, Conflict."""
    found = await _mine(ctx, ref)
    if found.seen_at is None:
        return found
    if found.seen_by != ctx.actor.id:
        raise Conflict("Somebody else has seen it.", remedy="Write what you found into the chart.")
    await store.unsee(ctx, found.ref)
    return found


async def _mine(ctx: Ctx, ref: str) -> Waiting:
    await access.require(ctx, ACTS)
    found = await store.get(ctx, ref, lock=True)
    if found is None:
        raise await access.absent(ctx, "R", WHAT, "There is no such result.")
    # Who may read it may say that they have.
    await access.authorise(ctx, found.patient, "R", what=WHAT)
    ctx.trail.entities.append(found.ref)
    ctx.trail.wrote = True
    return found
