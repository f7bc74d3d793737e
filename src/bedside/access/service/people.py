"""People, places, duties, relations and grants: who is there, where, and bound to whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import asyncpg

from bedside.access.model.people import ROLES, STAFF, Bed, GrantRequest, NewPerson, Person, Place, PlaceKind, Relation
from bedside.access.service import keys
from bedside.access.store import credentials, relations
from bedside.access.store import people as store
from bedside.fhir.texts import fold, found_by, spellings
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.foundation.ids import uuid7

RELATIONS = frozenset({"care", "visit", "alarm", "pharmacy", "device", "emergency"})


async def add_person(ctx: Ctx, new: NewPerson) -> Person:
    """Add an account. Raises Invalid for an unknown role, Conflict for a taken id, e-mail or patient."""
    if unknown := new.roles - ROLES:
        raise Invalid("There is no such role.", where=", ".join(sorted(unknown)))
    if not new.roles or not new.name.strip():
        raise Invalid("A person needs a name and a role.")
    if ("patient" in new.roles) != (new.patient is not None):
        raise Invalid("The role patient and the id of their record come together.", where="patient")
    id = new.id or uuid7()
    try:
        async with ctx.sql.transaction():
            await store.insert_person(
                ctx.sql, ctx.tenant, new, id, new.reference or _reference(new, id), ctx.clock.now()
            )
    except asyncpg.UniqueViolationError as error:
        raise Conflict("Somebody has this id, e-mail or record already.", where=error.constraint_name) from None
    for kind, secret in (("password", new.password), ("pin", new.pin)):
        if secret is not None:
            await credentials.put_secret(ctx.sql, id, kind, await keys.hashed(secret), ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{id}")
    return await person(ctx, id)


def _reference(new: NewPerson, id: str) -> str:
    if new.patient is not None:
        return f"Patient/{new.patient}"
    if new.roles <= {"caregiver"}:
        return f"RelatedPerson/{id}"
    if "display" in new.roles:
        return f"Device/{id}"
    return f"Practitioner/{id}"


async def person(ctx: Ctx, id: str) -> Person:
    """One account. Raises NotFound."""
    found = await store.person(ctx.sql, ctx.tenant, id)
    if found is None:
        raise NotFound("There is no such person.")
    return found


async def person_of_patient(ctx: Ctx, patient: str) -> Person | None:
    """The account of a patient, if they have one."""
    return await store.person_of_patient(ctx.sql, ctx.tenant, patient)


async def people(ctx: Ctx, *, role: str | None = None) -> list[Person]:
    """The active accounts, by name; displays only when asked for."""
    found = await store.people(ctx.sql, ctx.tenant, role)
    return found if role == "display" else [one for one in found if "display" not in one.roles]


async def staff(ctx: Ctx, sought: str = "") -> list[Person]:
    """The active accounts of who works here, by name; nobody is read who is a patient alone.

    sought: each of its words stands in the name, however its letters are written, or in the e-mail address. They are
    compared here, in one pass over all: a clinic of 2,000 takes a few hundredths of a second.
    """
    everybody = await store.people_of(ctx.sql, ctx.tenant, STAFF)
    words = [spellings(word) for word in sought[:200].split()]

    def fits(one: Person) -> bool:
        held = (*found_by(one.name), (one.email or "").casefold())
        return all(any(form in text for form in word for text in held) for word in words)

    return sorted(filter(fits, everybody) if words else everybody, key=lambda one: (fold(one.name), one.id))


async def change_person(ctx: Ctx, id: str, **changes: Any) -> Person:
    """Change name, language, phone, email, units, zone or active. Raises NotFound, Conflict."""
    try:
        async with ctx.sql.transaction():
            if not await store.change_person(ctx.sql, ctx.tenant, id, changes):
                raise NotFound("There is no such person.")
    except asyncpg.UniqueViolationError:
        raise Conflict("Somebody has this e-mail already.", where="email") from None
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{id}")
    return await person(ctx, id)


async def add_place(ctx: Ctx, id: str, name: str, kind: PlaceKind, zone: str | None = None) -> Place:
    """Add a ward or programme, or rename it. zone: IANA, of its duties."""
    if zone is not None and zone not in available_timezones():
        raise Invalid("There is no such time zone.", where="zone", remedy="Write it as Europe/Madrid.")
    made = Place(id, name, kind, zone)
    await store.insert_place(ctx.sql, ctx.tenant, made)
    ctx.trail.wrote = True
    return made


async def places(ctx: Ctx, *, closed: bool = False) -> list[Place]:
    """Every ward and programme where somebody can be watched. closed: also those of before, for their names."""
    return await store.places(ctx.sql, ctx.tenant, closed=closed)


async def place_patient(ctx: Ctx, patient: str, place: str, *, bed: str | None = None) -> None:
    """The patient is watched in a place from now on (a second time: changes the bed). Raises NotFound, Conflict."""
    await open_place(ctx, place)
    await store.open_stay(ctx.sql, uuid7(), ctx.tenant, place, patient, bed, ctx.clock.now())
    ctx.trail.patients.setdefault(patient, set()).add("U")
    ctx.trail.wrote = True


async def leave_place(ctx: Ctx, patient: str, place: str) -> None:
    """The patient is watched there no longer."""
    await store.close_stay(ctx.sql, ctx.tenant, place, patient, ctx.clock.now())
    ctx.trail.patients.setdefault(patient, set()).add("U")
    ctx.trail.wrote = True


async def patients_at(ctx: Ctx, place: str) -> list[Bed]:
    """Who is watched in a place now, by bed."""
    return await store.stays(ctx.sql, ctx.tenant, place=place, patient=None)


async def places_of(ctx: Ctx, patient: str) -> list[Bed]:
    """Where a patient is watched now."""
    return await store.stays(ctx.sql, ctx.tenant, place=None, patient=patient)


async def place_name(ctx: Ctx, place: str) -> str:
    """What a place is called. Raises NotFound."""
    found = await store.place(ctx.sql, ctx.tenant, place)
    if found is None:
        raise NotFound("There is no such place.", where="place")
    return found.name


async def open_place(ctx: Ctx, place: str) -> None:
    """Somebody is put there in this transaction, so that nobody closes it meanwhile. Raises NotFound, Conflict."""
    stands = await store.stays_open(ctx.sql, ctx.tenant, place)
    if stands is None:
        raise NotFound("There is no such place.", where="place")
    if not stands:
        raise Conflict("This place is closed.", where="place", remedy="Choose another.")


async def relate(
    ctx: Ctx,
    *,
    person: str,
    patient: str,
    kind: str,
    source: str,
    until: datetime | None = None,
    reason: str | None = None,
) -> None:
    """A room that makes a relation says so, in the transaction that makes it. The same again only sets its end.

    kind: care, visit, alarm, pharmacy, device, emergency. source: what made it; unrelate names the same.
    Callers have decided that it may be made: this asks no policy.
    """
    if kind not in RELATIONS:
        raise Invalid("There is no such relation.", where=kind)
    now = ctx.clock.now()
    await relations.put_relation(
        ctx.sql, uuid7(), ctx.tenant, Relation(person, patient, kind, source, now, until, reason)
    )
    ctx.trail.patients.setdefault(patient, set()).add("U")
    ctx.trail.wrote = True


async def unrelate(ctx: Ctx, *, source: str, at: datetime | None = None) -> None:
    """Every relation of this source ends now, or at a moment."""
    await relations.end_relations(ctx.sql, ctx.tenant, source, at or ctx.clock.now())
    ctx.trail.wrote = True


async def relations_of(ctx: Ctx, *, patient: str | None = None, person: str | None = None) -> list[Relation]:
    """The relations that stand now."""
    return await relations.relations(ctx.sql, ctx.tenant, ctx.clock.now(), patient=patient, person=person)


async def grant(ctx: Ctx, request: GrantRequest) -> str:
    """A patient lets a caregiver in (a Consent was written, and calls this). Returns the grant's id."""
    if not request.actions or set(request.actions) - set("CRUDE") or not request.what:
        raise Invalid("A grant names its actions, of C R U D E, and what they are on.")
    id = request.id or uuid7()
    await relations.put_grant(ctx.sql, ctx.tenant, id, request, ctx.clock.now())
    ctx.trail.patients.setdefault(request.patient, set()).add("U")
    ctx.trail.wrote = True
    return id


async def revoke(ctx: Ctx, id: str) -> None:
    """End a grant at once, by its id or its source. Of one that is gone already: nothing."""
    patient = await relations.revoke_grant(ctx.sql, ctx.tenant, id, ctx.clock.now())
    if patient is not None:
        ctx.trail.patients.setdefault(patient, set()).add("U")
    ctx.trail.wrote = True


async def persons(ctx: Ctx, ids: Iterable[str]) -> dict[str, Person]:
    """These people by id, active or not, read at once; who is not here is left out."""
    return {one.id: one for one in await store.persons(ctx.sql, ctx.tenant, sorted(set(ids)))}
