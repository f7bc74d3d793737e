"""A patient lets somebody in, and takes it back: what the record says of that person to the patient."""

from __future__ import annotations

from bedside.fhir import consents
from bedside.foundation.context import Ctx
from bedside.records.service import relatives
from bedside.records.service.writing import OWN, draft, write


async def introduce(ctx: Ctx, patient: str, person: str, name: str) -> str:
    """The id of the RelatedPerson that this account is to the patient, whose Consent names it next: made, or active
    again. What others wrote of them (telephone, relationship) stays. Callers may write the patient's Consent."""
    made = consents.related(patient, person, name)
    known = await relatives.standing(ctx, made["id"])
    next_ = {**made, **(known or {}), "active": True, "name": made["name"], "patient": made["patient"]}
    await write(ctx, [draft(next_, room=OWN)])
    return str(made["id"])


async def settle(ctx: Ctx, patient: str, person: str) -> None:
    """The grants of this person have changed without a Consent: active, and until when, as they say now."""
    for one in await relatives.changed(ctx, [(patient, person)]):
        await write(ctx, [draft(one, room=OWN)])
