"""Who has seen a result: one mark for all who care for the patient, with who, when and what came of it."""

from __future__ import annotations

from datetime import datetime

from bedside import access, records
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


async def waiting(ctx: Ctx, *, limit: int = 50, after: str | None = None) -> tuple[list[Waiting], int, str | None]:
    """Results that nobody has seen, of the patients in the actor's care: critical ones first, then the oldest; how many
    there are in all; and how those after them are asked for, None where there are none. Raises Forbidden, Invalid."""
    await access.require(ctx, ACTS)
    found, number = await store.waiting(
        ctx, await access.visible(ctx, WHAT), limit + 1, _place(after) if after else None
    )
    more = found[limit:]
    found = found[:limit]
    for one in found:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return found, number, _after(found[-1]) if more else None


def _after(one: Waiting) -> str:
    return f"{int(one.critical)}.{one.arrived_at.isoformat()}.{one.ref}".replace("+00:00", "Z")


def _place(after: str) -> tuple[bool, datetime, str]:
    """Between the two dots that are sure stands a moment with one of its own, or none."""
    critical, _, rest = after.partition(".")
    at, _, ref = rest.partition("Z.")
    try:
        return critical == "1", datetime.fromisoformat(f"{at}+00:00"), ref
    except ValueError:
        raise Invalid("This page is not known.", remedy="Begin with the first one.") from None


async def look(ctx: Ctx, ref: str) -> Waiting | None:
    """How one stands; of a part its report. None for what never waited. Raises Forbidden."""
    found = await store.get(ctx, ref)
    if found is not None:
        await access.authorise(ctx, found.patient, "R", what=WHAT)
    return found


async def see(ctx: Ctx, ref: str, version: int, note: str = "") -> Waiting:
    """The actor has seen this version, of a part with its report. Raises NotFound, Forbidden, Conflict when another
    version stands there by now, there never was this one, or somebody has seen it before."""
    found = await _mine(ctx, ref)
    if found.seen_at is not None:
        raise Conflict(SEEN_BEFORE)
    type_, _, id_ = ref.partition("/")
    current = int((await records.read(ctx, type_, id_))["meta"]["versionId"])
    if version > current:
        # Else the versions up to that number would never wait for anybody (hazard H160).
        raise Conflict("There is no such version of this result.", remedy="Look at it again.")
    if found.ref != ref:
        # What was looked at is a part: its own version says nothing of the report's.
        if version < current:
            raise Conflict(CHANGED, remedy="Look at it again.")
        version = found.version
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
