"""Step-up: the person shows again that it is them, before they sign, acknowledge at a wall, or break the glass."""

from __future__ import annotations

from functools import partial

from bedside.access import settings
from bedside.access.model.people import Person
from bedside.access.model.sign_in import Proof
from bedside.access.service import keys, limits, passkeys
from bedside.access.service.actors import actor_of, purpose_of
from bedside.access.service.decide import require
from bedside.access.service.people import people, person, relate
from bedside.access.store import credentials as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid, SignInNeeded
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

MATCH = "That did not match who you are."
PIN = 6
"""Digits of a PIN; it is good at walls only, 5 tries in 5 minutes."""


async def confirm(ctx: Ctx, proof: Proof) -> Ctx:
    """Check the proof, in an open work. Returns the ctx to go on with: at a wall it acts as the person who confirmed.

    A PIN is good only at a wall. Raises Forbidden, TooMany; each miss counts though the work rolls back.
    """
    if ctx.actor.kind != "person":
        raise SignInNeeded("Sign in first.")
    wall = "display" in ctx.actor.roles
    if wall and proof.person is None:
        raise Invalid("Say who you are.", where="person")
    if not wall and proof.person not in (None, ctx.actor.id):
        raise _no(ctx, "somebody else's proof")
    who = await person(ctx, proof.person or ctx.actor.id)
    await limits.check(ctx, "confirm", who.id)
    if not await _shows(ctx, who, proof, wall=wall):
        ctx.trail.after_rollback.append(partial(limits.spend_quietly, ctx, "confirm", who.id))
        raise _no(ctx, f"confirm by {proof.kind}")
    if not wall:
        return ctx
    ctx.trail.actor = actor_of(who, ctx.actor.session)
    return ctx.with_(actor=ctx.trail.actor, purpose=purpose_of(who.roles))


async def _shows(ctx: Ctx, who: Person, proof: Proof, *, wall: bool) -> bool:
    if not who.active or "display" in who.roles:
        return False
    if proof.kind == "passkey":
        try:
            whose, asked = await passkeys.verify(ctx, proof.secret, "confirm")
        except Forbidden:
            return False
        return whose == who.id == asked
    if proof.kind == "pin" and not wall:
        return False
    return await keys.matches(proof.secret, await store.secret(ctx.sql, who.id, proof.kind))


def _no(ctx: Ctx, why: str) -> Forbidden:
    ctx.trail.refused = why
    return Forbidden(MATCH, remedy="Try again, or use your passkey.")


async def set_pin(ctx: Ctx, pin: str, proof: Proof) -> None:
    """Set one's own PIN for walls, after a step-up. Raises Invalid, Forbidden."""
    await confirm(ctx, proof)
    if not pin.isdecimal() or len(pin) < PIN or len(set(pin)) < 3:
        raise Invalid(
            "A PIN has at least %(digits)s digits, of at least three different ones.", where="pin", digits=PIN
        )
    await store.put_secret(ctx.sql, ctx.actor.id, "pin", await keys.hashed(pin), ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")


async def break_glass(ctx: Ctx, patient: str, reason: str, proof: Proof) -> None:
    """Emergency access (45 CFR 164.312(a)(2)(ii)): a stated reason and a step-up open a relation for some hours.

    The privacy officers are told by a job of the same transaction, and the patient reads it in who looked.
    Raises Forbidden unless a clinician or nurse asks; Invalid without a reason.
    """
    await require(ctx, "clinician", "nurse")
    if len(reason.strip()) < 10:
        raise Invalid("Say in a few words why you need this record now.", where="reason")
    ctx.trail.patients.setdefault(patient, set()).add("E")
    await confirm(ctx, proof)
    until = ctx.clock.now() + settings.of(ctx.database).emergency
    source = f"emergency/{uuid7()}"
    await relate(
        ctx, person=ctx.actor.id, patient=patient, kind="emergency", source=source, until=until, reason=reason.strip()
    )
    ctx.trail.action = "opened the record in an emergency"
    ctx.trail.entities.append(source)
    officers = await people(ctx, role="privacy-officer") or await people(ctx, role="administrator")
    for officer in officers:
        await enqueue(
            ctx,
            "messaging.send",
            {
                "id": uuid7(),
                "person": officer.id,
                "template": "access.emergency",
                "data": {"name": ctx.actor.name},
                "channel": "email",
            },
        )
