"""Who answers for a patient, and who instead of whom is away."""

from __future__ import annotations

from bedside import access
from bedside.foundation.context import Ctx
from bedside.messaging.threads.model.thread import Answerer, Away, Thread
from bedside.messaging.threads.service.finding import CLINIC, WHAT
from bedside.messaging.threads.store import choices as store

NEAR = frozenset({"care", "visit", "alarm"})
"""Relations in which somebody may answer."""
CHAIN = 3
"""Substitutes of substitutes: more is nobody."""


async def answerers(ctx: Ctx, patient: str, thread: Thread | None = None) -> list[Answerer]:
    """Who is responsible: who has taken the thread; else those in whose care the patient is and the first step on duty
    where they are watched. Each who is away is replaced by who stands in. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what=WHAT)
    team, reach = await _team(ctx, patient)
    # Who has taken it and may see the patient no longer holds nothing.
    asked = [thread.assigned] if thread and thread.assigned in reach else team
    found: dict[str, Answerer] = {}
    for person in asked:
        one = await _now(ctx, person) if person else None
        if one is not None and (one.person not in found or one.instead_name):
            found[one.person] = one
    if asked is not team and not found:
        return await answerers(ctx, patient)  # nor does who works here no longer
    return list(found.values())


async def _team(ctx: Ctx, patient: str) -> tuple[list[str], set[str]]:
    """Whom to ask first, and all who may come near."""
    related = [one for one in await access.relations_of(ctx, patient=patient) if one.kind in NEAR]
    team = [one.person for one in related if one.kind == "care"]
    reach = {one.person for one in related}
    for bed in await access.places_of(ctx, patient):
        duties = [one for one in await access.on_duty(ctx, place=bed.place) if one.role in CLINIC]
        first = min((one.step for one in duties), default=0)
        team += [one.person for one in duties if one.step == first]
        reach |= {one.person for one in duties}
    return list(dict.fromkeys(team)), reach


async def _now(ctx: Ctx, person: str) -> Answerer | None:
    """The person, or who stands in at the end of the chain; None for who works here no longer."""
    first = await access.person(ctx, person)
    one, instead, until = first, "", None
    for _ in range(CHAIN):
        away = await away_now(ctx, one.id)
        if away is None:
            break
        instead, until = first.name, until or away.until
        one = await access.person(ctx, away.substitute)
    if not one.active or not one.roles & CLINIC:
        return None
    return Answerer(one.id, one.name, instead, until)


async def away_now(ctx: Ctx, person: str) -> Away | None:
    """The absence of a person at this moment: said for messages, else by the rota."""
    now = ctx.clock.now()
    for one in await store.aways(ctx.sql, ctx.tenant, now, now, involving=[person]):
        if one.person == person:
            return one
    by_rota = await access.rota.stands_in(ctx, person)
    if by_rota is None:
        return None
    return Away("", person, by_rota.name, by_rota.by, by_rota.by_name, by_rota.since, by_rota.until)


async def colleagues(ctx: Ctx) -> list[access.Person]:
    """To whom one can hand a thread, or whom one can name as a substitute. Raises Forbidden."""
    await access.require(ctx, *CLINIC)
    return [one for one in await access.people(ctx) if one.roles & CLINIC and one.active]


async def let_in(ctx: Ctx, patient: str, answerer: Answerer) -> None:
    """Who stands in for messages is let in while they do, and a day longer: what came last is still to be read."""
    now = ctx.clock.now()
    for one in await store.aways(ctx.sql, ctx.tenant, now, now, involving=[answerer.person]):
        if one.substitute == answerer.person:
            await access.relate(
                ctx,
                person=answerer.person,
                patient=patient,
                kind="care",
                source=f"away/{one.id}",
                until=one.until,
                reason=f"Answers messages instead of {one.name}",
            )
