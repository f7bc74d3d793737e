"""What a patient lets somebody else do, as a FHIR Consent (hl7.org/fhir/R4/consent.html). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
NOUN = "urn:bedside:noun"
"""System of what is no resource type: what a room calls what it keeps."""


def permit(
    key: str,
    patient: str,
    person: str,
    name: str,
    *,
    actions: Iterable[str],
    kinds: Iterable[str] = (),
    until: datetime | None = None,
    at: datetime,
    how: str,
) -> dict[str, Any]:
    """A patient's consent for one person.

    actions: of ACTION. kinds: resource types and nouns; none: the whole record. until: its last second. how: how the
    patient said so, in words. name: what the patient calls the person.
    """
    provision: dict[str, Any] = {
        "type": "permit",
        "actor": [
            {
                "role": {"coding": [{"system": ROLE, "code": "IRCP"}]},
                "reference": {"reference": f"RelatedPerson/{person}", "display": name},
            }
        ],
        "action": [{"coding": [{"system": ACTION, "code": one}]} for one in actions],
    }
    if classes := [{"system": _system(one), "code": one} for one in kinds]:
        provision["class"] = classes
    if until is not None:
        provision["period"] = {"end": until.isoformat(timespec="seconds")}
    return {
        "resourceType": "Consent",
        "id": key,
        "status": "active",
        "scope": {"coding": [{"system": SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "dateTime": at.isoformat(),
        "performer": [{"reference": f"Patient/{patient}"}],
        "policyRule": {"text": how},
        "provision": provision,
    }


def _system(kind: str) -> str:
    return "http://hl7.org/fhir/resource-types" if kind[:1].isupper() else NOUN


def names(consent: dict[str, Any]) -> dict[str, str]:
    """Whom an active consent lets in, by id, as the patient calls them."""
    if consent.get("status") != "active":
        return {}
    found = {}
    for actor in (consent.get("provision") or {}).get("actor") or ():
        said = actor.get("reference") or {}
        if said.get("display"):
            found[str(said.get("reference", "")).rpartition("/")[2]] = str(said["display"])
    return found


def without(consent: dict[str, Any], person: str) -> dict[str, Any]:
    """The same, letting this person in no more; inactive where nobody is left."""
    provision = dict(consent.get("provision") or {})
    actors = [
        one
        for one in provision.get("actor") or ()
        if str((one.get("reference") or {}).get("reference", "")).rpartition("/")[2] != person
    ]
    if not actors:
        return {**consent, "status": "inactive"}
    return {**consent, "provision": {**provision, "actor": actors}}
