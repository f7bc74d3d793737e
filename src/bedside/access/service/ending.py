"""What ends soon and is somebody's work before it does: invitations, grants, one's own care of a patient, licences."""

from __future__ import annotations

from datetime import timedelta

from bedside.access.model.ending import GrantEnds, Invitation
from bedside.access.model.licence import Licence
from bedside.access.model.people import Relation
from bedside.access.service.decide import require, visible
from bedside.access.service.invited import waited_for
from bedside.access.service.licences import AHEAD
from bedside.access.service.people import persons, relations_of
from bedside.access.store import ending as store
from bedside.access.store import licences as licence_store
from bedside.foundation.context import Ctx

STAFF = frozenset({"clinician", "nurse", "pharmacist", "administrator", "privacy-officer"})
GRANTS = timedelta(days=14)
OWN = timedelta(days=3)
"""How long before its end each is told; site choice."""


async def invitations(ctx: Ctx) -> list[Invitation]:
    """Colleagues who were invited and have not come in yet, with the end of their link, the earliest first. An
    administrator's: patients and their caregivers are not told of. Raises Forbidden."""
    await require(ctx, "administrator")
    people = await persons(ctx, await waited_for(ctx))
    ends = await store.invitations(ctx.sql, ctx.tenant, list(people))
    found = [Invitation(one, ends.get(id)) for id, one in people.items() if one.roles & STAFF]
    return sorted(found, key=lambda one: (one.until is not None, one.until, one.person.name))


async def grants(ctx: Ctx) -> list[GrantEnds]:
    """Grants by which a patient of the actor's lets somebody in and that end within 14 days, where no other one of the
    two lasts longer; the earliest first. Raises Forbidden."""
    await require(ctx, "clinician", "nurse")
    now, patients = ctx.clock.now(), await visible(ctx, "Consent")
    found = await store.grants(ctx.sql, ctx.tenant, None if patients is None else sorted(patients), now, now + GRANTS)
    for one in found:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return found


async def own_care(ctx: Ctx) -> list[Relation]:
    """The actor's care of patients that ends within 3 days, where no other lasts longer: the earliest first."""
    await require(ctx, "clinician", "nurse")
    by = ctx.clock.now() + OWN
    bonds = [one for one in await relations_of(ctx, person=ctx.actor.id) if one.kind == "care"]
    lasting = {one.patient for one in bonds if one.until is None or one.until > by}
    found = {one.patient: one for one in sorted(bonds, key=_end) if one.patient not in lasting}
    for patient in found:
        ctx.trail.patients.setdefault(patient, set()).add("R")
    return sorted(found.values(), key=_end)


def _end(one: Relation) -> float:
    return one.until.timestamp() if one.until else 0.0


async def own_licences(ctx: Ctx) -> list[Licence]:
    """The actor's own licences that end within 30 days or have ended, the soonest first."""
    found = await licence_store.ending(ctx, ctx.clock.now().date() + AHEAD, person=ctx.actor.id)
    return [licence for _, licence in found]
