"""The visits and unsigned notes of somebody who works here no longer go to a clinician (hazard H103)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.visits.service import drafts
from bedside.visits.service.asking import relate_holder
from bedside.visits.service.kept import keep, notify
from bedside.visits.service.running import EMPTY, ask_close
from bedside.visits.store import notes as note_store
from bedside.visits.store import stays
from bedside.visits.store import visits as store

REASON = "Works here no longer"


@dataclass(frozen=True, slots=True)
class VisitsInHand:
    """planned: open and not begun. running: in progress now. unsigned: over, and the note is still to be signed.
    drafts: notes outside visits that are not signed, which a nurse may take too."""

    planned: int
    running: int
    unsigned: int
    drafts: int

    @property
    def any(self) -> bool:
        """Whether there is something that another clinician has to take."""
        return bool(self.planned or self.running or self.unsigned)


async def in_hand(ctx: Ctx, person: access.Person) -> VisitsInHand:
    """How many. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    found = [visit for visit, _ in await store.in_hand(ctx, person.id, lock=False)]
    running = sum(one.status == "in-progress" for one in found)
    unsigned = sum(not one.open for one in found)
    drafted = await drafts.in_hand(ctx, person)
    return VisitsInHand(len(found) - running - unsigned, running, unsigned, drafted)


async def hand_on(ctx: Ctx, person: access.Person, to: access.Person | None, *, home: str) -> int:
    """Give them all to a clinician, who is told. A draft goes along and says who began it: who signs answers for it.

    home: the country of the clinic; for a patient who has said where they are the licence table answers anew. Returns
    how many. An administrator's. Raises Forbidden, Conflict where there is something and no clinician to take it.
    """
    await access.require(ctx, "administrator")
    now = ctx.clock.now()
    for key in await stays.leave_everywhere(ctx, person.id, now):
        # Their page will not be able to say so, and a visit that nobody is in closes itself.
        if await stays.quiet_since(ctx, key):
            await ask_close(ctx, key, now + EMPTY)
    passed = await drafts.hand_on(ctx, person, to)
    found = await store.in_hand(ctx, person.id, lock=True)
    if to is not None and passed and not found:
        await notify(ctx, to.id, "visits.handed")
    if not found:
        return passed
    if to is None or "clinician" not in to.roles:
        raise Conflict("Visits and notes are handed to a clinician.", where="to", remedy="Choose one.")
    for visit, drafted in found:
        ctx.trail.patients.setdefault(visit.patient, set()).add("U")
        status = "handed" if visit.status == "taken" else visit.status
        moved = msgspec.structs.replace(visit, status=status, clinician=to.id, clinician_name=to.name)
        if visit.place and visit.open:
            decision = await access.licence_decision(ctx, to.id, visit.place.jurisdiction, home=home)
            moved = msgspec.structs.replace(moved, decision=msgspec.to_builtins(decision))
        await relate_holder(ctx, visit, to.id)
        if drafted:
            await note_store.hand_on(ctx, visit.id, to.id, to.name, f"[{person.name} → {to.name}]\n")
        await keep(ctx, moved, "handed", f"{REASON} → {to.name}")
    await notify(ctx, to.id, "visits.handed")
    return len(found) + passed
