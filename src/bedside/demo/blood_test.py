"""A laboratory's report that came this morning and that nobody has seen yet, one of its values critical."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from bedside.demo.people import identity

TESTS = (
    ("2823-3", "Potassium", "6.3", "3.5", "5.1", "HH"),
    ("2951-2", "Sodium", "139", "136", "145", None),
    ("2075-0", "Chloride", "103", "98", "107", None),
)
"""LOINC code, name, value, range (mmol/L), flag. The ranges are those of adults' serum that most laboratories print."""
SYSTEMS = {
    "category": "http://terminology.hl7.org/CodeSystem/observation-category",
    "flag": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
    "section": "http://terminology.hl7.org/CodeSystem/v2-0074",
}


def blood_test(seed: int, patient: str, now: datetime) -> list[dict[str, Any]]:
    """Its Observations, and the DiagnosticReport that holds them."""
    taken, issued = now - timedelta(hours=4), now - timedelta(hours=1, minutes=20)
    about = {
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": taken.isoformat(timespec="seconds"),
        "issued": issued.isoformat(timespec="seconds"),
        "status": "final",
        "performer": [{"display": "Harbor Laboratory"}],
    }
    made = [
        {
            "resourceType": "Observation",
            "id": identity(seed, f"blood-test-{loinc}"),
            "category": [_concept("category", "laboratory")],
            "code": {"coding": [{"system": "http://loinc.org", "code": loinc, "display": name}], "text": name},
            "valueQuantity": _amount(value),
            "referenceRange": [{"low": _amount(low), "high": _amount(high)}],
            **({"interpretation": [_concept("flag", flag)]} if flag else {}),
            **about,
        }
        for loinc, name, value, low, high, flag in TESTS
    ]
    report = {
        "resourceType": "DiagnosticReport",
        "id": identity(seed, "blood-test"),
        "category": [_concept("section", "CH")],
        "code": {"coding": [{"system": "http://loinc.org", "code": "24326-1"}], "text": "Electrolytes"},
        "result": [{"reference": f"Observation/{one['id']}"} for one in made],
        "conclusion": "Potassium critically high, sample not haemolysed. Telephoned to nobody yet.",
        **about,
    }
    return [*made, report]


def _concept(kind: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": SYSTEMS[kind], "code": code}]}


def _amount(value: str) -> dict[str, Any]:
    return {"value": Decimal(value), "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}
