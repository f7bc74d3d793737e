"""The licence at the moment of signing: the dated table is asked again for the place where the patient was."""

from __future__ import annotations

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, Invalid
from bedside.visits.model import Visit
from bedside.visits.service.kept import find, keep


async def licence_to_sign(ctx: Ctx, key: str, *, home: str) -> access.LicenceDecision | None:
    """What the table answers to the actor at this moment, with the reason that was written for the visit, if any.

    None where the patient never said where they were. home: the country of the clinic.
    """
    return await _now(ctx, await find(ctx, key), home)


async def sign_under_licence(
    ctx: Ctx, key: str, patient: str, *, home: str, reason: str = ""
) -> access.LicenceDecision | None:
    """The decision under which the actor signs something of this patient's visit, in the caller's transaction.

    A reason given now is kept with the visit and its Encounter. Raises Forbidden when the table blocks, or asks for a
    reason and there is none; Invalid for a reason too short (where: "licence-reason") or a visit of somebody else.
    """
    visit = await find(ctx, key, "U", lock=True)
    if visit.patient != patient:
        raise Invalid("This visit is somebody else's.", where="visit")
    decision = await _now(ctx, visit, home)
    if decision is None or decision.passes:
        return decision
    if decision.answer == "block" or not reason.strip():
        raise decision.refusal(N_("Give a reason to sign all the same."))
    return (await override_licence(ctx, visit, decision, reason, where="licence-reason"))[0]


async def override_licence(
    ctx: Ctx, visit: Visit, decision: access.LicenceDecision, reason: str, *, where: str
) -> tuple[access.LicenceDecision, Visit]:
    """Go on with a written reason, kept with the visit and its Encounter. Raises Invalid (where) for one too short."""
    if len(reason.strip()) < 5:
        raise Invalid("Write the reason.", where=where)
    said = msgspec.structs.replace(decision, reason=reason.strip())
    moved = msgspec.structs.replace(visit, decision=msgspec.to_builtins(said))
    return said, await keep(ctx, moved, "licence overridden", reason.strip())


async def _now(ctx: Ctx, visit: Visit, home: str) -> access.LicenceDecision | None:
    if visit.place is None:
        return None
    decision = await access.licence_decision(ctx, ctx.actor.id, visit.place.jurisdiction, home=home)
    earlier = visit.decision or {}
    if decision.answer == "override" and earlier.get("jurisdiction") == decision.jurisdiction:
        decision = msgspec.structs.replace(decision, reason=earlier.get("reason"))
    return decision
