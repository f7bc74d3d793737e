"""Who takes care of a patient, and where they are watched, after the day on which they were registered.

Whoever may change the patient's record says so. Nobody is left in nobody's care and on no ward: they would be lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bedside.access.model.people import Bed, Person
from bedside.access.service.decide import authorise, require
from bedside.access.service.people import leave_place, people, person, persons, place_patient, places, places_of, relate
from bedside.access.store import relations as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.foundation.jobs import enqueue

CARING = ("clinician", "nurse")
WHAT = "Patient"
BED = 20
"""Characters of a bed's or a seat's name."""


@dataclass(frozen=True, slots=True)
class Carer:
    """Somebody in whose care a patient is, since when, and until when; None: until it is ended."""

    person: Person
    since: datetime
    until: datetime | None


async def carers(ctx: Ctx, patient: str) -> list[Carer]:
    """Those who work here and in whose care the patient is, by name. Raises Forbidden."""
    await require(ctx, *CARING)
    await authorise(ctx, patient, "R", what=WHAT)
    stand = await store.relations(ctx.sql, ctx.tenant, ctx.clock.now(), patient=patient, person=None)
    mine = [one for one in stand if one.kind == "care"]
    known = await persons(ctx, {one.person for one in mine})
    found: dict[str, Carer] = {}
    for one in mine:
        who = known.get(one.person)
        if who is None or not who.active or not who.roles & set(CARING):
            continue
        before = found.get(who.id)
        longest = None if one.until is None or (before and before.until is None) else one.until
        since = min(one.since, before.since) if before else one.since
        found[who.id] = Carer(who, since, longest)
    return sorted(found.values(), key=lambda one: one.person.name.casefold())


async def stays(ctx: Ctx, patient: str) -> list[Bed]:
    """Where the patient is watched. Raises Forbidden."""
    await require(ctx, *CARING)
    await authorise(ctx, patient, "R", what=WHAT)
    return await places_of(ctx, patient)


async def colleagues(ctx: Ctx) -> list[Person]:
    """In whose care a patient can be given, by name. Raises Forbidden."""
    await require(ctx, *CARING)
    return [one for one in await people(ctx) if one.roles & set(CARING)]


async def _may_change(ctx: Ctx, patient: str) -> None:
    """Raises Forbidden, for emergency access too: four hours must not make themselves endless."""
    await require(ctx, *CARING)
    await authorise(ctx, patient, "U", what=WHAT)
    if ctx.trail.emergency:
        ctx.trail.refused = "care by emergency access"
        raise Forbidden(
            "Emergency access opens the record, and changes nobody's care.", remedy="Ask whoever takes care of them."
        )


async def take_over(ctx: Ctx, patient: str, who: str) -> None:
    """The patient is in this colleague's care from now on, who is told. Raises Forbidden, Invalid (where: person)."""
    await _may_change(ctx, patient)
    if who not in {one.id for one in await colleagues(ctx)}:
        raise Invalid("Choose a colleague.", where="person")
    await relate(ctx, person=who, patient=patient, kind="care", source=f"care/{patient}")
    if who != ctx.actor.id:
        await enqueue(ctx, "messaging.send", {"person": who, "template": "access.care", "data": {}})


async def end_care(ctx: Ctx, patient: str, who: str) -> None:
    """The patient is in this colleague's care no longer. Raises Forbidden; Conflict for the last one who looks after
    somebody that no ward or programme holds."""
    await _may_change(ctx, patient)
    await store.claim_registration(ctx.sql, ctx.tenant, patient)
    others = [one for one in await carers(ctx, patient) if one.person.id != who and one.until is None]
    if not others and not await places_of(ctx, patient):
        raise Conflict(
            "This patient would be in nobody's care.",
            where="carers",
            remedy="Choose somebody else first, or where they are watched.",
        )
    await person(ctx, who)
    await store.end_care(ctx.sql, ctx.tenant, who, patient, ctx.clock.now())
    ctx.trail.wrote = True


async def watch(ctx: Ctx, patient: str, place: str, bed: str) -> None:
    """The patient is watched in a place from now on, or lies in another bed. Raises Forbidden, Invalid."""
    await _may_change(ctx, patient)
    if place not in {one.id for one in await places(ctx) if one.kind != "pharmacy"}:
        raise Invalid("Choose a ward or a programme of the list.", where="place")
    if len(bed) > BED:
        raise Invalid("This is longer than %(most)s characters.", where="bed", most=BED)
    await place_patient(ctx, patient, place, bed=bed or None)


async def unwatch(ctx: Ctx, patient: str, place: str) -> None:
    """The patient is watched there no longer. Raises Forbidden; Conflict where nobody would look after them."""
    await _may_change(ctx, patient)
    await store.claim_registration(ctx.sql, ctx.tenant, patient)
    elsewhere = [one for one in await places_of(ctx, patient) if one.place != place]
    if not elsewhere and not [one for one in await carers(ctx, patient) if one.until is None]:
        raise Conflict(
            "This patient would be in nobody's care.",
            where="places",
            remedy="Choose somebody who takes care of them first.",
        )
    await leave_place(ctx, patient, place)
