"""Use-cases: draft and check, sign, cancel; at the pharmacy accept, refuse, dispense."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from bedside import access, records
from bedside.fhir import joined
from bedside.fhir.concepts import code, codes, in_error, words
from bedside.foundation import jobs
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound, Unprocessable
from bedside.foundation.ids import uuid7
from bedside.prescribing import store
from bedside.prescribing.model import (
    Check,
    Current,
    Draft,
    Event,
    Pharmacy,
    Prescription,
    check,
    medicine,
    next_status,
)
from bedside.prescribing.model.picture import dispense_picture, request_picture
from bedside.prescribing.model.prescription import Status, validate
from bedside.prescribing.service import refills

TOLD = timedelta(days=7)
"""How long a refused prescription stands before its prescriber."""
SOON, OVER = timedelta(days=7), timedelta(days=14)
"""How long before its end, and after it, a medicine that runs out stands before its prescriber; site choice."""
CONTROLLED = (
    "This is a controlled medicine (schedule %(schedule)s). Signing it electronically needs a certified system "
    "(21 CFR 1311.300), and this installation is not certified."
)


def _concept(resource: dict[str, Any], field: str) -> Current:
    concept = resource.get(field)
    categories = resource.get("category")
    category = categories[0] if categories and isinstance(categories[0], str) else ""
    return Current(words(concept) or "unnamed", codes(concept), category)


def _holds(resource: dict[str, Any]) -> bool:
    """Whether an allergy is weighed: one that is past still is, one refuted or entered in error is not."""
    return not in_error(resource) and code(resource.get("verificationStatus")) != "refuted"


async def checks(ctx: Ctx, patient: str, key: str, renews: str | None = None) -> list[Check]:
    """What speaks against giving this medicine to this patient now, from the record as it stands.

    What was dispensed and is still being taken counts, though its MedicationRequest is completed. renews: a dispensed
    prescription that this one follows, so that it is no duplicate of itself.
    """
    allergies = await records.every(ctx, "AllergyIntolerance", {"patient": patient})
    current: list[Current] = []
    for kind in ("MedicationStatement", "MedicationRequest"):
        page = await records.every(ctx, kind, {"patient": patient, "status": "active"})
        current += [_concept(entry, "medicationCodeableConcept") for entry in page.entries]
    here = await store.of_patient(ctx, patient)
    dispensed = [p for p in here if p.status == "dispensed" and p.id != renews and p.taken(ctx.clock.now())]
    current += [Current(p.name) for p in dispensed]
    person = await records.read(ctx, "Patient", patient)
    elsewhere = bool(joined.goes_on(person) or joined.also(person))
    known = [_concept(a, "code") for a in allergies.entries if _holds(a)]
    return check(medicine(key), current, known, joined=elsewhere)


async def save(ctx: Ctx, draft: Draft, *, key: str | None = None) -> Prescription:
    """Keep a draft, with its checks. key: given by the client, so that a repeat is harmless."""
    await access.require(ctx, "clinician")
    written_id = key or uuid7()
    await access.authorise(ctx, draft.patient, "U", what=f"MedicationRequest/{written_id}")
    chosen = medicine(draft.medicine)
    if chosen.schedule:
        raise Unprocessable(
            CONTROLLED, where="medicine", remedy="Use your certified channel.", schedule=chosen.schedule
        )
    validate(draft, chosen.routes)
    if draft.pharmacy not in {p.id for p in await pharmacies(ctx)}:
        raise Invalid("This pharmacy is not known here.", where="pharmacy")
    written = Prescription(
        id=written_id,
        status="draft",
        draft=draft,
        name=chosen.name,
        prescriber=ctx.actor.id,
        prescriber_name=ctx.actor.name,
        checks=tuple(await checks(ctx, draft.patient, draft.medicine, await _renewed_by(ctx, draft))),
        written_at=ctx.clock.now(),
    )
    await store.insert(ctx, written)
    kept = await _get(ctx, written.id)
    if kept.draft != draft:
        raise Conflict("This prescription is already signed.", remedy="Write a new one.")
    return kept


async def give_reasons(ctx: Ctx, key: str, reasons: dict[str, str]) -> None:
    """Reasons to go on over findings, by Check.key; kept with the draft."""
    found = await _get(ctx, key, lock=True)
    await access.authorise(ctx, found.draft.patient, "U", what=f"MedicationRequest/{key}")
    if found.status != "draft" or not reasons:
        return
    given = {k: v.strip()[:500] for k, v in reasons.items() if v.strip()}
    draft = msgspec.structs.replace(found.draft, overrides={**found.draft.overrides, **given})
    await store.insert(ctx, msgspec.structs.replace(found, draft=draft))


async def sign(ctx: Ctx, key: str, proof: access.Proof) -> Prescription:
    """Sign and send. proof: who you are, once more. Every 'stop' found now needs a reason."""
    found = await _get(ctx, key, lock=True)
    await access.authorise(ctx, found.draft.patient, "U", what=f"MedicationRequest/{key}")
    if found.prescriber != ctx.actor.id:
        raise Forbidden("Only the one who wrote it can sign it.")
    await access.confirm(ctx, proof)
    if await access.closing.closed(ctx, found.draft.pharmacy):
        raise Unprocessable(
            "This pharmacy is closed: nobody would dispense it.",
            remedy="Cancel this draft, and write it for another pharmacy.",
        )
    status = next_status(found.status, "sign")
    now = await checks(ctx, found.draft.patient, found.draft.medicine, await _renewed_by(ctx, found.draft))
    unanswered = [c for c in now if c.level == "stop" and not found.draft.overrides.get(c.key, "").strip()]
    if unanswered:
        raise Unprocessable(
            "Findings that need a reason before this can be signed: %(count)s.",
            count=len(unanswered),
            where="overrides",
            remedy="Give a reason for each, or choose another medicine.",
        )
    at = ctx.clock.now()
    await store.move(ctx, key, status, signed_at=at)
    await store.add_step(ctx, key, Event("sign", at, ctx.actor.name))
    for duty in await access.on_duty(ctx, place=found.draft.pharmacy, role="pharmacist", at=at):
        await access.relate(
            ctx, person=duty.person, patient=found.draft.patient, kind="pharmacy", source=f"MedicationRequest/{key}"
        )
    if found.draft.refill:
        await refills.renewed(ctx, found.draft.refill, key)
    return await _picture(ctx, key)


async def cancel(ctx: Ctx, key: str, reason: str, proof: access.Proof | None = None) -> Prescription:
    """Withdraw it, with a reason. proof: who you are, once more, for all but a draft: a pharmacy stops acting on it.

    Raises Invalid without a reason or a proof that is needed, Forbidden, Conflict once it is dispensed or refused.
    """
    found = await _get(ctx, key, lock=True)
    await access.authorise(ctx, found.draft.patient, "U", what=f"MedicationRequest/{key}")
    await access.require(ctx, "clinician")
    status = next_status(found.status, "cancel")
    if not reason.strip():
        raise Invalid("Say why.", where="reason")
    if found.status != "draft":
        if proof is None:
            raise Invalid("Show who you are.", where="proof")
        await access.confirm(ctx, proof)
    return await _stepped(ctx, key, "cancel", status, reason)


async def step(ctx: Ctx, key: str, name: str, reason: str = "") -> Prescription:
    """accept, refuse (with reason) or dispense, by the pharmacist."""
    found = await _get(ctx, key, lock=True)
    await access.authorise(ctx, found.draft.patient, "U", what=f"MedicationRequest/{key}")
    await access.require(ctx, "pharmacist")
    if name == "cancel" or found.draft.pharmacy not in await _own_pharmacies(ctx):
        raise NotFound("There is no such prescription.")
    if name == "refuse" and not reason.strip():
        raise Invalid("Say why.", where="reason")
    stepped = await _stepped(ctx, key, name, next_status(found.status, name), reason)
    if name == "refuse":
        told = {"person": found.prescriber, "template": "prescribing.refused", "data": {}}
        await jobs.enqueue(ctx, "messaging.send", told)
    return stepped


async def refused(ctx: Ctx) -> list[Prescription]:
    """What pharmacies refused of this clinician's in the last 7 days, newest first: the patient goes without it."""
    await access.require(ctx, "clinician")
    return await _seen(ctx, await store.refused_of(ctx, ctx.actor.id, ctx.clock.now() - TOLD))


