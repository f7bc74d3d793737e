"""Notices that did not arrive, or that nobody opened: work for a person, who sees to them by person.

Staff's are the administrators' work. A patient's, and those of whom a patient let in, are the work of clinicians and
nurses who may read that patient: that somebody is a patient is clinical, and an administrator learns only how many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from bedside.messaging import settings, store
from bedside.messaging.model.notice import CHANNELS, CLOSED, Sent, Standing
from bedside.messaging.model.numbers import e164
from bedside.messaging.model.templates import secret, words
from bedside.messaging.service.routing import address, route
from bedside.messaging.service.sending import keep

STAFF = frozenset({"clinician", "nurse", "pharmacist", "administrator", "privacy-officer"})
CARE = ("clinician", "nurse")
MOST_FAILING = store.MOST_FAILING
UNDO = timedelta(seconds=30)
ADDRESS_CHANGED = "access.address-changed"


@dataclass(frozen=True, slots=True)
class Failing:
    """Somebody who was not reached. patients: whose they are; none of staff. correctable: whether the actor may write
    another address of theirs."""

    person: access.Person
    patients: tuple[str, ...]
    notices: tuple[Sent, ...]
    correctable: bool

    @property
    def staff(self) -> bool:
        """Whether they work here."""
        return bool(self.person.roles & STAFF)

    @property
    def wrong_address(self) -> bool:
        """Whether another address would help."""
        return any(one.reason in {"no-such-address", "number", "no-address"} for one in self.notices)

    @property
    def again(self) -> bool:
        """Whether any may be sent a second time: what lets somebody in is made anew where it came from."""
        return any(not secret(one.template) for one in self.notices)


async def failing(ctx: Ctx) -> tuple[list[Failing], int]:
    """Whom the actor has to see to, the longest unreached first; and how many notices are the work of others.

    Raises Forbidden.
    """
    mine, others = await _sorted_out(ctx)
    for one in mine:
        for patient in one.patients:
            ctx.trail.patients.setdefault(patient, set()).add("R")
    return mine, others


async def to_see_to(ctx: Ctx) -> tuple[int, int]:
    """How many notices are the actor's work, and how many that of others. Raises Forbidden."""
    mine, others = await _sorted_out(ctx)
    return sum(len(one.notices) for one in mine), others


async def _sorted_out(ctx: Ctx) -> tuple[list[Failing], int]:
    await access.require(ctx, "administrator", *CARE)
    by_person: dict[str, list[Sent]] = {}
    for notice in await store.failing(ctx.sql, ctx.tenant):
        by_person.setdefault(notice.person, []).append(notice)
    mine: list[Failing] = []
    others = 0
    if not by_person:
        return mine, others
    # Asked at once, however many were not reached: the work list counts them on each look.
    sees, people = await _sees(ctx), await access.persons(ctx, by_person)
    whose = await access.caregivers.stand_for(ctx, (one for one in people.values() if not one.roles & STAFF))
    administers = "administrator" in ctx.actor.roles
    waited = frozenset(await access.invited.waited_for(ctx)) if administers else frozenset()
    for id_, notices in by_person.items():
        person = people.get(id_)
        if person is None or not person.active:
            continue
        patients = whose.get(id_, frozenset())
        if administers if person.roles & STAFF else sees is None or patients & sees:
            shown = patients if sees is None else patients & sees
            mine.append(Failing(person, tuple(sorted(shown)), tuple(notices), _correctable(person, waited)))
        else:
            others += len(notices)
    return mine, others


def _correctable(person: access.Person, waited: frozenset[str]) -> bool:
    """Of staff only who never signed in: whoever could set another's address could have their link sent to themselves,
    and come in as them. waited: those who have not come in yet."""
    return not person.roles & STAFF or person.id in waited


async def _sees(ctx: Ctx) -> frozenset[str] | None:
    return await access.visible(ctx, "Patient") if ctx.actor.roles.intersection(CARE) else frozenset()


async def _patients(ctx: Ctx, person: access.Person) -> frozenset[str]:
    return frozenset() if person.roles & STAFF else await access.caregivers.stands_for(ctx, person)


async def _of(ctx: Ctx, id: str) -> tuple[access.Person, list[Sent]]:  # noqa: A002
    """Somebody whom the actor has to see to, with their notices. Raises Forbidden, NotFound."""
    await access.require(ctx, "administrator", *CARE)
    person = await access.person(ctx, id)
    patients = await _patients(ctx, person)
    if person.roles & STAFF:
        await access.require(ctx, "administrator")
    else:
        sees = await _sees(ctx)
        if sees is not None and not patients & sees:
            ctx.trail.refused = "notices"
            raise NotFound("There is no such person.")
        for patient in patients if sees is None else patients & sees:
            ctx.trail.patients.setdefault(patient, set()).add("U")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{id}")
    return person, await store.failing(ctx.sql, ctx.tenant, person=id)


