"""An hour that stands for readings that were thinned, as FHIR R4: an Observation with statistics and no value. Pure.

`h.12.3.1795262400000000` is metric 3 of device 12 in the hour that begins at that µs. A client that takes a value for
a measurement finds none here: lowest, mean, highest and count are components with codes of their own.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.series.model.observation import CATEGORIES, CATEGORY_NAMES, LOINC, UCUM, instant
from bedside.monitoring.series.model.reading import EPOCH

SHAPE: Final = re.compile(r"h\.([1-9][0-9]{0,9})\.([1-9][0-9]{0,3})\.([1-9][0-9]{0,18})")
STATISTICS: Final = "http://terminology.hl7.org/CodeSystem/observation-statistics"
SUMMARY: Final = {
    "system": "urn:bedside:summary",
    "code": "thinned",
    "display": "Summary of readings that were thinned",
}
NOTE: Final = (
    "Not a measured value: a summary of %(n)s readings of one hour. The readings themselves were thinned under the"
    " clinic's retention policy on %(day)s."
)


class Key(NamedTuple):
    """Of one hour. hour: µs since 1970."""

    device: int
    metric: int
    hour: int


def key(id: str) -> Key | None:  # noqa: A002 - FHIR's word
    """The hour that an id stands for, or None."""
    found = SHAPE.fullmatch(id)
    if found is None:
        return None
    device, metric, hour = (int(part) for part in found.groups())
    return Key(device, metric, hour) if metric in METRICS and device < 2**31 and hour < 2**62 else None


def observation(row: dict[str, Any]) -> dict[str, Any]:
    """The Observation of a row of store.summaries.by_hour."""
    metric = METRICS[row["number"]]
    begins: datetime = EPOCH + timedelta(microseconds=row["hour"])
    coding = [{"system": LOINC, "code": metric.loinc, "display": metric.display}]
    components = [
        {
            "code": {"coding": [{"system": STATISTICS, "code": code, "display": code.capitalize()}]},
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
        }
        for code, value, unit in (
            ("minimum", row["low"], metric.unit),
            ("average", round(row["mean"], 4), metric.unit),
            ("maximum", row["high"], metric.unit),
            ("count", row["n"], "1"),
        )
    ]
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"h.{row['device_number']}.{row['number']}.{row['hour']}",
        "meta": {"versionId": "1", "lastUpdated": instant(row["made_at"]), "tag": [SUMMARY]},
        "status": "final",
        "category": [
            {"coding": [{"system": CATEGORIES, "code": metric.category, "display": CATEGORY_NAMES[metric.category]}]}
        ],
        "code": {"coding": coding, "text": f"{metric.display}, summary of one hour"},
        "subject": {"reference": f"Patient/{row['patient']}"},
        "effectivePeriod": {"start": instant(begins), "end": instant(begins + timedelta(hours=1))},
        "issued": instant(row["made_at"]),
        "note": [{"text": NOTE % {"n": row["n"], "day": f"{row['made_at']:%Y-%m-%d}"}}],
        "component": components,
    }
    if row["source"] == "device":
        resource["device"] = {"reference": f"Device/{row['device']}", "display": row["device_kind"]}
    return resource
