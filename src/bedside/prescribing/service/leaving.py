"""Whoever works here no longer answers no requests for refills: a clinician does, now and later (hazard H103)."""

from __future__ import annotations

from dataclasses import dataclass

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.foundation.jobs import enqueue
from bedside.prescribing import store
from bedside.prescribing.model.refill import GOOD_FOR


@dataclass(frozen=True, slots=True)
class RefillsInHand:
    """waiting: requests without an answer. patients: those who may still ask for more of what was prescribed."""

    waiting: int
    patients: int


async def in_hand(ctx: Ctx, person: str) -> RefillsInHand:
    """How many. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    patients = await store.in_hand(ctx, person, ctx.clock.now() - GOOD_FOR)
    return RefillsInHand(len(await store.refills_for(ctx, person)), len(patients))


async def hand_on(ctx: Ctx, person: str, to: access.Person | None) -> int:
    """Requests of now and of later are another clinician's to answer, in whose care those patients are from now on.

    Returns how many patients. An administrator's. Raises Forbidden, Conflict where there are some and nobody to answer.
    """
    await access.require(ctx, "administrator")
    now = ctx.clock.now()
    found = await store.in_hand(ctx, person, now - GOOD_FOR)
    found += [one.patient for one in await store.refills_for(ctx, person) if one.patient not in found]
    if not found:
        return 0
    if to is None or "clinician" not in to.roles:
        raise Conflict("Requests for refills are handed to a clinician.", where="to", remedy="Choose one.")
    await store.put_successor(ctx, person, to.id, now)
    for patient in found:
        await access.relate(ctx, person=to.id, patient=patient, kind="care", source=f"successor/{person}")
    if await store.refills_for(ctx, to.id):
        await enqueue(ctx, "messaging.send", {"person": to.id, "template": "prescribing.handed", "data": {}})
    return len(found)
