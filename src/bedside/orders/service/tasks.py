"""The open tasks of somebody who works here no longer are a colleague's (hazard H159)."""

from __future__ import annotations

from bedside import access, records
from bedside.foundation.context import Actor, Ctx, Trail
from bedside.foundation.errors import Conflict
from bedside.foundation.jobs import enqueue

OPEN = "draft,requested,received,accepted,ready,in-progress,on-hold"
"""Source: hl7.org/fhir/R4/valueset-task-status.html, those that are not over."""
DOES = frozenset({"clinician", "nurse"})
HOUSE = Actor("job", "tasks of who leaves", "tasks of who leaves", roles=frozenset({"system"}))
"""Counts and hands on what is of patients whom the administrator may not see, and tells nothing of them."""


def _wanted(reference: str) -> list[tuple[str, str]]:
    return [("owner", reference), ("status", OPEN)]


async def in_hand(ctx: Ctx, person: access.Person) -> int:
    """How many open tasks are somebody's. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    if not person.reference:
        return 0
    wide = ctx.with_(actor=HOUSE, purpose="HOPERAT", trail=Trail())
    return (await records.search(wide, "Task", [*_wanted(person.reference), ("_summary", "count")])).total or 0


async def hand_on(ctx: Ctx, person: access.Person, to: access.Person | None) -> int:
    """All to a clinician or a nurse, who is told and may see those patients; each says whose it was. Returns how many.

    An administrator's. Raises Forbidden, Conflict where there is one and nobody to do it.
    """
    number = await in_hand(ctx, person)
    if not number or not person.reference:
        return 0
    if to is None or not to.reference or not to.roles & DOES:
        raise Conflict("Tasks are handed to a clinician or a nurse.", where="to", remedy="Choose one.")
    wide = ctx.with_(actor=HOUSE, purpose="HOPERAT", trail=Trail())
    now = ctx.clock.now().isoformat()
    while (page := await records.search(wide, "Task", [*_wanted(person.reference), ("_count", "100")])).entries:
        for task in page.entries:
            kept = {name: value for name, value in task.items() if name != "meta"}
            note = {"time": now, "text": f"{person.name} → {to.name}"}
            kept |= {"owner": {"reference": to.reference, "display": to.name}, "lastModified": now}
            await records.update(wide, kept | {"note": [*(task.get("note") or ()), note]})
            ctx.trail.entities.append(f"Task/{task['id']}")
            whose = str((task.get("for") or {}).get("reference") or "")
            if whose.startswith("Patient/"):
                patient = whose.partition("/")[2]
                await access.relate(ctx, person=to.id, patient=patient, kind="care", source=f"successor/{person.id}")
    ctx.trail.wrote = True
    await enqueue(ctx, "messaging.send", {"person": to.id, "template": "orders.handed", "data": {}})
    return number
