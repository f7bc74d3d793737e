"""More of a medicine: the patient asks; the prescriber renews, signed as any prescription, or refuses with a reason."""

from __future__ import annotations

import msgspec

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.foundation.ids import uuid7
from bedside.prescribing import store
from bedside.prescribing.model import Prescription, Refill, impossible
from bedside.prescribing.model.picture import refill_picture
from bedside.prescribing.model.refill import LONGEST


async def ask_refill(ctx: Ctx, prescription: str, note: str = "") -> Refill:
    """The patient, or who acts for them, asks. While one waits for its answer, asking again changes nothing.

    Raises NotFound, Forbidden, Invalid, and Conflict where it cannot be asked for, saying why.
    """
    await access.require(ctx, "patient", "caregiver")
    prior = await _prior(ctx, prescription, lock=True)
    await access.authorise(ctx, prior.draft.patient, "C", what="refill")
    if len(note.strip()) > LONGEST:
        raise Invalid("A note has at most %(most)s characters.", where="note", most=LONGEST)
    earlier = await store.refills_of(ctx, prior.draft.patient, prescription)
    if waiting := next((one for one in earlier if one.open), None):
        return waiting
    if why_not := impossible(prior, earlier, ctx.clock.now()):
        raise Conflict(why_not)
    asked = Refill(
        id=uuid7(),
        prescription=prior.id,
        patient=prior.draft.patient,
        prescriber=prior.prescriber,
        name=prior.name,
        state="asked",
        asked_at=ctx.clock.now(),
        asked_by_name=ctx.actor.name,
        asked_by_reference=ctx.actor.reference,
        note=note.strip(),
    )
    return await _keep(ctx, asked, prior)


async def refills(ctx: Ctx, patient: str) -> list[Refill]:
    """A patient's requests, newest first."""
    await access.authorise(ctx, patient, "R", what="refill")
    return await store.refills_of(ctx, patient)


async def refills_to_answer(ctx: Ctx) -> list[Refill]:
    """What waits for this clinician's answer, the oldest first: requests for what she prescribed."""
    await access.require(ctx, "clinician")
    found = await store.refills_for(ctx, ctx.actor.id)
    # Who cares for the patient no longer is told nothing of them.
    visible = await access.visible(ctx, "refill")
    mine = [one for one in found if visible is None or one.patient in visible]
    for one in mine:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return mine


async def refill(ctx: Ctx, key: str) -> Refill:
    """One request. Raises NotFound, Forbidden."""
    found = await store.refill(ctx, key)
    if found is None:
        raise NotFound("There is no such request for a refill.")
    await access.authorise(ctx, found.patient, "R", what="refill")
    return found


async def refuse_refill(ctx: Ctx, key: str, reason: str) -> Refill:
    """Say no, with a reason that the patient reads. Raises Invalid without one, Conflict once it was answered."""
    await access.require(ctx, "clinician")
    found = await _open(ctx, key)
    if not reason.strip():
        raise Invalid("Say why.", where="reason")
    if len(reason.strip()) > LONGEST:
        raise Invalid("A reason has at most %(most)s characters.", where="reason", most=LONGEST)
    answered = _answered(ctx, found, state="refused", reason=reason.strip())
    return await _keep(ctx, answered, await _prior(ctx, found.prescription))


async def renewed(ctx: Ctx, key: str, prescription: str) -> Refill:
    """The request is answered by this prescription, signed in this transaction."""
    found = await _open(ctx, key)
    answered = _answered(ctx, found, state="renewed", renewed_as=prescription)
    return await _keep(ctx, answered, await _prior(ctx, found.prescription))


async def cancelled_with(ctx: Ctx, prescription: str, reason: str) -> None:
    """The prescription was cancelled: what waits for its renewal is refused for the same reason."""
    prior = await _prior(ctx, prescription)
    for one in await store.refills_of(ctx, prior.draft.patient, prescription):
        if one.open:
            await _keep(ctx, _answered(ctx, one, state="refused", reason=reason), prior)


def _answered(ctx: Ctx, found: Refill, **changes: object) -> Refill:
    return msgspec.structs.replace(found, answered_at=ctx.clock.now(), answered_by_name=ctx.actor.name, **changes)


async def _open(ctx: Ctx, key: str) -> Refill:
    found = await store.refill(ctx, key, lock=True)
    if found is None:
        raise NotFound("There is no such request for a refill.")
    await access.authorise(ctx, found.patient, "U", what="refill")
    if not found.open:
        raise Conflict("This request was answered already.")
    return found


async def _prior(ctx: Ctx, key: str, *, lock: bool = False) -> Prescription:
    found = await store.get(ctx, key, lock=lock)
    if found is None:
        raise NotFound("There is no such prescription.")
    return found


async def _keep(ctx: Ctx, refill: Refill, prior: Prescription) -> Refill:
    """Write it and its FHIR picture, in the same transaction."""
    await store.put_refill(ctx, refill)
    prescriber = await access.person(ctx, prior.prescriber)
    await records.write_governed(ctx, refill_picture(refill, prior, prescriber.reference), room="prescribing")
    return refill
