"""The patient's way in: a link without an account, where they are now, and their agreement."""

from __future__ import annotations

import hashlib
import secrets
from datetime import date

import msgspec

from bedside import access, records
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Conflict, Forbidden, Gone, Invalid, NotFound
from bedside.visits.model import Link, Place, Visit, VisitEvent, country, matches, next_status
from bedside.visits.model.link import LIFE, WRONG_ANSWERS
from bedside.visits.service.kept import find, keep, notify
from bedside.visits.store import links
from bedside.visits.store import visits as store

DEAD = "This link is no longer good."
DEAD_REMEDY = "Ask for a new one below, or call the clinic."


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


async def make_link(ctx: Ctx, visit: Visit, base_url: str) -> str:
    """A new secret link, sent to the patient's own phone or e-mail by a notice that says nothing of health."""
    secret = secrets.token_urlsafe(24)
    now = ctx.clock.now()
    # A link to a planned visit holds until a day after its time.
    await links.add(ctx, visit.id, _digest(secret), now, max(now, visit.planned_at or now) + LIFE)
    link = f"{base_url.rstrip('/')}/join/{secret}"
    await notify(ctx, visit.person, "visits.planned" if visit.early(now) else "visits.link", link=link)
    return link


async def look(ctx: Ctx, secret: str) -> Link:
    """Whether a link is good, without consuming it: what a GET may do. Raises NotFound, Gone."""
    link = await links.get(ctx, token=_digest(secret))
    if link is None:
        raise NotFound(DEAD, remedy=DEAD_REMEDY)
    if not link.usable(ctx.clock.now()) or link.bound:
        raise Gone(DEAD, remedy=DEAD_REMEDY)
    return link


async def confirm(ctx: Ctx, secret: str, name: str, born: date) -> tuple[str, Visit] | None:
    """Consume the link for this device: (the device's secret, the visit), or None for a wrong answer.

    ctx: with a job's purpose PATRQT, since nobody is signed in. The wrong answer is counted in this transaction, so the
    caller must not raise. The fifth kills the link and tells the staff.
    """
    token = _digest(secret)
    link = await links.get(ctx, token=token, lock=True)
    if link is None or link.bound or not link.usable(ctx.clock.now()):
        raise Gone(DEAD, remedy=DEAD_REMEDY)
    visit = await store.get(ctx, link.visit, lock=True)
    if visit is None or not visit.open:
        raise Gone(DEAD, remedy=DEAD_REMEDY)
    patient = await records.read(ctx, "Patient", visit.patient)
    person = await access.person(ctx, visit.person)
    known = date.fromisoformat(patient["birthDate"]) if len(patient.get("birthDate", "")) == 10 else None
    if known is None or not matches(person.name, known, name, born):
        last = link.wrong + 1 >= WRONG_ANSWERS
        await links.wrong_answer(ctx, token, ctx.clock.now() if last else None)
        if last:
            await store.add_event(
                ctx, visit.id, VisitEvent(ctx.clock.now(), "somebody with the link", "locked", "5 wrong answers")
            )
            for staff in {visit.asked_by, visit.clinician} - {None}:
                await notify(ctx, str(staff), "visits.link-locked")
        return None
    device = secrets.token_urlsafe(24)
    await links.bind(ctx, token, _digest(device))
    return device, visit


async def renew(ctx: Ctx, secret: str, base_url: str) -> None:
    """A dead link's "send me a new one": to the phone or e-mail on file only. Silent where there is nothing to send."""
    link = await links.get(ctx, token=_digest(secret), lock=True)
    visit = await store.get(ctx, link.visit, lock=True) if link else None
    if visit is not None and visit.open and visit.status != "handed":
        await make_link(ctx, visit, base_url)


async def elsewhere(ctx: Ctx, key: str, base_url: str) -> str:
    """A link for another browser of the same patient, who is in already: sent to them, and returned to be copied. It
    asks for name and birth date as every link does. Raises Forbidden, Conflict."""
    visit = await find(ctx, key, "U", lock=True)
    if ctx.actor.id != visit.person:
        raise Forbidden("This link is the patient's own.")
    if not visit.open:
        raise Conflict("This visit is over.")
    return await make_link(ctx, visit, base_url)


async def guest(ctx: Ctx, device: str) -> tuple[Actor, str]:
    """Who holds this device's secret, as an actor of the guest door, and the visit. Raises Forbidden."""
    link = await links.get(ctx, device=_digest(device))
    visit = await store.get(ctx, link.visit) if link and link.usable(ctx.clock.now()) else None
    if visit is None or not visit.open:
        raise Forbidden("This visit is over, or its link is no longer good.", remedy=DEAD_REMEDY)
    person = await access.person(ctx, visit.person)
    # Only the guest's own pages take this actor; the role is what the policy knows.
    actor = Actor("person", person.id, person.name, frozenset({"patient"}), person.reference)
    return actor, visit.id


async def came_back(ctx: Ctx, secret: str, device: str) -> str | None:
    """The visit's id, when this device was let into the visit of this link and still is: the same link tapped again."""
    link = await links.get(ctx, token=_digest(secret))
    mine = await links.get(ctx, device=_digest(device))
    visit = await store.get(ctx, link.visit) if link and mine and link.visit == mine.visit else None
    return visit.id if mine and visit and visit.open and mine.usable(ctx.clock.now()) else None


async def arrive(ctx: Ctx, key: str, place: Place, agreed: bool, *, home: str) -> Visit:
    """The patient says where they are, whom to call back and that they agree; the licence table answers.

    home: the country of the clinic. Raises Invalid naming the field.
    """
    visit = await find(ctx, key, "U", lock=True)
    if ctx.actor.id != visit.person:
        raise Forbidden("Only the patient says where they are.")
    if visit.early(ctx.clock.now()):
        raise Conflict("It is too early: the room opens half an hour before the visit.", remedy="Come back then.")
    known = country(place.country)
    if known is None:
        raise Invalid("Choose the country where you are now.", where="country")
    if known.subdivisions and place.subdivision not in known.subdivisions:
        raise Invalid("Choose the state where you are now.", where="subdivision")
    if not place.address.strip():
        raise Invalid("Tell us the address where you are now.", where="address")
    if sum(c.isdigit() for c in place.callback) < 6:
        raise Invalid("Give a telephone number on which we can call you back.", where="callback")
    if not agreed:
        raise Invalid("The visit can begin once you agree to it.", where="agreed")
    decision = await access.licence_decision(ctx, visit.clinician or visit.asked_by, place.jurisdiction, home=home)
    earlier = visit.decision or {}
    if decision.answer == "override" and earlier.get("jurisdiction") == decision.jurisdiction:
        decision = msgspec.structs.replace(decision, reason=earlier.get("reason"))
    moved = msgspec.structs.replace(
        visit,
        status=next_status(visit.status, "arrive"),
        place=place,
        agreed_at=ctx.clock.now(),
        decision=msgspec.to_builtins(decision),
    )
    return await keep(ctx, moved, "arrived", decision.answer)
