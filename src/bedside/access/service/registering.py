"""Taking a patient in: who registered them, who takes care of them from now on, and where they are watched."""

from __future__ import annotations

from bedside.access.model.people import Person
from bedside.access.service.people import people, place_patient, places, relate
from bedside.access.store import relations as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid

CARING = frozenset({"clinician", "nurse"})


def source(patient: str) -> str:
    """Of the relations that a registration makes."""
    return f"Patient/{patient}"


async def begin(ctx: Ctx, patient: str) -> bool:
    """Of two that register the same new id the second waits here. Whether the actor has registered it already: the
    form was sent twice."""
    await store.claim_registration(ctx.sql, ctx.tenant, patient)
    return await mine(ctx, patient)


async def mine(ctx: Ctx, patient: str) -> bool:
    """Whether the actor registered this patient."""
    found = await store.relations(ctx.sql, ctx.tenant, ctx.clock.now(), patient=patient, person=ctx.actor.id)
    return any(one.source == source(patient) for one in found)


async def clinicians(ctx: Ctx) -> list[Person]:
    """Into whose care somebody may be given."""
    return await people(ctx, role="clinician")


async def take_in(ctx: Ctx, patient: str, *, clinician: str | None = None, place: str | None = None) -> None:
    """From now on the patient is in the care of whoever registered them, of the clinician, and watched in the place.

    In the transaction that makes their record. What an administrator is bound by opens nothing to them, and says that
    it was they. Raises Invalid where nobody at all would take care of them: nobody would ever find them.
    """
    if clinician is not None and clinician not in {one.id for one in await clinicians(ctx)}:
        raise Invalid("Choose a clinician of the list.", where="clinician")
    if place is not None and place not in {one.id for one in await places(ctx) if one.kind != "pharmacy"}:
        raise Invalid("Choose a ward or a programme of the list.", where="place")
    if clinician is None and place is None and not ctx.actor.roles & CARING:
        raise Invalid(
            "Nobody would take care of this patient, and nobody find them.",
            where="clinician",
            remedy="Choose a clinician, or where they are watched.",
        )
    for who in dict.fromkeys(filter(None, (ctx.actor.id, clinician))):
        await relate(ctx, person=who, patient=patient, kind="care", source=source(patient))
    if place is not None:
        await place_patient(ctx, patient, place)
