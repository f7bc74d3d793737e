"""A visit that is planned for a time: when that may be, and moving it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.visits.model import MINUTES, Visit, next_status
from bedside.visits.service.joining import make_link
from bedside.visits.service.kept import find, keep, notify
from bedside.visits.store import visits as store

FAR = timedelta(days=366)
TOLD = {"moved": "visits.moved", "cancelled": "visits.called-off"}
"""The notice of each change; neither says anything of health."""


def check(now: datetime, at: datetime, minutes: int) -> None:
    """Raise Invalid for a time that nobody can plan."""
    if at <= now:
        raise Invalid("This time has passed already.", where="planned")
    if at > now + FAR:
        raise Invalid("Plan a visit within a year from now.", where="planned")
    if minutes not in MINUTES:
        raise Invalid("Choose how long it takes.", where="minutes")


async def plan(ctx: Ctx, key: str, at: datetime, minutes: int, base_url: str) -> Visit:
    """Another time for a visit that nobody has come to yet; a patient who was invited is told, with a new link, and so
    is its clinician, if it was somebody else.

    Raises Forbidden, Conflict, Invalid naming planned or minutes.
    """
    await access.require(ctx, "clinician", "nurse")
    visit = await find(ctx, key, "U", lock=True)
    if ctx.actor.id not in {visit.clinician, visit.asked_by}:
        raise Forbidden("The visit is somebody else's.", remedy="Ask for it to be handed to you.")
    check(ctx.clock.now(), at, minutes)
    if visit.status not in {"handed", "taken", "invited"}:
        next_status(visit.status, "take")  # says why not
        raise Conflict("The patient is here already.")
    if (visit.planned_at, visit.planned_minutes) == (at, minutes):
        return visit
    moved = await told(ctx, visit, moved_to(ctx, visit, at, minutes), "moved")
    await keep(ctx, moved, "planned")
    # The holder may see the patient until after the new time.
    await keep_in_care(ctx, moved)
    if moved.status == "invited":
        await make_link(ctx, moved, base_url)
    return moved


def moved_to(ctx: Ctx, visit: Visit, at: datetime | None, minutes: int | None) -> Visit:
    """With another time, one change later: calendars go by that number."""
    return msgspec.structs.replace(
        visit,
        planned_at=at,
        planned_minutes=minutes,
        planned_changes=visit.planned_changes + 1,
        planned_changed=ctx.clock.now(),
    )


async def told(ctx: Ctx, before: Visit, after: Visit, change: Literal["moved", "cancelled"]) -> Visit:
    """After it was moved or cancelled: its clinician is told, and it stands on her list until she notes it; if it was
    she herself, nothing of the kind waits any more (hazard H161)."""
    if before.clinician is None or before.clinician == ctx.actor.id:
        return msgspec.structs.replace(after, change=None)
    await notify(ctx, before.clinician, TOLD[change], name=ctx.actor.name)
    was = before.change_from if before.changed else before.planned_at
    return msgspec.structs.replace(
        after,
        change=change,
        change_by=ctx.actor.name,
        change_at=ctx.clock.now(),
        change_from=was,
        change_noted=None,
    )


async def note_change(ctx: Ctx, key: str, *, noted: bool) -> Visit:
    """Its clinician knows of what somebody else did to it; or not, after all. Raises Forbidden, Conflict."""
    await access.require(ctx, "clinician")
    visit = await find(ctx, key, "U", lock=True)
    if visit.clinician != ctx.actor.id:
        raise Forbidden("The visit is somebody else's.")
    if visit.change is None:
        raise Conflict("Nobody else has changed this visit.")
    after = msgspec.structs.replace(visit, change_noted=ctx.clock.now() if noted else None)
    await store.update(ctx, after)
    ctx.trail.wrote = True
    return after


async def keep_in_care(ctx: Ctx, visit: Visit) -> None:
    """Whoever holds the visit may see the patient until seven days after it: the note is still to be written."""
    if visit.clinician is None:
        return
    now = ctx.clock.now()
    await access.relate(
        ctx,
        person=visit.clinician,
        patient=visit.patient,
        kind="visit",
        source=f"visit/{visit.id}",
        until=max(now, visit.planned_at or now) + timedelta(days=7),
        reason=visit.reason,
    )
