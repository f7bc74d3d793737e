"""What a device that speaks FHIR is answered: each entry by itself, with the id under which /fhir/R4 shows it."""

from __future__ import annotations

from typing import Any

from bedside.fhir.issues import Issue, outcome
from bedside.monitoring.ingest.model.taken import Told
from bedside.monitoring.series.model.identity import Identity


def answer(told: Told, device: int) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, resource and headers, once `told` is committed. device: its number."""
    ids = _ids(told, device)
    reasons = {refusal.index: refusal.reason for refusal in told.pack.refused}
    if told.several:
        entries = [_entry(index, ids, reasons) for index in range(told.records)]
        return 200, {"resourceType": "Bundle", "type": "batch-response", "entry": entries}, {}
    if 0 in reasons:
        return 422, _refused("Observation", reasons[0]), {}
    stored = outcome([Issue("information", "informational", "", "The readings are stored.")])
    return 201, stored, {"location": f"/fhir/R4/Observation/{ids[0][0]}"}


def _ids(told: Told, device: int) -> dict[int, list[str]]:
    """The ids of the Observations that show what each entry told, the first that of its own code."""
    found: dict[int, list[str]] = {}
    for place, metric, time in zip(told.places, told.pack.metric, told.pack.time, strict=True):
        found.setdefault(place, []).append(Identity(device, metric, time).id)
    return found


def _entry(index: int, ids: dict[int, list[str]], reasons: dict[int, str]) -> dict[str, Any]:
    if index in reasons:
        refused = _refused(f"Bundle.entry[{index}].resource", reasons[index])
        return {"response": {"status": "422 Unprocessable Entity", "outcome": refused}}
    return {"response": {"status": "201 Created", "location": f"Observation/{ids[index][0]}"}}


def _refused(where: str, reason: str) -> dict[str, Any]:
    return outcome([Issue("error", "business-rule", where, reason)])