async def drafts(ctx: Ctx) -> list[Prescription]:
    """What this clinician wrote and has not signed, the oldest first."""
    await access.require(ctx, "clinician")
    return await _seen(ctx, await store.drafts_of(ctx, ctx.actor.id))


async def running_out(ctx: Ctx) -> list[tuple[Prescription, datetime]]:
    """What this clinician prescribed and the patient has taken up within 7 days from now or in the 14 before, with the
    end, the earliest first; what was prescribed again since, or has a refill asked for, is left out."""
    await access.require(ctx, "clinician")
    now = ctx.clock.now()
    found = await store.running_out(ctx, ctx.actor.id, now - OVER, now + SOON)
    seen = {one.id for one in await _seen(ctx, [one for one, _ in found])}
    return [(one, until) for one, until in found if one.id in seen]


async def to_dispense(ctx: Ctx) -> list[Prescription]:
    """What waits at this pharmacist's pharmacies to be accepted or dispensed, the oldest first. Raises Forbidden."""
    await access.require(ctx, "pharmacist")
    found = await store.at_pharmacy(ctx, await _own_pharmacies(ctx), waiting=True)
    bonds = await access.relations_of(ctx, person=ctx.actor.id)
    mine = {(bond.patient, bond.source) for bond in bonds if bond.kind == "pharmacy"}
    shown = [one for one in found if (one.draft.patient, f"MedicationRequest/{one.id}") in mine]
    for one in shown:
        ctx.trail.patients.setdefault(one.draft.patient, set()).add("R")
    return sorted(shown, key=lambda one: one.signed_at or one.written_at)


