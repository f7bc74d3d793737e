"""Whom a patient lets in, and which of them Bedside tells of alarms: off until the patient says so."""

from __future__ import annotations

from collections.abc import Iterable

from bedside.access.model.people import Caregiver, Person
from bedside.access.service.decide import authorise
from bedside.access.store import relations as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, NotFound

ALARM = "alarm"
"""What a grant has to open for its caregiver to be told of alarms: they must be able to read what it is about."""


def reads_alarms(one: Caregiver) -> bool:
    """Whether a grant lets its caregiver read alarms."""
    return "R" in one.actions and bool(one.what & {"*", ALARM})


async def of_patient(ctx: Ctx, patient: str) -> list[Caregiver]:
    """Whom the patient's grants let in now, one a person, the widest of their grants. Raises Forbidden."""
    await authorise(ctx, patient, "R", what="Consent")
    found: dict[str, Caregiver] = {}
    for one in await store.caregivers(ctx.sql, ctx.tenant, patient, ctx.clock.now()):
        known = found.get(one.person)
        if known is None or (reads_alarms(one) and not reads_alarms(known)):
            found[one.person] = one
    return list(found.values())


async def set_alerts(ctx: Ctx, patient: str, person: str, *, on: bool) -> None:
    """Whether a caregiver is told when there is an alarm: the patient's own word.

    Raises Forbidden, NotFound, Conflict.
    """
    if ctx.actor.reference != f"Patient/{patient}":
        ctx.trail.refused = "role"
        raise Forbidden("Only the patient decides this.")
    known = next((one for one in await of_patient(ctx, patient) if one.person == person), None)
    if known is None:
        raise NotFound("You have not let this person in.")
    if on and not reads_alarms(known):
        raise Conflict("This person may not read your alarms, so they cannot be told of them.")
    await authorise(ctx, patient, "U", what="Consent")
    await store.set_alerts(ctx.sql, ctx.tenant, patient, person, ctx.clock.now(), on=on)
    ctx.trail.entities.append(f"person/{person}")


async def alerted(ctx: Ctx, patient: str) -> list[str]:
    """The caregivers to tell of an alarm now: let in, able to read it, and named by the patient."""
    found = await store.caregivers(ctx.sql, ctx.tenant, patient, ctx.clock.now())
    return list(dict.fromkeys(one.person for one in found if one.alerts and reads_alarms(one)))


async def stands_for(ctx: Ctx, person: Person) -> frozenset[str]:
    """The patients whose account this is, or who let this person in now: who is answerable for reaching them."""
    found = set(await store.let_in_by(ctx.sql, ctx.tenant, person.id, ctx.clock.now()))
    return frozenset(found | {person.patient} if person.patient else found)


async def stand_for(ctx: Ctx, people: Iterable[Person]) -> dict[str, frozenset[str]]:
    """The same for several, by their ids, asked at once."""
    known = list(people)
    found = await store.let_in(ctx.sql, ctx.tenant, [one.id for one in known], ctx.clock.now())
    return {one.id: frozenset(found.get(one.id, set()) | ({one.patient} if one.patient else set())) for one in known}
