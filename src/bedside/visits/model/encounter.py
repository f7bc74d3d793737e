"""A visit's FHIR R4 picture: Encounter, class VR (v3-ActCode), with its true start and end and who was present."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.visits.model.visit import Presence, Visit

IDENTIFIER = "urn:bedside:visit"
STATUS = {
    "handed": "planned",
    "taken": "planned",
    "invited": "planned",
    "waiting": "arrived",
    "in-progress": "in-progress",
    "finished": "finished",
    "cancelled": "cancelled",
}
DECISION = "urn:bedside:licence-decision"


def encounter(visit: Visit, clinician: str | None, present: Sequence[Presence]) -> dict[str, Any]:
    """clinician: the holder's Practitioner reference. present: every stay, in order."""
    resource: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": visit.id,
        "identifier": [{"system": IDENTIFIER, "value": visit.id}],
        "status": STATUS[visit.status],
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "VR",
            "display": "virtual",
        },
        "subject": {"reference": f"Patient/{visit.patient}"},
        "reasonCode": [{"text": visit.reason}],
    }
    participants = []
    stays: dict[str, tuple[str, datetime, datetime | None]] = {}
    for stay in present:
        name, joined, _ = stays.get(stay.who, (stay.name, stay.joined_at, None))
        stays[stay.who] = (name, joined, stay.left_at)
    if visit.clinician and visit.clinician not in stays:
        participants.append(_participant(visit.clinician_name or "", clinician, None, None))
    for who, (name, joined, left) in stays.items():
        if who == visit.person:
            continue
        reference = clinician if who == visit.clinician else None
        participants.append(_participant(name, reference, joined, left or visit.ended_at))
    if participants:
        resource["participant"] = participants
    if visit.started_at:
        resource["period"] = {"start": visit.started_at.isoformat()}
        if visit.ended_at:
            resource["period"]["end"] = visit.ended_at.isoformat()
    if visit.decision:
        resource["extension"] = [
            {
                "url": DECISION,
                "valueString": " ".join(
                    str(visit.decision[k])
                    for k in ("answer", "jurisdiction", "rule", "reason")
                    if visit.decision.get(k)
                ),
            }
        ]
    return resource


def _participant(name: str, reference: str | None, joined: datetime | None, left: datetime | None) -> dict[str, Any]:
    individual: dict[str, Any] = {"display": name}
    if reference:
        individual["reference"] = reference
    participant: dict[str, Any] = {"individual": individual}
    if joined:
        participant["period"] = {"start": joined.isoformat()}
        if left:
            participant["period"]["end"] = left.isoformat()
    return participant
