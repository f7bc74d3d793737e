"""What app tells the record of prescribing."""

from __future__ import annotations

from typing import Any

from bedside import records
from bedside.prescribing.model.picture import IDENTIFIER, REFILL


def _ours(resource: dict[str, Any]) -> bool:
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(
        isinstance(i, dict) and i.get("system") in {IDENTIFIER, REFILL} for i in identifiers
    )


GOVERNED = (
    records.Governed("MedicationRequest", "prescribing", _ours, "Sign, cancel or answer the prescription itself."),
    records.Governed("MedicationDispense", "prescribing", _ours, "Dispense the prescription at the pharmacy's door."),
)
