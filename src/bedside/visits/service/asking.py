"""From "somebody should see this patient" to an invited patient: hand, take, invite, cancel."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.foundation.ids import uuid7
from bedside.visits.model import Visit, VisitEvent, next_status
from bedside.visits.service.joining import make_link
from bedside.visits.service.kept import find, keep, notify
from bedside.visits.service.planning import check, keep_in_care, moved_to, told
from bedside.visits.store import links
from bedside.visits.store import notes as note_store
from bedside.visits.store import visits as store


async def ask(
    ctx: Ctx,
    patient: str,
    reason: str,
    *,
    alarm: str | None = None,
    clinician: str | None = None,
    id: str | None = None,
    planned: tuple[datetime, int] | None = None,
) -> Visit:
    """Open a visit. By a nurse it is handed to clinician, with reason and alarm; by a clinician it is her own.

    id: given by the client, so that a repeat is harmless. planned: for when and for how many minutes; None: as soon as
    both are there. Raises Invalid, Conflict, Forbidden.
    """
    await access.require(ctx, "clinician", "nurse")
    await access.authorise(ctx, patient, "U", what="visit")
    if not reason.strip():
        raise Invalid("Say why this visit is asked for.", where="reason")
    if planned is not None:
        check(ctx.clock.now(), *planned)
    person = await access.person_of_patient(ctx, patient)
    if person is None:
        raise Conflict("This patient has no account to invite.", remedy="Register a phone or an e-mail address first.")
    own = "clinician" in ctx.actor.roles and clinician in {None, ctx.actor.id}
    holder = await access.person(ctx, ctx.actor.id if own or clinician is None else clinician)
    if "clinician" not in holder.roles:
        raise Invalid("A visit is handed to a clinician.", where="clinician")
    visit = Visit(
        id=id or uuid7(),
        status="taken" if own else "handed",
        patient=patient,
        person=person.id,
        reason=reason.strip(),
        asked_by=ctx.actor.id,
        asked_by_name=ctx.actor.name,
        asked_at=ctx.clock.now(),
        alarm=alarm,
        clinician=holder.id,
        clinician_name=holder.name,
        planned_at=planned[0] if planned else None,
        planned_minutes=planned[1] if planned else None,
        planned_changed=ctx.clock.now() if planned else None,
    )
    if not await store.insert(ctx, visit):
        return await find(ctx, visit.id)
    await relate_holder(ctx, visit, holder.id)
    await _answer(ctx, visit, own=own)
    await keep(ctx, visit, "asked", f"{visit.reason} → {holder.name}")
    if not own:
        await notify(ctx, holder.id, "visits.handed")
    return visit


async def clinicians_on_duty(ctx: Ctx, patient: str, *, but: str | None = None) -> list[access.Person]:
    """To whom one can hand: clinicians on duty where the patient is, by ladder step, else every clinician.

    but: who holds the visit, and is not offered it again.
    """
    await access.authorise(ctx, patient, "R", what="visit")
    found: list[str] = []
    for bed in await access.places_of(ctx, patient):
        duties = await access.on_duty(ctx, place=bed.place, role="clinician", at=ctx.clock.now())
        found += [d.person for d in duties if d.person not in {*found, but}]
    people = [await access.person(ctx, id) for id in found]
    return people or [one for one in await access.people(ctx, role="clinician") if one.id != but]


async def hand(ctx: Ctx, key: str, clinician: str, reason: str, *, home: str) -> Visit:
    """Give it to another clinician, as long as it has not begun; an open alarm that led here goes with it.

    A patient who was invited keeps link and seat. home: the country of the clinic; for a patient who has said where
    they are, the licence table answers anew for the one who comes. Raises Invalid naming the field, Conflict.
    """
    await access.require(ctx, "clinician", "nurse")
    visit = await find(ctx, key, "U", lock=True)
    status = next_status(visit.status, "hand")
    if not reason.strip():
        raise Invalid("Say why you hand it over.", where="reason")
    holder = next((one for one in await access.people(ctx, role="clinician") if one.id == clinician), None)
    if holder is None:
        raise Invalid("A visit is handed to a clinician.", where="clinician")
    if holder.id == visit.clinician:
        raise Invalid("%(name)s holds this visit already.", where="clinician", name=holder.name)
    if await note_store.get(ctx, visit.id):
        # A note has one writer, who signs it.
        raise Conflict("The note of this visit is begun.", remedy="Cancel this visit, and ask for another one.")
    moved = msgspec.structs.replace(visit, status=status, clinician=holder.id, clinician_name=holder.name)
    if visit.place:
        decision = await access.licence_decision(ctx, holder.id, visit.place.jurisdiction, home=home)
        moved = msgspec.structs.replace(moved, decision=msgspec.to_builtins(decision))
    await relate_holder(ctx, visit, holder.id)
    await _answer(ctx, moved, own=False)
    await notify(ctx, holder.id, "visits.handed")
    return await keep(ctx, moved, "handed", f"{reason.strip()} → {holder.name}")


async def take(ctx: Ctx, key: str) -> Visit:
    """The clinician to whom it was handed takes it."""
    await access.require(ctx, "clinician")
    visit = await find(ctx, key, "U", lock=True)
    moved = msgspec.structs.replace(
        visit,
        status=next_status(visit.status, "take"),
        clinician=ctx.actor.id,
        clinician_name=ctx.actor.name,
    )
    await relate_holder(ctx, visit, ctx.actor.id)
    return await keep(ctx, moved, "taken")


async def invite(ctx: Ctx, key: str, base_url: str) -> str:
    """Send the patient a link; earlier unused links die. Returns it, to be read out. base_url: the public one."""
    visit = await find(ctx, key, "U", lock=True)
    if ctx.actor.id not in {visit.clinician, visit.asked_by}:
        raise Forbidden("The visit is somebody else's.", remedy="Ask for it to be handed to you.")
    moved = msgspec.structs.replace(visit, status=next_status(visit.status, "invite"))
    link = await make_link(ctx, visit, base_url)
    await keep(ctx, moved, "invited")
    return link


async def cancel(ctx: Ctx, key: str, reason: str) -> Visit:
    """Before it began. Its clinician is told, if it was somebody else."""
    visit = await find(ctx, key, "U", lock=True)
    if not reason.strip():
        raise Invalid("Say why.", where="reason")
    moved = msgspec.structs.replace(
        visit, status=next_status(visit.status, "cancel"), ended_at=ctx.clock.now() if visit.started_at else None
    )
    await links.kill(ctx, visit.id, ctx.clock.now())
    if visit.planned_at is not None:
        moved = moved_to(ctx, moved, visit.planned_at, visit.planned_minutes)
        if visit.status in {"invited", "waiting"} and ctx.clock.now() < visit.planned_at:
            await notify(ctx, visit.person, "visits.cancelled")
    moved = await told(ctx, visit, moved, "cancelled")
    return await keep(ctx, moved, "cancelled", reason.strip())


async def get(ctx: Ctx, key: str) -> Visit:
    """One visit."""
    return await find(ctx, key)


async def of_patient(ctx: Ctx, patient: str, *, open_only: bool = False) -> list[Visit]:
    """A patient's visits, newest first."""
    await access.authorise(ctx, patient, "R", what="visit")
    return await store.of_patient(ctx, patient, open_only=open_only)


