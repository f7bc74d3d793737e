"""Who is on duty: asked by the alarms' ladder, by the policy and by pages, and answered in one way."""

from __future__ import annotations

from datetime import datetime

from bedside.access.model import timetable
from bedside.access.model.people import Duty, Weekly
from bedside.access.service.people import open_place
from bedside.access.service.people import person as account
from bedside.access.store import rota as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.foundation.ids import uuid7


async def set_duty(
    ctx: Ctx,
    *,
    person: str,
    place: str,
    role: str,
    step: int = 1,
    since: datetime | None = None,
    until: datetime | None = None,
    weekly: Weekly | None = None,
    id: str | None = None,
) -> Duty:
    """Put somebody on duty. step: where on the place's on-call ladder, 1 first. weekly: None is around the clock.

    Raises NotFound, Conflict (closed), Invalid. Callers have decided that it may be done: this asks no policy.
    """
    await open_place(ctx, place)
    who = await account(ctx, person)
    if role not in who.roles:
        raise Invalid("They are on duty as what they are.", where="role")
    begins = since or ctx.clock.now()
    if step < 1 or (until is not None and until <= begins):
        raise Invalid("A duty has a step from 1 on, and ends after it begins.")
    made = Duty(id or uuid7(), person, who.name, place, role, step, begins, until, weekly)
    await store.put_duty(ctx.sql, ctx.tenant, made)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"duty/{made.id}")
    return made


async def on_duty(
    ctx: Ctx,
    *,
    place: str | None = None,
    role: str | None = None,
    person: str | None = None,
    at: datetime | None = None,
) -> list[Duty]:
    """Who is on duty at a moment (now), by step: by the timetable, and with substitutes in place of whom they stand
    in for. Whoever left or was suspended is not, nor whoever stands in and did."""
    moment = at or ctx.clock.now()
    rows = await store.rows(ctx.sql, ctx.tenant, moment, moment, place=place, role=role, person=person)
    found = timetable.on_duty(rows, moment)
    return found if person is None else [duty for duty in found if duty.person == person]
