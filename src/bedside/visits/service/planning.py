"""A visit that is planned for a time: when that may be, and moving it."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.visits.model import MINUTES, Visit, next_status
from bedside.visits.service.joining import make_link
from bedside.visits.service.kept import find, keep

FAR = timedelta(days=366)


def check(now: datetime, at: datetime, minutes: int) -> None:
    """Raise Invalid for a time that nobody can plan."""
    if at <= now:
        raise Invalid("This time has passed already.", where="planned")
    if at > now + FAR:
        raise Invalid("Plan a visit within a year from now.", where="planned")
    if minutes not in MINUTES:
        raise Invalid("Choose how long it takes.", where="minutes")


async def plan(ctx: Ctx, key: str, at: datetime, minutes: int, base_url: str) -> Visit:
    """Another time for a visit that nobody has come to yet; a patient who was invited is told, with a new link.

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
    moved = moved_to(ctx, visit, at, minutes)
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
