"""Whom a patient lets in, and which of them Bedside tells of alarms: off until the patient says so.

What they may do is a Consent of the record, written by the caller in the same transaction, which grants it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from bedside.access.model.people import STAFF, Caregiver, NewPerson, Person
from bedside.access.service.clinic import clinic
from bedside.access.service.decide import authorise
from bedside.access.service.people import add_person, person
from bedside.access.service.sign_in import INVITATION, send_link
from bedside.access.store import credentials
from bedside.access.store import people as people_store
from bedside.access.store import relations as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

ALARM = "alarm"
"""What a grant has to open for its caregiver to be told of alarms: they must be able to read what it is about."""


def reads_alarms(one: Caregiver) -> bool:
    """Whether a grant lets its caregiver read alarms."""
    return "R" in one.actions and bool(one.what & {"*", ALARM})


async def of_patient(ctx: Ctx, patient: str) -> list[Caregiver]:
    """Whom the patient's grants let in now, one a person, the widest of their grants. Raises Forbidden."""
    await authorise(ctx, patient, "R", what="Consent")
    found: dict[str, Caregiver] = {}
    writes: dict[str, set[str]] = {}
    for one in await store.caregivers(ctx.sql, ctx.tenant, patient, ctx.clock.now()):
        if "C" in one.actions:
            writes.setdefault(one.person, set()).update(one.what)
        known = found.get(one.person)
        if known is None or (reads_alarms(one) and not reads_alarms(known)):
            found[one.person] = one
    return [replace(one, acts=_acts(writes.get(one.person, set()))) for one in found.values()]


def _acts(writes: set[str]) -> Literal["look", "write", "act"]:
    return "act" if writes & {"*", "reading"} else "write" if writes else "look"


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


@dataclass(frozen=True, slots=True)
class LetIn:
    """Whom a patient lets in. link: by which they set up how they sign in; None: they have a way in already."""

    person: Person
    link: str | None


async def account(
    ctx: Ctx, patient: str, *, name: str, email: str, language: str | None = None, by_mail: bool = True
) -> LetIn:
    """The account of whoever a patient lets in: theirs who has this e-mail, or a new one of this name. They are told
    there, with a link where they have never come in. by_mail: whether a notice may carry it.

    Whoever asks must not tell the patient whether the account was there. Raises Forbidden; Conflict (where: email) for
    the patient's own address or a colleague's, whose account opens no record at home.
    """
    await authorise(ctx, patient, "C", what="Consent")
    if ctx.trail.emergency:
        ctx.trail.refused = "a caregiver by emergency access"
        raise Forbidden(
            "Emergency access opens the record, and lets nobody else in.", remedy="Ask whoever takes care of them."
        )
    who = next(iter(await people_store.persons_at(ctx.sql, ctx.tenant, email=email, phone=None)), None)
    if who is None:
        ours = await clinic(ctx)
        who = await add_person(
            ctx,
            NewPerson(
                name=name,
                roles=frozenset({"caregiver"}),
                email=email,
                language=language or (ours.language if ours else "en"),
                units=ours.units if ours else "metric",
                zone=ours.zone if ours else "UTC",
            ),
        )
    elif who.patient == patient:
        raise Conflict("This is the patient's own address.", where="email")
    elif who.roles & STAFF:
        raise Conflict(
            "This address cannot be used here.", where="email", remedy="Ask them for another one of their own."
        )
    elif "caregiver" not in who.roles:
        await people_store.appoint(ctx.sql, ctx.tenant, who.id, who.name, sorted(who.roles | {"caregiver"}))
        who = await person(ctx, who.id)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{who.id}")
    # Another patient's first link is handed over by the staff who know that patient.
    if who.patient is None and not await credentials.came_in(ctx.sql, who.id):
        return LetIn(who, await send_link(ctx, who, "invitation", INVITATION, "email" if by_mail else None))
    await enqueue(ctx, "messaging.send", {"id": uuid7(), "person": who.id, "template": "access.let-in", "data": {}})
    return LetIn(who, None)


async def granted_by(ctx: Ctx, source: str) -> set[tuple[str, str]]:
    """Patient and person of each grant that a Consent made. Callers write that Consent: this asks no policy."""
    return set(await store.granted_by(ctx.sql, ctx.tenant, source))


async def ends(ctx: Ctx, patient: str, person: str) -> list[datetime | None]:
    """When each grant ends by which the patient lets this person in; None: it is open; nothing: they are out. Callers
    write what made the grants: this asks no policy."""
    return await store.ends_of_grants(ctx.sql, ctx.tenant, patient, person, ctx.clock.now())


async def take_back(ctx: Ctx, patient: str, person: str) -> list[str]:
    """Nothing lets this person in any longer, at once. The ids of the Consents that did: the caller ends them too.

    Raises Forbidden, NotFound.
    """
    await authorise(ctx, patient, "U", what="Consent")
    sources = await store.sources_of_grants(ctx.sql, ctx.tenant, patient, person, ctx.clock.now())
    if not sources:
        raise NotFound("You have not let this person in.")
    for source in sources:
        await store.revoke_from(ctx.sql, ctx.tenant, person, source, ctx.clock.now())
    await store.set_alerts(ctx.sql, ctx.tenant, patient, person, ctx.clock.now(), on=False)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{person}")
    return [one.removeprefix("Consent/") for one in sources if one.startswith("Consent/")]