async def _seen(ctx: Ctx, found: list[Prescription]) -> list[Prescription]:
    """Those of patients in the actor's care, in two questions however many there are."""
    visible = await access.visible(ctx, "MedicationRequest")
    mine = [one for one in found if visible is None or one.draft.patient in visible]
    for one in mine:
        ctx.trail.patients.setdefault(one.draft.patient, set()).add("R")
    return mine


async def _stepped(ctx: Ctx, key: str, name: str, status: Status, reason: str) -> Prescription:
    await store.move(ctx, key, status)
    await store.add_step(ctx, key, Event(name, ctx.clock.now(), ctx.actor.name, reason.strip()))
    if name == "cancel":
        await refills.cancelled_with(ctx, key, reason.strip())
    return await _picture(ctx, key)


async def get(ctx: Ctx, key: str) -> Prescription:
    """One prescription. A pharmacist sees what was sent to her pharmacy; what was never signed is for clinicians."""
    found = await _get(ctx, key)
    await access.authorise(ctx, found.draft.patient, "R", what=f"MedicationRequest/{key}")
    if found.signed_at is None and "clinician" not in ctx.actor.roles:
        raise await access.absent(ctx, "R", "MedicationRequest", "There is no such prescription.")
    return found


async def of_patient(ctx: Ctx, patient: str) -> list[Prescription]:
    """The patient's prescriptions, newest first; what was never signed only for clinicians."""
    await access.authorise(ctx, patient, "R", what="MedicationRequest")
    drafts = "clinician" in ctx.actor.roles
    return [p for p in await store.of_patient(ctx, patient) if drafts or p.signed_at]


async def inbox(ctx: Ctx) -> list[Prescription]:
    """What was sent to the pharmacies where this pharmacist works."""
    await access.require(ctx, "pharmacist")
    found = await store.at_pharmacy(ctx, await _own_pharmacies(ctx))
    for one in found:
        await access.authorise(ctx, one.draft.patient, "R", what=f"MedicationRequest/{one.id}")
    return found


async def pharmacies(ctx: Ctx, *, closed: bool = False) -> list[Pharmacy]:
    """Where a prescription can be sent. closed: also those of before, for what was sent there."""
    known = await store.pharmacies(ctx)
    if closed:
        return known
    shut = {one.id for one in await access.places(ctx, closed=True) if one.closed is not None}
    return [one for one in known if one.id not in shut]


async def waiting_at(ctx: Ctx, pharmacy: str) -> int:
    """How many prescriptions wait there to be accepted or dispensed. An administrator's, who learns no more."""
    await access.require(ctx, "administrator")
    return len(await store.at_pharmacy(ctx, [pharmacy], waiting=True))


async def put_pharmacy(ctx: Ctx, pharmacy: Pharmacy) -> None:
    """Add or change a pharmacy."""
    await access.require(ctx, "administrator")
    await store.put_pharmacy(ctx, pharmacy)


async def _renewed_by(ctx: Ctx, draft: Draft) -> str | None:
    """The prescription that a draft renews. Raises Invalid for a request of somebody else, or one that was answered."""
    if draft.refill is None:
        return None
    refill = await store.refill(ctx, draft.refill)
    if refill is None or refill.patient != draft.patient:
        raise Invalid("There is no such request for a refill.", where="refill")
    return refill.prescription


async def _own_pharmacies(ctx: Ctx) -> list[str]:
    known = {p.id for p in await store.pharmacies(ctx)}
    duties = await access.on_duty(ctx, place=None, role="pharmacist", at=ctx.clock.now())
    return sorted({d.place for d in duties if d.person == ctx.actor.id and d.place in known})


async def _get(ctx: Ctx, key: str, *, lock: bool = False) -> Prescription:
    found = await store.get(ctx, key, lock=lock)
    if found is None:
        raise await access.absent(ctx, "R", "MedicationRequest", "There is no such prescription.")
    return found


async def _picture(ctx: Ctx, key: str) -> Prescription:
    """Write the FHIR picture of the state just reached, in the same transaction; a draft that was dropped has none."""
    found = await _get(ctx, key)
    if found.signed_at is None:
        return found
    prescriber = await access.person(ctx, found.prescriber)
    refill = await store.refill(ctx, found.draft.refill) if found.draft.refill else None
    await records.write_governed(ctx, request_picture(found, prescriber.reference, refill), room="prescribing")
    if found.status == "dispensed":
        await records.write_governed(ctx, dispense_picture(found), room="prescribing")
    return found
