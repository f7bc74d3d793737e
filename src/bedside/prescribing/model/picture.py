"""A prescription's FHIR R4 picture: MedicationRequest and MedicationDispense."""

from __future__ import annotations

from typing import Any

from bedside.prescribing.model.formulary import medicine
from bedside.prescribing.model.prescription import FREQUENCIES, Draft, Prescription, instruction
from bedside.prescribing.model.refill import Refill

IDENTIFIER = "urn:bedside:prescription"
REFILL = "urn:bedside:refill"
STATUS = {
    "signed": "active",
    "accepted": "active",
    "dispensed": "completed",
    "refused": "stopped",
    "cancelled": "cancelled",
}
"""medicationrequest-status (hl7.org/fhir/R4/valueset-medicationrequest-status.html)."""

REFILL_STATUS = {"asked": "draft", "renewed": "completed", "refused": "stopped"}
"""The same of a request: never active."""

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


def request_picture(prescription: Prescription, requester: str | None, refill: Refill | None = None) -> dict[str, Any]:
    """MedicationRequest with the prescription's own id. requester: the prescriber's Practitioner reference.

    refill: the request that it answers.
    """
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
    if refill:
        resource["basedOn"] = [{"reference": f"MedicationRequest/{refill.id}"}]
        resource["priorPrescription"] = {"reference": f"MedicationRequest/{refill.prescription}"}
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


def refill_picture(refill: Refill, prior: Prescription, prescriber: str | None) -> dict[str, Any]:
    """A patient's request as R4 has it: a MedicationRequest of intent proposal. intent is a modifier element, so that
    nobody may take it for an order, and its status is never active (docs/decisions/0010-refills.md).

    prior: what is to be renewed. prescriber: who is asked to answer, a Practitioner reference.
    """
    asker: dict[str, Any] = {"display": refill.asked_by_name}
    if refill.asked_by_reference:
        asker["reference"] = refill.asked_by_reference
    answering: dict[str, Any] = {"display": prior.prescriber_name}
    if prescriber:
        answering["reference"] = prescriber
    resource: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": refill.id,
        "identifier": [{"system": REFILL, "value": refill.id}],
        "status": REFILL_STATUS[refill.state],
        "intent": "proposal",
        "medicationCodeableConcept": _concept(prior.draft),
        "subject": {"reference": f"Patient/{refill.patient}"},
        "authoredOn": refill.asked_at.isoformat(),
        "requester": asker,
        "performer": answering,
        "priorPrescription": {"reference": f"MedicationRequest/{refill.prescription}"},
    }
    if refill.reason:
        resource["statusReason"] = {"text": refill.reason}
    if refill.note:
        resource["note"] = [{"text": refill.note}]
    return resource