async def under_way(ctx: Ctx, until: datetime) -> list[Visit]:
    """Every visit of this clinic that is not over and is planned for no time or one before then, the nearest first:
    for its own copy of the day. Bedside itself. Raises Forbidden."""
    if ctx.actor.kind != "job":
        ctx.trail.refused = "role"
        raise Forbidden("Only Bedside itself reads every visit.")
    return await store.open_visits(ctx, ctx.clock.now(), until)


async def mine(ctx: Ctx) -> list[Visit]:
    """The clinician's open visits, those of the last 24 h, and those whose change by others she has not noted, of
    patients whom she may see."""
    await access.require(ctx, "clinician", "nurse")
    found = await store.of_clinician(ctx, ctx.actor.id, ctx.clock.now() - timedelta(hours=24))
    visible = await access.visible(ctx, "visit")
    shown = [v for v in found if visible is None or v.patient in visible]
    for v in shown:
        ctx.trail.patients.setdefault(v.patient, set()).add("R")
    return shown


async def ever_held(ctx: Ctx) -> bool:
    """Whether the clinic has ever held a visit: all that an administrator learns of them. Raises Forbidden."""
    await access.require(ctx, "administrator")
    return await store.any_begun(ctx)


async def history(ctx: Ctx, key: str) -> list[VisitEvent]:
    """What happened in it."""
    visit = await find(ctx, key)
    return await store.events(ctx, visit.id)


async def _answer(ctx: Ctx, visit: Visit, *, own: bool) -> None:
    """The alarm that led here is answered by the visit: handed to the clinician with it, or acted on by her."""
    if visit.alarm is None:
        return
    alarm = await monitoring.alarm(ctx, visit.alarm)
    if alarm.patient != visit.patient:
        raise Invalid("This alarm is somebody else's.", where="alarm")
    if not alarm.open:
        return
    if own or visit.clinician is None:
        await monitoring.act(ctx, alarm.id, "Invited to a video visit", visit.reason)
    else:
        await monitoring.hand_over(ctx, alarm.id, visit.clinician, visit.reason)


async def relate_holder(ctx: Ctx, visit: Visit, person: str) -> None:
    """Whoever holds the visit may see the patient until a week after it."""
    await keep_in_care(ctx, msgspec.structs.replace(visit, clinician=person))


__all__ = [
    "ask",
    "cancel",
    "clinicians_on_duty",
    "get",
    "hand",
    "history",
    "invite",
    "mine",
    "of_patient",
    "take",
]
