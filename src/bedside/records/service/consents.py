"""A Consent in the record is a grant in access, in the same transaction."""

from datetime import datetime
from typing import Any

from bedside import access
from bedside.fhir import dates, references
from bedside.foundation.context import Ctx
from bedside.records.service import relatives

# http://terminology.hl7.org/CodeSystem/consentaction to audit-event-action letters.
_ACTIONS = {"access": "RE", "collect": "C", "correct": "CU", "use": "RE", "disclose": "R"}
_ORDER = "CRUDE"


async def apply(ctx: Ctx, id_: str, consent: dict[str, Any] | None) -> set[tuple[str, str]]:
    """Make access hold what the Consent now says; None: it was deleted. Each actor of a permit is granted.

    Returns patient and account of each whose grants may be others than before.
    """
    source = f"Consent/{id_}"
    touched = await access.caregivers.granted_by(ctx, source)
    await access.revoke(ctx, source)
    if consent is None or consent.get("status") != "active":
        return touched
    provision = consent.get("provision")
    patient = references.parse(str((consent.get("patient") or {}).get("reference", "")))
    if not isinstance(provision, dict) or provision.get("type") == "deny" or patient.type != "Patient":
        return touched
    actions = _actions(provision)
    for actor in provision.get("actor", ()) if actions else ():
        who = references.parse(str((actor.get("reference") or {}).get("reference", "")))
        if who.id is None or who.server is not None or patient.id is None:
            continue
        person = await relatives.account_of(ctx, who, patient.id)
        if person is None:
            continue
        touched.add((patient.id, person))
        await access.grant(
            ctx,
            access.GrantRequest(
                person=person,
                patient=patient.id,
                actions=actions,
                what=frozenset(c["code"] for c in provision.get("class", ()) if "code" in c) or frozenset({"*"}),
                source=source,
                until=_until(provision),
            ),
        )
    return touched


def _actions(provision: dict[str, Any]) -> str:
    codes = {
        coding.get("code") for action in provision.get("action", ()) for coding in action.get("coding", ())
    }  # an action that is not known grants nothing
    letters = {letter for code in codes for letter in _ACTIONS.get(code or "", "")} if codes else set("RE")
    return "".join(letter for letter in _ORDER if letter in letters)


def _until(provision: dict[str, Any]) -> datetime | None:
    end = (provision.get("period") or {}).get("end")
    return dates.span(end).high if isinstance(end, str) else None