async def seen_to(ctx: Ctx, person: str, ids: Sequence[str], how: str) -> None:
    """These notices of a person are no work any more. how: of CLOSED. Raises Forbidden, NotFound, Invalid."""
    if how not in CLOSED or how == "again":
        raise Invalid("Say what was done.", where="how")
    await _of(ctx, person)
    await store.close(ctx.sql, ctx.tenant, person, ids, ctx.clock.now(), ctx.actor.id, how)


async def not_seen_to(ctx: Ctx, person: str) -> None:
    """A slip: what the actor closed last of this person's is work again. Within UNDO; else raises Conflict.

    Raises Forbidden, NotFound.
    """
    await _of(ctx, person)
    if not await store.reopen(ctx.sql, ctx.tenant, person, ctx.actor.id, ctx.clock.now() - UNDO):
        raise Conflict("There is nothing to undo any more.")


async def send_again(ctx: Ctx, person: str, ids: Sequence[str]) -> int:
    """Those of these notices that may be, to where the person is told now, at once; how many.

    Several that say the same go once. Raises Forbidden, NotFound; Conflict where there is nothing to send.
    """
    who, notices = await _of(ctx, person)
    chosen = [one for one in notices if one.id in ids and one.text and not secret(one.template)]
    if not chosen:
        raise Conflict("None of these can be sent again.", remedy="Make a new link where it came from.")
    to = await route(ctx, who, None)
    if to is None:
        raise Conflict("There is no address to send to.", remedy="Ask for one, and write it here first.")
    for subject, text, template in {(one.subject, one.text or "", one.template) for one in chosen}:
        await keep(ctx, who, template, (subject, text), to, urgent=True)
    await store.close(ctx.sql, ctx.tenant, person, [one.id for one in chosen], ctx.clock.now(), ctx.actor.id, "again")
    return len(chosen)


async def correct(ctx: Ctx, person: str, email: str, phone: str) -> None:
    """Another address of a patient, of whom they let in, or of a colleague who never signed in; whoever was told by the
    old one is told of the change. Any other colleague changes their own (`reach_me`).

    Raises Forbidden, NotFound, Invalid, Conflict.
    """
    who, notices = await _of(ctx, person)
    waited = frozenset(await access.invited.waited_for(ctx)) if who.roles & STAFF else frozenset()
    if not _correctable(who, waited):
        raise Forbidden("Colleagues change their own address, under My account.")
    changes = reach(email, phone)
    await _tell_of_change(ctx, who, notices)
    await access.change_person(ctx, who.id, **changes)


async def reach_me(ctx: Ctx, email: str, phone: str, proof: access.Proof) -> None:
    """One's own e-mail and telephone; the old address is told. Raises Forbidden, Invalid, Conflict, TooMany."""
    await access.require(ctx, *STAFF)
    changes = reach(email, phone)
    await access.confirm(ctx, proof)
    who = await access.person(ctx, ctx.actor.id)
    await _tell_of_change(ctx, who, await store.failing(ctx.sql, ctx.tenant, person=who.id))
    await access.change_person(ctx, who.id, **changes)


async def reach_again(ctx: Ctx, email: str, phone: str) -> None:
    """A patient's own e-mail and telephone, by whoever the clinic has just let in again; the old address is told.

    Raises Forbidden, Invalid, Conflict.
    """
    if await access.recovery.fresh(ctx) is None:
        ctx.trail.refused = "address"
        raise Forbidden("Too much time has gone by since the clinic let you in.", remedy="Ask the clinic to change it.")
    changes = reach(email, phone)
    who = await access.person(ctx, ctx.actor.id)
    if changes == {"email": who.email, "phone": who.phone}:
        return
    await _tell_of_change(ctx, who, await store.failing(ctx.sql, ctx.tenant, person=who.id))
    await access.change_person(ctx, who.id, **changes)


async def _tell_of_change(ctx: Ctx, who: access.Person, notices: Sequence[Sent]) -> None:
    """At every address that is known until now and reaches them: who did not ask for this learns of it."""
    dead = {one.address for one in notices if one.state in {"refused", "bounced"}}
    for channel in CHANNELS:
        where = address(who, channel)
        if where and where not in dead and settings.of(ctx.database).leads_out(channel):
            said = words(ADDRESS_CHANGED, who.language).filled({})
            await keep(ctx, who, ADDRESS_CHANGED, said, (channel, where), urgent=True)


def reach(email: str, phone: str) -> dict[str, str | None]:
    """What was typed, as it is kept. Raises Invalid."""
    email, phone = email.strip(), phone.strip()
    name, _, domain = email.partition("@")
    if email and (not name or "." not in domain or "@" in domain or any(one.isspace() for one in email)):
        raise Invalid("That is no e-mail address.", where="email")
    number = e164(phone) if phone else None
    if phone and number is None:
        raise Invalid(
            "That is no telephone number in international form.",
            where="phone",
            remedy="Write it with + and the country's number, as +34 600 000 000.",
        )
    return {"email": email or None, "phone": number}


async def standing(ctx: Ctx) -> Standing:
    """How notices stand, in numbers. An administrator's, or the operator's. Raises Forbidden."""
    if ctx.actor.kind != "job":
        await access.require(ctx, "administrator")
    return await store.standing(ctx.sql, ctx.tenant, ctx.clock.now())
