"""What every use-case does: find a visit and see who asks, write it with its event and FHIR picture, tell the pages."""

from __future__ import annotations

from typing import Any

from bedside import access, records
from bedside.foundation import jobs
from bedside.foundation.context import Ctx
from bedside.visits.model import Visit, VisitEvent
from bedside.visits.model.encounter import encounter
from bedside.visits.store import stays
from bedside.visits.store import visits as store


async def find(ctx: Ctx, key: str, action: str = "R", *, lock: bool = False) -> Visit:
    """The visit, if the actor may come near its patient. Raises NotFound, Forbidden."""
    visit = await store.get(ctx, key, lock=lock)
    if visit is None:
        raise await access.absent(ctx, action, "visit", "There is no such visit.")
    await access.authorise(ctx, visit.patient, action, what="visit")
    return visit


async def keep(ctx: Ctx, visit: Visit, event: str, detail: str = "") -> Visit:
    """Write the visit, one line of its history and its Encounter; tell those who watch after the commit."""
    await store.update(ctx, visit)
    await record(ctx, visit, event, detail)
    await picture(ctx, visit)
    return visit


async def record(ctx: Ctx, visit: Visit, event: str, detail: str = "") -> None:
    """One line of its history, and the moment for those who watch."""
    await store.add_event(ctx, visit.id, VisitEvent(ctx.clock.now(), ctx.actor.name, event, detail))
    tell(ctx, visit, {"t": "visit", "status": visit.status, "event": event})


async def picture(ctx: Ctx, visit: Visit) -> None:
    """The Encounter, in the same transaction."""
    reference = (await access.person(ctx, visit.clinician)).reference if visit.clinician else None
    resource = encounter(visit, reference, await stays.of_visit(ctx, visit.id))
    await records.write_governed(ctx, resource, room="visits")


def tell(ctx: Ctx, visit: Visit, moment: dict[str, Any]) -> None:
    """After the commit, to every page that has this visit open."""
    ctx.then(lambda: ctx.bus.publish(f"visits.signal.{ctx.tenant}.{visit.id}", moment))


async def notify(ctx: Ctx, person: str, template: str, **data: str) -> None:
    """A notice to somebody, by a job of this transaction: the template's words, and nothing of health in data."""
    await jobs.enqueue(ctx, "messaging.send", {"person": person, "template": template, "data": data})
