"""What is known of a patient as a person writes it down: allergies, problems, medicines taken. FHIR R4, pure.

hl7.org/fhir/R4/allergyintolerance.html, condition.html, medicationstatement.html.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

Kind = Literal["allergy", "problem", "medicine"]
TYPES: dict[Kind, str] = {"allergy": "AllergyIntolerance", "problem": "Condition", "medicine": "MedicationStatement"}
NONE_KNOWN = {"system": "http://snomed.info/sct", "code": "716186003", "display": "No known allergy"}
_BASE = "http://terminology.hl7.org/CodeSystem/"


def _said(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": _BASE + system, "code": code}]}


def written(
    kind: Kind,
    key: str,
    patient: str,
    text: str,
    *,
    at: datetime,
    by: str | None,
    detail: str = "",
    category: str = "",
    since: str = "",
) -> dict[str, Any]:
    """One of them as somebody writes it down now.

    by: a reference. detail: how an allergy shows itself, or how a medicine is taken. category: of an allergy, food,
    medication or environment. since: a FHIR date. An allergy without text says that somebody asked and there is none.
    """
    subject, now = {"reference": f"Patient/{patient}"}, at.isoformat()
    who = {"reference": by} if by else None
    match kind:
        case "allergy":
            made: dict[str, Any] = {
                "clinicalStatus": _said("allergyintolerance-clinical", "active"),
                "verificationStatus": _said("allergyintolerance-verification", "confirmed"),
                "category": [category] if category else None,
                "code": {"text": text} if text else {"coding": [NONE_KNOWN]},
                "patient": subject,
                "onsetDateTime": since or None,
                "recordedDate": now,
                "recorder": who,
                "reaction": [{"manifestation": [{"text": detail}]}] if detail else None,
            }
        case "problem":
            made = {
                "clinicalStatus": _said("condition-clinical", "active"),
                "verificationStatus": _said("condition-ver-status", "confirmed"),
                "category": [_said("condition-category", "problem-list-item")],
                "code": {"text": text},
                "subject": subject,
                "onsetDateTime": since or None,
                "recordedDate": now,
                "recorder": who,
                "note": [{"text": detail}] if detail else None,
            }
        case _:
            made = {
                "status": "active",
                "medicationCodeableConcept": {"text": text},
                "subject": subject,
                "effectivePeriod": {"start": since} if since else None,
                "dateAsserted": now,
                "informationSource": who,
                "dosage": [{"text": detail}] if detail else None,
            }
    return {"resourceType": TYPES[kind], "id": key} | {name: one for name, one in made.items() if one is not None}


def in_error(kind: Kind, resource: dict[str, Any]) -> dict[str, Any]:
    """The same, as what was never so: a slip of who wrote it."""
    kept = {name: one for name, one in resource.items() if name not in {"meta", "clinicalStatus"}}
    if kind == "medicine":
        return {**kept, "status": "entered-in-error"}
    system = "allergyintolerance-verification" if kind == "allergy" else "condition-ver-status"
    return {**kept, "verificationStatus": _said(system, "entered-in-error")}


def over(kind: Kind, resource: dict[str, Any]) -> dict[str, Any]:
    """The same, as what was so and is no more."""
    kept = {name: one for name, one in resource.items() if name != "meta"}
    if kind == "medicine":
        return {**kept, "status": "completed"}
    system = "allergyintolerance-clinical" if kind == "allergy" else "condition-clinical"
    return {**kept, "clinicalStatus": _said(system, "resolved")}
