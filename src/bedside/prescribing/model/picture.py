"""A prescription's FHIR R4 picture: MedicationRequest and MedicationDispense."""

from __future__ import annotations

from typing import Any

from bedside.prescribing.model.formulary import medicine
from bedside.prescribing.model.prescription import FREQUENCIES, Draft, Prescription, instruction

IDENTIFIER = "urn:bedside:prescription"
STATUS = {
    "signed": "active",
    "accepted": "active",
    "dispensed": "completed",
    "refused": "stopped",
    "cancelled": "cancelled",
}
"""medicationrequest-status (hl7.org/fhir/R4/valueset-medicationrequest-status.html)."""

ROUTES = {
    "oral": ("26643006", "Oral route"),
    "sublingual": ("37839007", "Sublingual route"),
    "inhaled": ("447694001", "Respiratory tract route"),
}


def _concept(draft: Draft) -> dict[str, Any]:
    chosen = medicine(draft.medicine)
    concept: dict[str, Any] = {"text": chosen.name}
    if chosen.rxnorm:
        system = "http://www.nlm.nih.gov/research/umls/rxnorm"
        concept["coding"] = [{"system": system, "code": chosen.rxnorm, "display": chosen.name}]
    return concept


def _dosage(draft: Draft) -> dict[str, Any]:
    _, times, unit, period = FREQUENCIES[draft.frequency]
    code, display = ROUTES[draft.route]
    return {
        "text": instruction(draft),
        "timing": {
            "repeat": {
                "frequency": int(times),
                "period": period,
                "periodUnit": unit,
                "boundsDuration": {
                    "value": draft.days,
                    "unit": "days",
                    "system": "http://unitsofmeasure.org",
                    "code": "d",
                },
            }
        },
        "asNeededBoolean": draft.as_needed,
        "route": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}]},
        "doseAndRate": [{"doseQuantity": {"value": draft.dose, "unit": draft.unit}}],
    }


def request_picture(prescription: Prescription, requester: str | None) -> dict[str, Any]:
    """MedicationRequest with the prescription's own id. requester: the prescriber's Practitioner reference."""
    draft = prescription.draft
    resource: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": prescription.id,
        "identifier": [{"system": IDENTIFIER, "value": prescription.id}],
        "status": STATUS[prescription.status],
        "intent": "order",
        "medicationCodeableConcept": _concept(draft),
        "subject": {"reference": f"Patient/{draft.patient}"},
        "authoredOn": (prescription.signed_at or prescription.written_at).isoformat(),
        "requester": {"display": prescription.prescriber_name},
        "dosageInstruction": [_dosage(draft)],
        "substitution": {"allowedBoolean": draft.substitution},
    }
    if requester:
        resource["requester"]["reference"] = requester
    last = prescription.events[-1] if prescription.events else None
    if last and last.reason:
        resource["statusReason"] = {"text": last.reason}
    reasons = [f"Override: {key} — {reason}" for key, reason in draft.overrides.items() if reason.strip()]
    notes = [draft.note.strip(), *reasons]
    if any(notes):
        resource["note"] = [{"text": note} for note in notes if note]
    return resource


def dispense_picture(prescription: Prescription) -> dict[str, Any]:
    """MedicationDispense of a dispensed prescription."""
    given = next(e for e in prescription.events if e.step == "dispense")
    return {
        "resourceType": "MedicationDispense",
        "id": f"{prescription.id}-d",
        "identifier": [{"system": IDENTIFIER, "value": prescription.id}],
        "status": "completed",
        "medicationCodeableConcept": _concept(prescription.draft),
        "subject": {"reference": f"Patient/{prescription.draft.patient}"},
        "performer": [{"actor": {"display": given.who}}],
        "authorizingPrescription": [{"reference": f"MedicationRequest/{prescription.id}"}],
        "whenHandedOver": given.at.isoformat(),
        "dosageInstruction": [_dosage(prescription.draft)],
    }
