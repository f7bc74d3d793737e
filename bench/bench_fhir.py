"""FHIR in memory: to read and judge a resource, to take its search values. Processor time, medians of five rounds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from bedside.fhir import grammar, index, structure
from bench.figure import Figure

EACH = 500
UCUM = "http://unitsofmeasure.org"


def _coded(system: str, code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


VITALS = _coded("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital signs")
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "0189f3c2-7a52-7d5a-9a1a-000000000000",
    "meta": {"versionId": "1", "lastUpdated": "2026-11-21T10:00:00.123456Z"},
    "status": "final",
    "category": [VITALS],
    "code": _coded("http://loinc.org", "8867-4", "Heart rate"),
    "subject": {"reference": "Patient/0189f3c2-7a52-7d5a-9a1a-000000000001"},
    "encounter": {"reference": "Encounter/0189f3c2-7a52-7d5a-9a1a-000000000002"},
    "effectiveDateTime": "2026-11-21T09:59:30+01:00",
    "issued": "2026-11-21T10:00:00.123Z",
    "device": {"reference": "Device/cuff-1"},
    "valueQuantity": {"value": 72, "unit": "beats/minute", "system": UCUM, "code": "/min"},
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "0189f3c2-7a52-7d5a-9a1a-000000000001",
    "identifier": [{"system": "http://x.org/numbers", "value": "4711", "type": {"text": "Medical record number"}}],
    "active": True,
    "name": [{"use": "official", "family": "Ångström", "given": ["Zoë", "Maria"], "prefix": ["Dr."]}],
    "telecom": [{"system": "phone", "value": "+1 555 0100", "use": "home"}],
    "gender": "female",
    "birthDate": "1948-02-29",
    "address": [{"line": ["1 Main St"], "city": "Springfield", "state": "MA", "postalCode": "01101", "country": "US"}],
    "communication": [{"language": _coded("urn:ietf:bcp:47", "en-US", "English")}],
    "contact": [{"name": {"text": "Ada"}, "telecom": [{"system": "phone", "value": "+1 555 0101"}]}],
}
QUERY = "patient=Patient/1&code=http://loinc.org|8867-4&_sort=-date&_count=20"


def measure() -> Iterator[Figure]:
    """Microseconds of processor time for each."""
    for name, resource, limit in (("Observation", OBSERVATION, 100), ("Patient", PATIENT, 150)):
        raw = structure.write(resource)
        assert structure.validate(raw) == [], "the sample must be good, or the bench measures refusals"
        yield Figure(f"read and judge one {name}", _microseconds(partial(structure.accept, raw)), "µs", limit)
        yield Figure(
            f"search values of one {name}",
            _microseconds(partial(index.extract, resource, composites=False)),
            "µs",
            limit,
        )
    yield Figure("parse one search", _microseconds(lambda: grammar.parse("Observation", QUERY)), "µs", 50)


def _microseconds(work: Callable[[], Any]) -> float:
    work()
    rounds = []
    for _ in range(5):
        begun = time.process_time_ns()
        for _ in range(EACH):
            work()
        rounds.append((time.process_time_ns() - begun) / EACH / 1000)
    return statistics.median(rounds)
