"""What a patient lets somebody else do, as a FHIR Consent (hl7.org/fhir/R4/consent.html). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
ROLE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
NOUN = "urn:bedside:noun"
"""System of what is no resource type: what a room calls what it keeps."""
ACCOUNT = "urn:bedside:person"
"""System of the identifier by which a RelatedPerson is an account."""


def related_id(patient: str, person: str) -> str:
    """Of the RelatedPerson that an account is to a patient: each is one patient's (RelatedPerson.patient, 1..1)."""
    return str(uuid5(NAMESPACE_URL, f"{ACCOUNT}:{person}:of:{patient}"))


def related(patient: str, person: str, name: str) -> dict[str, Any]:
    """Whom a patient lets in, as the patient calls them (hl7.org/fhir/R4/relatedperson.html)."""
    return {
        "resourceType": "RelatedPerson",
        "id": related_id(patient, person),
        "identifier": [{"system": ACCOUNT, "value": person}],
        "active": True,
        "patient": {"reference": f"Patient/{patient}"},
        "name": [{"text": name}],
    }


def account_of(one: dict[str, Any]) -> str | None:
    """The account that a RelatedPerson is; None: it is none of ours."""
    return next((str(it.get("value")) for it in one.get("identifier") or () if it.get("system") == ACCOUNT), None)


def settled(one: dict[str, Any], ends: Collection[datetime | None]) -> dict[str, Any]:
    """The same as the grants that stand say, by their ends: active until the last of them ends; without any not."""
    found = {**one, "active": bool(ends)}
    if not ends:
        return found
    period = {name: value for name, value in (one.get("period") or {}).items() if name != "end"}
    last = [end for end in ends if end is not None]
    if len(last) == len(ends):
        period["end"] = max(last).astimezone(UTC).isoformat(timespec="seconds")
    found.pop("period", None)
    return {**found, "period": period} if period else found


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
                "reference": {"reference": f"RelatedPerson/{related_id(patient, person)}", "display": name},
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
    """Whom an active consent lets in, by the id of the RelatedPerson, as the patient calls them."""
    if consent.get("status") != "active":
        return {}
    found = {}
    for actor in (consent.get("provision") or {}).get("actor") or ():
        said = actor.get("reference") or {}
        if said.get("display"):
            found[str(said.get("reference", "")).rpartition("/")[2]] = str(said["display"])
    return found


def without(consent: dict[str, Any], ids: Collection[str]) -> dict[str, Any]:
    """The same, letting who has one of these ids in no more; inactive where nobody is left."""
    provision = dict(consent.get("provision") or {})
    actors = [
        one
        for one in provision.get("actor") or ()
        if str((one.get("reference") or {}).get("reference", "")).rpartition("/")[2] not in ids
    ]
    if not actors:
        return {**consent, "status": "inactive"}
    return {**consent, "provision": {**provision, "actor": actors}}
