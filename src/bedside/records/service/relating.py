"""A patient lets somebody in, and takes it back: what the record says of that person to the patient."""

from __future__ import annotations

from typing import Any

from bedside.fhir import consents, references
from bedside.foundation.context import Ctx
from bedside.records.service import relatives
from bedside.records.service.writing import OWN, draft, write


async def introduce(ctx: Ctx, patient: str, person: str, name: str) -> str:
    """The id of the RelatedPerson that this account is to the patient, whose Consent names it next: made, or active
    again. What others wrote of them (telephone, relationship) stays. Callers may write the patient's Consent."""
    made = consents.related(patient, person, name)
    known = await relatives.standing(ctx, made["id"])
    # Whose account it is nobody else says: the Consent grants whom this identifier names.
    others = [one for one in (known or {}).get("identifier") or () if one.get("system") != consents.ACCOUNT]
    ours = {"active": True, "name": made["name"], "patient": made["patient"]}
    next_ = {**made, **(known or {}), **ours, "identifier": [*made["identifier"], *others]}
    await write(ctx, [draft(next_, room=OWN)])
    return str(made["id"])


async def named(ctx: Ctx, consent: dict[str, Any], patient: str, person: str) -> set[str]:
    """The ids by which a patient's Consent names this account: ours, the account's own, or one of another program's
    making. Callers may write that Consent."""
    found = {person, consents.related_id(patient, person)}
    for actor in (consent.get("provision") or {}).get("actor") or ():
        who = references.parse(str((actor.get("reference") or {}).get("reference", "")))
        if who.id is not None and await relatives.account_of(ctx, who, patient) == person:
            found.add(who.id)
    return found


async def settle(ctx: Ctx, patient: str, person: str) -> None:
    """The grants of this person have changed without a Consent: active, and until when, as they say now."""
    for one in await relatives.changed(ctx, [(patient, person)]):
        await write(ctx, [draft(one, room=OWN)])
