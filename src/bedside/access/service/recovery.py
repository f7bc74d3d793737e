"""A patient who lost everything is let in again by a code that staff hand out: at the desk, having seen a document, or
on the telephone, having called the number of the record.

The code is good once, for minutes, and only with the birth date of the record. It is kept as a digest. What they signed
in with before stops working, every session ends, and they are told of both by every channel that is known.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime

from bedside.access import settings
from bedside.access.model.people import STAFF, Person
from bedside.access.model.recovery import (
    ASKED,
    DEEDS,
    DIGITS,
    DOCUMENTS,
    FRESH,
    LASTS,
    QUESTIONS,
    TRIES,
    UNCHANGED,
    Call,
    HandedOut,
    LetIn,
    too_new,
)
from bedside.access.model.sign_in import Proof, SignedIn
from bedside.access.service import keys, limits
from bedside.access.service.actors import actor_of
from bedside.access.service.confirm import confirm
from bedside.access.service.decide import authorise, require
from bedside.access.service.people import person, person_of_patient
from bedside.access.service.sessions import open_session
from bedside.access.service.sign_in import even, forget_all, refuse
from bedside.access.service.unit import work
from bedside.access.store import recovery as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

__all__ = ["DOCUMENTS", "QUESTIONS", "Call", "HandedOut", "LetIn", "account", "fresh", "hand_out", "too_new", "use"]


async def account(ctx: Ctx, patient: str) -> Person:
    """The account of a patient whom the actor may let in again. Raises Forbidden; Conflict where there is none."""
    await require(ctx, "clinician", "nurse")
    await authorise(ctx, patient, "U", what="Patient")
    if ctx.trail.emergency:
        # Somebody who opened a record for four hours would come in as the patient for ever.
        ctx.trail.refused = "a sign-in code by emergency access"
        raise Forbidden(
            "Emergency access opens the record, and lets nobody in as the patient.",
            remedy="Ask whoever takes care of them.",
        )
    who = await person_of_patient(ctx, patient)
    if who is None:
        raise Conflict("This patient has no account yet.", remedy="Invite them to sign in instead.")
    if who.roles & STAFF:
        # A colleague has a second factor, which no desk takes away.
        raise Conflict(
            "This patient works here and signs in as a colleague.", remedy="An administrator begins anew for them."
        )
    return who


async def hand_out(
    ctx: Ctx, patient: str, *, birth: str, how: str, proof: Proof, call: Call | None = None
) -> HandedOut:
    """A code for a patient, in a work of its own. birth: of the record, as 1951-03-02. how: of DOCUMENTS, or 'call'.

    An earlier code ends. Raises Forbidden, Invalid, Conflict, TooMany.
    """
    if how not in DOCUMENTS and (how != "call" or call is None):
        raise Invalid("Say what you have seen.", where="how")
    await limits.spend(ctx, "handing-out", ctx.actor.id)
    async with work(ctx, DEEDS[how]) as inner:
        inner.trail.patients.setdefault(patient, set()).add("U")  # who is refused stands in their audit, too
        who = await account(inner, patient)
        now = inner.clock.now()
        if call is not None:
            _certain(call, now)
        if len(birth) != len("1951-03-02"):
            raise Conflict(
                "The record holds no whole birth date, which is typed with the code.",
                remedy="Correct the record first.",
            )
        await limits.check(inner, "handed-out", patient)
        await confirm(inner, proof)
        code, id_ = await _kept(inner, who, patient, birth, how, now), f"person/{who.id}"
        await _tell(inner, who, "access.code-handed-out", inner.actor.name)
        inner.trail.wrote = True
        inner.trail.entities += [id_, *(f"asked/{one}" for one in sorted(call.asked if call else ()))]
    await limits.spend_quietly(ctx, "handed-out", patient)
    return HandedOut(code, now + LASTS, who.name, who.language)


def _certain(call: Call, now: datetime) -> None:
    """On the telephone: a number that is not new, and answers that a stranger does not have."""
    if too_new(call.since, now):
        raise Conflict(
            "This number came into the record less than %(days)s days ago: nobody is let in by a call to it.",
            remedy="Ask them to come to the desk with an identity document.",
            where="number",
            days=UNCHANGED.days,
        )
    if len(call.asked & set(QUESTIONS)) < ASKED:
        raise Invalid("At least %(least)s of the questions are answered right.", where="asked", least=ASKED)


async def _kept(ctx: Ctx, who: Person, patient: str, birth: str, how: str, now: datetime) -> str:
    home = settings.of(ctx.database).home
    while True:
        code, id_ = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}", uuid7()
        row = {"id": id_, "person": who.id, "patient": patient, "how": how, "made": now, "expires": now + LASTS}
        row |= {"by": ctx.actor.id, "by_name": ctx.actor.name}
        row |= {"digest": keys.keyed(home, "recovery", code), "knows": keys.keyed(home, "knows", id_, birth)}
        if await store.insert(ctx.sql, ctx.tenant, row):
            return code


async def _tell(ctx: Ctx, who: Person, template: str, name: str) -> None:
    """By every channel: one of them may be in the wrong hands, which is why they lost it."""
    data = {"id": uuid7(), "person": who.id, "template": template, "data": {"name": name}, "everywhere": True}
    await enqueue(ctx, "messaging.send", data)


async def use(ctx: Ctx, code: str, birth: str, *, agent: str = "") -> SignedIn:
    """In, by a code and the birth date (1951-03-02). Raises Forbidden (always the same words), TooMany."""
    await limits.spend(ctx, "recovery", ctx.origin)
    typed = "".join(one for one in code if one.isdecimal())[:64]
    home, now = settings.of(ctx.database).home, ctx.clock.now()
    digest = keys.keyed(home, "recovery", typed)
    async with even(ctx):
        # Counted in a transaction of its own: however many guess at once, TRIES of them are compared.
        async with ctx.database.transaction() as sql:
            found = await store.tried(sql, ctx.tenant, digest, now, TRIES)
        async with work(ctx, "came in again by a code of the clinic") as inner:
            if found is None:
                raise refuse(inner, "recovery code")
            inner.trail.patients.setdefault(found.patient, set()).add("U")
            if not hmac.compare_digest(keys.keyed(home, "knows", found.id, birth.strip()), found.knows):
                raise refuse(inner, "birth date with a recovery code")
            if not await store.take(inner.sql, inner.tenant, found.id, now):
                raise refuse(inner, "recovery code")
            who = await person(inner, found.person)
            if not who.active or who.roles & STAFF:
                raise refuse(inner, "recovery code")
            inner.trail.actor = actor_of(who, None)
            await forget_all(inner, who)
            done = await open_session(inner, who, agent=agent)
            await store.opened(inner.sql, found.id, done.session)
            await _tell(inner, who, "access.came-in-again", who.name)
            return done


async def fresh(ctx: Ctx) -> LetIn | None:
    """Who let the actor in just now, in this session: so long they say without more proof where they are reached."""
    if ctx.actor.kind != "person" or not ctx.actor.session:
        return None
    return await store.let_in(ctx.sql, ctx.tenant, ctx.actor.session, ctx.clock.now() - FRESH)
