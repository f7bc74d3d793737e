"""Small resources for tests."""

from typing import Any


def patient(id_: str | None = None, **more: Any) -> dict[str, Any]:
    """A Patient."""
    made: dict[str, Any] = {"resourceType": "Patient", "name": [{"family": "Quist", "given": ["Ada"]}], **more}
    return {**made, "id": id_} if id_ else made


def pulse(
    patient_id: str, value: float = 72, when: str = "2026-01-02T08:00:00Z", code: str = "8867-4"
) -> dict[str, Any]:
    """A heart rate."""
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient_id}"},
        "effectiveDateTime": when,
        "valueQuantity": {
            "value": value,
            "unit": "beats/minute",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    }
