"""Beginning with a passkey: who was invited by a one-time link needs no password first.

A passkey with user verification is both factors. Only an invitation may be answered so, and only while the person has
no second factor: a link comes by e-mail, and must never stand in for a telephone or a key that somebody already has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bedside.access.model.people import NewPerson, Person
from bedside.access.model.sign_in import SignedIn
from bedside.access.service import keys, limits, passkeys
from bedside.access.service.actors import actor_of
from bedside.access.service.clinic import clinic
from bedside.access.service.decide import authorise, require
from bedside.access.service.people import add_person, change_person, person, person_of_patient
from bedside.access.service.registering import mine
from bedside.access.service.sessions import open_session
from bedside.access.service.sign_in import INVITATION, REFUSED, REMEDY, send_link
from bedside.access.service.unit import work
from bedside.access.store import credentials as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden


async def may_begin(ctx: Ctx, token: str) -> bool:
    """Whether this link may be answered with a passkey. Consumes nothing."""
    async with work(ctx, "opened a link", readonly=True) as inner:
        return await _whose(inner, token) is not None


async def _whose(ctx: Ctx, token: str) -> Person | None:
    id = await store.peek_one_time(ctx.sql, ctx.tenant, keys.digest(token), ["invitation"], ctx.clock.now())
    if id is None or await store.secret(ctx.sql, id, "totp") is not None or await store.passkeys(ctx.sql, id):
        return None
    who = await person(ctx, id)
    return who if who.active else None


async def waited_for(ctx: Ctx) -> list[str]:
    """Who has an account and has not yet set up how they sign in, the first added first; patients may not need to."""
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    return await store.without(ctx.sql, ctx.tenant)


async def options(ctx: Ctx, token: str) -> str:
    """What navigator.credentials.create needs, as JSON. The link stays good. Raises Forbidden, TooMany."""
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "began to add a passkey") as inner:
        return await passkeys.offer(inner, await _certain(inner, token))


async def with_passkey(ctx: Ctx, token: str, answer: str, label: str, *, agent: str = "") -> SignedIn:
    """Keep the passkey that the browser made, consume the link, and sign in.

    Raises Forbidden, TooMany; Invalid when the passkey cannot be checked: the link then stays good.
    """
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "added a passkey") as inner:
        who = await _certain(inner, token)
        inner.trail.actor = actor_of(who, None)
        # Consumed before the passkey is kept: of two at once one waits here, and then finds the link spent.
        if not await store.take_one_time(
            inner.sql, inner.tenant, keys.digest(token), ["invitation"], inner.clock.now()
        ):
            raise _refuse(inner)
        await passkeys.keep(inner, who, answer, label)
        return await open_session(inner, who, agent=agent)


async def _certain(ctx: Ctx, token: str) -> Person:
    who = await _whose(ctx, token)
    if who is None:
        raise _refuse(ctx)
    return who


def _refuse(ctx: Ctx) -> Forbidden:
    ctx.trail.refused = "link"
    return Forbidden(REFUSED, remedy=REMEDY)


State = Literal["none", "waiting", "set-up"]
"""Of a patient's own account: there is none, nobody has come in by it yet, or somebody has."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A patient's account and the link that was just made for it. told: a notice carries it to their e-mail.

    taken: the e-mail of the record is another account's, so that this one has none.
    """

    person: Person
    link: str
    told: bool
    taken: bool = False


async def patients_account(ctx: Ctx, patient: str) -> tuple[State, Person | None]:
    """Whether a patient signs in themselves. Raises Forbidden."""
    await _may_invite(ctx, patient)
    return await _account(ctx, patient)


async def _account(ctx: Ctx, patient: str) -> tuple[State, Person | None]:
    who = await person_of_patient(ctx, patient)
    if who is None:
        return "none", None
    return ("set-up" if await store.came_in(ctx.sql, who.id) else "waiting"), who


async def _may_invite(ctx: Ctx, patient: str) -> None:
    """Whoever may change the patient's record, or registered them."""
    if ctx.actor.kind == "person" and await mine(ctx, patient):
        ctx.trail.patients.setdefault(patient, set()).add("U")
        return
    await authorise(ctx, patient, "U", what="Patient")


async def invite_patient(
    ctx: Ctx,
    patient: str,
    *,
    name: str,
    email: str | None = None,
    phone: str | None = None,
    language: str | None = None,
    by_mail: bool = True,
) -> Invited:
    """A patient's own account, made where there is none, and the one-time link that sets up how they sign in.

    by_mail: whether a notice to their e-mail may carry it; else whoever asked hands it over. An earlier link ends. Only
    while nothing is set up: a link must never let somebody else in where the patient has signed in already.
    Raises Forbidden, Conflict.
    """
    await _may_invite(ctx, patient)
    state, who = await _account(ctx, patient)
    if state == "set-up":
        raise Conflict(
            "This patient signs in already.", remedy="Whoever cannot get in gets a link at the sign-in page."
        )
    taken = False
    if who is None:
        ours = await clinic(ctx)
        kept = NewPerson(
            name=name,
            roles=frozenset({"patient"}),
            patient=patient,
            language=language or (ours.language if ours else "en"),
            units=ours.units if ours else "metric",
            zone=ours.zone if ours else "UTC",
            phone=_dialled(phone),
        )
        who = await add_person(ctx, kept)
    if email and email.lower() != (who.email or "").lower():
        # Nobody has come in yet, so the newest address that the staff know is the one.
        try:
            who = await change_person(ctx, who.id, email=email)
        except Conflict:
            taken = True  # a couple's one address: it can let in only one of them
    told = by_mail and who.email is not None and not taken
    link = await send_link(ctx, who, "invitation", INVITATION, "email" if told else None)
    return Invited(who, link, told, taken)


def _dialled(phone: str | None) -> str | None:
    """As somebody who signs in by telephone is looked for: digits and a plus."""
    return "".join(one for one in phone or "" if one.isdigit() or one == "+") or None
