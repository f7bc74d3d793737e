"""Whoever works here no longer signs no draft and answers no request for a refill: a clinician does (hazard H103)."""

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
    """waiting: requests without an answer. patients: those who may still ask for more of what was prescribed. drafts:
    prescriptions that were written and not signed."""

    waiting: int
    patients: int
    drafts: int

    @property
    def any(self) -> bool:
        """Whether there is something that another clinician has to take."""
        return bool(self.waiting or self.patients or self.drafts)


async def in_hand(ctx: Ctx, person: str) -> RefillsInHand:
    """How many. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    patients = await store.in_hand(ctx, person, ctx.clock.now() - GOOD_FOR)
    drafts = await store.drafts_of(ctx, person)
    return RefillsInHand(len(await store.refills_for(ctx, person)), len(patients), len(drafts))


async def hand_on(ctx: Ctx, person: str, to: access.Person | None) -> int:
    """Drafts are another clinician's to sign, requests of now and of later hers to answer, and what a pharmacy refused
    or runs out hers to look after; those patients are in her care from now on.

    Returns how many patients. An administrator's. Raises Forbidden, Conflict where there are some and nobody to answer.
    """
    await access.require(ctx, "administrator")
    now = ctx.clock.now()
    found = await store.in_hand(ctx, person, now - GOOD_FOR)
    begun = await store.drafts_of(ctx, person)
    also = [*(one.patient for one in await store.refills_for(ctx, person)), *(one.draft.patient for one in begun)]
    found = list(dict.fromkeys([*found, *also]))
    if not found:
        return 0
    if to is None or "clinician" not in to.roles:
        raise Conflict("Requests for refills are handed to a clinician.", where="to", remedy="Choose one.")
    for one in begun:
        ctx.trail.patients.setdefault(one.draft.patient, set()).add("U")
        ctx.trail.entities.append(f"prescription/{one.id}")
    await store.pass_drafts(ctx, person, to.id, to.name)
    await store.put_successor(ctx, person, to.id, now)
    for patient in found:
        await access.relate(ctx, person=to.id, patient=patient, kind="care", source=f"successor/{person}")
    if begun or await store.refills_for(ctx, to.id):
        await enqueue(ctx, "messaging.send", {"person": to.id, "template": "prescribing.handed", "data": {}})
    return len(found)
