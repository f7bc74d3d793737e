"""Calendar files: one visit, and a secret link by which a calendar follows all of a person's planned visits."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from bedside import access
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.visits.model import Visit
from bedside.visits.model.calendar import calendar
from bedside.visits.service.kept import find
from bedside.visits.store import calendars, plans

KEPT = timedelta(days=60)
"""How long a past visit stays in the calendars that follow: until they have surely heard of its last change."""
STAFF = frozenset({"clinician", "nurse"})
ROLES = ("patient", "clinician", "caregiver")
"""Whose planned visits there are. A caregiver's are those of the patients whose grants let them see visits, as long as
these do; a file of one visit they get as whoever may see it."""


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def one(ctx: Ctx, key: str, base_url: str) -> bytes:
    """A planned visit as a file for whoever asks. Raises Forbidden, NotFound for one that has no time."""
    visit = await find(ctx, key)
    if visit.planned_at is None:
        raise NotFound("This visit is planned for no time.")
    who = await access.person(ctx, ctx.actor.id)
    return calendar([visit], who.id, who.language, base_url, home=not who.roles & STAFF)


async def stands(ctx: Ctx) -> tuple[datetime, datetime | None] | None:
    """When the actor's link was made, and when a calendar last read it. Raises Forbidden."""
    await access.require(ctx, *ROLES)
    return await calendars.of(ctx, ctx.actor.id)


async def make(ctx: Ctx) -> str:
    """A new secret for the actor's link, shown this once: only its digest is kept. The one before is good no more.

    Raises Forbidden.
    """
    await access.require(ctx, *ROLES)
    secret = secrets.token_urlsafe(24)
    await calendars.put(ctx, ctx.actor.id, _digest(secret), ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")
    return secret


async def end(ctx: Ctx) -> None:
    """Nobody follows the actor's visits any more. Raises Forbidden."""
    await access.require(ctx, *ROLES)
    await calendars.drop(ctx, ctx.actor.id)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")


def _order(visit: Visit) -> tuple[datetime, str]:
    return visit.planned_at or visit.asked_at, visit.id


async def follow(ctx: Ctx, secret: str, base_url: str) -> bytes:
    """The planned visits of whose link this is. ctx: a named job's, since nobody is signed in; the entry of the audit
    names the person. Raises Gone for a link that is no longer good, or of whoever left."""
    now = ctx.clock.now()
    person = await calendars.whose(ctx, _digest(secret), now)
    who = await access.person(ctx, person) if person else None
    if who is None or not who.active:
        raise Gone("This calendar link is no longer good.", remedy="Sign in and make a new one.")
    actor = Actor("person", who.id, who.name, who.roles, who.reference)
    ctx.trail.actor = actor
    visible = await access.visible(ctx.with_(actor=actor), "visit")
    found = await plans.of_person(ctx, who.id, now - KEPT, home="patient" in who.roles)
    if "caregiver" in who.roles:
        known = {visit.id for visit in found}
        theirs = await plans.of_patients(ctx, sorted(visible or ()), now - KEPT)
        found = sorted((*found, *(one for one in theirs if one.id not in known)), key=_order)
    shown = [visit for visit in found if visible is None or visit.patient in visible]
    for visit in shown:
        ctx.trail.patients.setdefault(visit.patient, set()).add("R")
    return calendar(shown, who.id, who.language, base_url, home="caregiver" in who.roles)
