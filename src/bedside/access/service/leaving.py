"""Somebody works here no longer: what they have in hand of access, and how all of it ends in one transaction.

The other rooms hand on what is theirs (alarms, visits, notes, refills) in that transaction: web/admin/leaving.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bedside.access.model.people import Duty, Person
from bedside.access.service.decide import require
from bedside.access.service.people import person, relate
from bedside.access.service.rota import duties_of
from bedside.access.store import credentials, relations, sessions
from bedside.access.store import people as people_store
from bedside.access.store import rota as rota_store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid
from bedside.foundation.ids import uuid7

CARE = frozenset({"clinician", "nurse"})


@dataclass(frozen=True, slots=True)
class InHand:
    """What ends with an account. patients: how many are in their care. sessions: where they are signed in now. only:
    how many of the patients nobody else would look after, whose results nobody would see."""

    duties: tuple[Duty, ...]
    patients: int
    sessions: int
    only: int


async def in_hand(ctx: Ctx, id: str) -> InHand:
    """Of somebody who may leave; counts, no patients. An administrator's. Raises Forbidden."""
    await require(ctx, "administrator")
    now = ctx.clock.now()
    stand = await relations.relations(ctx.sql, ctx.tenant, now, patient=None, person=id)
    care = {one.patient for one in stand if one.kind == "care"}
    opened = await sessions.of_person(ctx.sql, ctx.tenant, id, now)
    return InHand(tuple(await duties_of(ctx, id)), len(care), len(opened), await _only(ctx, await person(ctx, id)))


def takers(who: Person) -> frozenset[str]:
    """Who can look after the patients that somebody leaves: a clinician's results are a clinician's to see."""
    return frozenset({"clinician"}) if "clinician" in who.roles else CARE if "nurse" in who.roles else frozenset()


async def _only(ctx: Ctx, who: Person) -> int:
    roles = takers(who)
    if not roles:
        return 0
    placed = "clinician" not in who.roles  # being on duty opens a ward to nurses alone
    return await relations.only_theirs(ctx.sql, ctx.tenant, who.id, ctx.clock.now(), sorted(roles), placed=placed)


async def leave(ctx: Ctx, id: str, *, to: str | None) -> Person:
    """End an account: sessions, links, passkeys, password, relations, all at once; open pages close after the commit.

    to: who takes over the patients in their care and the duties of a role they have too. Without one those duties stay
    as they are planned, and so are gaps that the administrator's first page names (decision 0024). An administrator's.
    Raises Forbidden, NotFound, Conflict for an account that has ended or patients whom nobody would look after, Invalid
    for one's own.
    """
    await require(ctx, "administrator")
    if id == ctx.actor.id:
        raise Invalid("You cannot end your own account.", remedy="Ask another administrator.")
    await rota_store.lock_people(ctx.sql, ctx.tenant, sorted({id, to or id}))
    who = await person(ctx, id)
    if not who.active:
        raise Conflict("This account has ended already.")
    now = ctx.clock.now()
    other = await successor(ctx, who, to) if to is not None else None
    if await _only(ctx, who) and (other is None or not other.roles & takers(who)):
        raise Conflict(
            "Patients of theirs would be in nobody's care.", where="to", remedy="Choose who takes them over."
        )
    if other is not None:
        await _take_over(ctx, who, other)
    await relations.end_all_of(ctx.sql, ctx.tenant, id, now)
    await sessions.end(ctx.sql, ctx.tenant, id, now)
    await credentials.drop_secrets(ctx.sql, id, "password", "pin", "totp", "passkey")
    await credentials.drop_one_time(ctx.sql, id, *credentials.ONE_TIME)
    await credentials.drop_printed(ctx.sql, id)
    await people_store.change_person(ctx.sql, ctx.tenant, id, {"active": False})
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{id}")
    ctx.then(lambda: ctx.bus.publish(f"access.ended.{ctx.tenant}.{id}", {}))
    return who


async def successor(ctx: Ctx, who: Person, to: str) -> Person:
    """Who takes over. Raises Invalid for somebody who cannot, NotFound."""
    other = await person(ctx, to)
    if to == who.id or not other.active:
        raise Invalid("Choose somebody else who works here.", where="to")
    return other


async def _take_over(ctx: Ctx, who: Person, other: Person) -> None:
    now = ctx.clock.now()
    for duty in await duties_of(ctx, who.id):
        if duty.role in other.roles:
            begun = min(duty.since, now)
            await rota_store.put_duty(ctx.sql, ctx.tenant, replace(duty, since=begun, until=now))
            taken = replace(duty, id=uuid7(), person=other.id, name=other.name, since=max(duty.since, now))
            await rota_store.put_duty(ctx.sql, ctx.tenant, taken)
            ctx.trail.entities += [f"duty/{duty.id}", f"duty/{taken.id}"]
    if other.roles & CARE:
        for one in await relations.relations(ctx.sql, ctx.tenant, now, patient=None, person=who.id):
            if one.kind == "care":
                await relate(ctx, person=other.id, patient=one.patient, kind="care", source=one.source)
