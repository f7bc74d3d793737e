"""Readings as FHIR R4 Observations after the US Core vital signs profiles. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from bedside.monitoring.ingest.model.metrics import DIASTOLIC, MEAN, METRICS, SYSTOLIC, Metric
from bedside.monitoring.series.model.identity import PANEL
from bedside.monitoring.series.model.reading import Reading

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
PROFILES: Final = "http://hl7.org/fhir/us/core/StructureDefinition/"
CATEGORIES: Final = "http://terminology.hl7.org/CodeSystem/observation-category"
CATEGORY_NAMES: Final = {"vital-signs": "Vital Signs", "laboratory": "Laboratory", "exam": "Exam"}
PATIENT_SUPPLIED: Final = {
    "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-tags",
    "code": "patient-supplied",
    "display": "Patient Supplied",
}
FLAGS: Final = "urn:bedside:reading-flag"
"""System of the tags that say what is to be known of a reading: late, clock, implausible, …"""
LETTERS: Final = {
    "A": "Alert",
    "C": "New confusion",
    "V": "Responds to voice",
    "P": "Responds to pain",
    "U": "Unresponsive",
}
UNKNOWN: Final = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "unknown"}]}
PULSE_OXIMETRY: Final = {
    "system": LOINC,
    "code": "2708-6",
    "display": "Oxygen saturation in Arterial blood",
}


class Shown(msgspec.Struct, frozen=True):
    """A reading and what the record knows beside it."""

    reading: Reading
    performer: str | None = None
    withdrawn_at: datetime | None = None


def instant(moment: datetime) -> str:
    """ISO 8601 in UTC, as exact as it is."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def observation(shown: Sequence[Shown]) -> dict[str, Any]:
    """The Observation of one reading, or of the pressures of one moment. Each arrival of a part of it and its
    withdrawal are a version."""
    members = sorted(shown, key=lambda one: one.reading.number)
    first = members[0].reading
    metric = METRICS[first.number]
    withdrawn = next((one.withdrawn_at for one in members if one.withdrawn_at), None)
    arrivals = {one.reading.received_at for one in members}
    updated = max([*arrivals, *([withdrawn] if withdrawn else [])])
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": first.id,
        "meta": {
            "versionId": str(len(arrivals) + bool(withdrawn)),
            "lastUpdated": instant(updated),
            **({"profile": [PROFILES + metric.profile]} if metric.profile else {}),
        },
        "status": "entered-in-error" if withdrawn else "final",
        **_category(metric),
        "code": _code(metric, panel=first.number in PANEL),
        "subject": {"reference": f"Patient/{first.patient}"},
        "effectiveDateTime": instant(first.device_time),
        "issued": instant(max(arrivals)),
    }
    tags = [PATIENT_SUPPLIED] if first.source == "patient" else []
    flags = frozenset().union(*(one.reading.flags for one in members)) - {"cuffless"}
    tags += [{"system": FLAGS, "code": flag} for flag in sorted(flags)]
    if tags:
        resource["meta"]["tag"] = tags
    if members[0].performer and members[0].performer.startswith(("Patient/", "Practitioner", "RelatedPerson/")):
        resource["performer"] = [{"reference": members[0].performer}]
    elif first.source == "patient":
        resource["performer"] = [{"reference": f"Patient/{first.patient}"}]
    if first.device is not None:
        resource["device"] = {"reference": f"Device/{first.device}", "display": first.device_kind}
    if first.method is not None:
        resource["method"] = {"text": first.method}
    notes = [
        {"text": f"{METRICS[one.reading.number].display}: sent as {_plain(one.reading.sent[0])} {one.reading.sent[1]}"}
        for one in members
        if one.reading.sent is not None
    ]
    if notes:
        resource["note"] = notes
    return resource | _values(members)


def _category(metric: Metric) -> dict[str, Any]:
    if not metric.category:
        return {}
    coding = {"system": CATEGORIES, "code": metric.category, "display": CATEGORY_NAMES[metric.category]}
    return {"category": [{"coding": [coding]}]}


def _values(members: Sequence[Shown]) -> dict[str, Any]:
    first = members[0].reading
    if first.number not in PANEL:
        if METRICS[first.number].letters:
            letter = str(first.value)
            coding = {"system": "urn:bedside:acvpu", "code": letter, "display": LETTERS[letter]}
            return {"valueCodeableConcept": {"coding": [coding], "text": LETTERS[letter]}}
        return {"valueQuantity": _quantity(METRICS[first.number], first.raw)}
    held = {one.reading.number: one.reading for one in members}
    components: list[dict[str, Any]] = []
    for number in (SYSTOLIC, DIASTOLIC, MEAN):
        code = {"code": _code(METRICS[number], panel=False)}
        if number in held:
            components.append(code | {"valueQuantity": _quantity(METRICS[number], held[number].raw)})
        elif number != MEAN:
            components.append(code | {"dataAbsentReason": UNKNOWN})
    return {"component": components}


def _code(metric: Metric, *, panel: bool) -> dict[str, Any]:
    if panel:
        text = "Blood pressure panel with all children optional"
        return {"coding": [{"system": LOINC, "code": "85354-9", "display": text}], "text": "Blood pressure"}
    coding = [{"system": metric.system, "code": metric.loinc, "display": metric.display}]
    if metric.name == "spo2":
        coding.append(PULSE_OXIMETRY)
    return {"coding": coding, "text": metric.display}


def texts() -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """What stands beside each code and each category, both `system|code`: what a search by text finds."""
    concepts = [_code(METRICS[SYSTOLIC], panel=True), *(_code(one, panel=False) for one in METRICS.values())]
    codes = {
        f"{coding['system']}|{coding['code']}": tuple(dict.fromkeys((coding["display"], concept["text"])))
        for concept in concepts
        for coding in concept["coding"]
    }
    return codes, {f"{CATEGORIES}|{code}": (name,) for code, name in CATEGORY_NAMES.items()}


def _quantity(metric: Metric, raw: float) -> dict[str, Any]:
    return {"value": _plain(raw), "unit": metric.unit, "system": UCUM, "code": metric.unit}


def _plain(number: float) -> float | int:
    """178.0 as 178: a meter that shows no decimals measured none."""
    return int(number) if float(number).is_integer() and abs(number) < 2**53 else number
