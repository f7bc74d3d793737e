"""Waveforms as FHIR R4: an Observation for each device and frequency, a component with SampledData for each lead.

Source: HL7 FHIR R4, SampledData (hl7.org/fhir/R4/datatypes.html#SampledData) and its example of an ECG: "E" is said
where there is no value, for a gap and with the lead off.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from bedside.monitoring.ingest.model.pack import SECOND
from bedside.monitoring.waves.model.leads import Lead
from bedside.monitoring.waves.model.message import NO_SAMPLE
from bedside.monitoring.waves.model.strip import Strip, Track

MDC: Final = "urn:iso:std:iso:11073:10101"
NOTHING: Final = "E"


def bundle(strip: Strip) -> dict[str, Any]:
    """A collection of the Observations of a strip."""
    groups: dict[tuple[str, float], list[Track]] = {}
    for track in strip.tracks:
        groups.setdefault((track.device, track.hz), []).append(track)
    entries = [{"resource": _observation(strip.patient, group)} for group in groups.values()]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}


def _observation(patient: str, tracks: Sequence[Track]) -> dict[str, Any]:
    first = tracks[0]
    end = max(track.start + round(len(track.raw) * SECOND / track.hz) for track in tracks)
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "procedure"}]}
        ],
        "code": {"text": "Waveforms"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectivePeriod": {"start": _at(first.start), "end": _at(end)},
        "device": {"reference": f"Device/{first.device}"},
        "component": [_component(track) for track in tracks],
    }


def _component(track: Track) -> dict[str, Any]:
    words = (NOTHING if raw == NO_SAMPLE else str(raw) for raw in track.good)
    return {
        "code": _code(track.lead),
        "valueSampledData": {
            "origin": {
                "value": _number(track.o),
                "unit": track.unit,
                "system": "http://unitsofmeasure.org",
                "code": track.unit,
            },
            "period": _number(1000 / track.hz),
            "factor": _number(track.k),
            "dimensions": 1,
            "data": " ".join(words),
        },
    }


def _number(value: float) -> float | int:
    """As short as it can be said: FHIR's decimals keep their digits."""
    exact = Decimal(repr(value))
    return int(exact) if exact == exact.to_integral_value() else value


def _code(lead: Lead) -> dict[str, Any]:
    coding = {} if lead.mdc is None else {"coding": [{"system": MDC, "code": str(lead.mdc), "display": lead.display}]}
    return {**coding, "text": lead.name}


def _at(time: int) -> str:
    return datetime.fromtimestamp(time / SECOND, UTC).isoformat(timespec="milliseconds")
