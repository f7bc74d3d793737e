"""Open mHealth and IEEE 1752.1 data points, one or an array, to a Pack. Pure.

A data point is a header, which names the schema of its body, and the body (openmhealth.org/schemas; IEEE 1752.1-2021).
Both families share field names and units here; a point is taken whole or refused whole.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.metrics import UNITS as ACCEPTED
from bedside.monitoring.ingest.model.pack import Refusal
from bedside.monitoring.ingest.model.taken import (
    NotAPack,
    Refused,
    Taken,
    Told,
    add_whole,
    charted,
    empty,
    end_of,
    few,
    instant,
    json_of,
    number,
    refuse_impossible_pairs,
    timely,
)


class Field(NamedTuple):
    """One value of a body. metric: ours. needed: whether a body without it tells nothing."""

    name: str
    metric: str
    needed: bool = True


SCHEMAS: Final[dict[str, tuple[Field, ...]]] = {
    "blood-pressure": (Field("systolic_blood_pressure", "systolic"), Field("diastolic_blood_pressure", "diastolic")),
    "heart-rate": (Field("heart_rate", "heart-rate"),),
    "body-weight": (Field("body_weight", "weight"),),
    "body-temperature": (Field("body_temperature", "temperature"),),
    "blood-glucose": (Field("blood_glucose", "glucose"),),
    "oxygen-saturation": (
        Field("oxygen_saturation", "spo2"),
        Field("supplemental_oxygen_flow_rate", "oxygen", needed=False),
    ),
    "respiratory-rate": (Field("respiratory_rate", "respiratory-rate"),),
}
"""By name, of both namespaces, `omh` and `ieee`."""
UNITS: Final = {
    # the schemas' own words: UCUM. Whether a metric is measured in it is for its table to say.
    **{"mmHg": "mm[Hg]", "beats/min": "/min", "breaths/min": "/min", "%": "%", "L/min": "L/min"},
    **{"kg": "kg", "g": "g", "lb": "[lb_av]", "C": "Cel", "F": "[degF]", "K": "K"},
    **{"mg/dL": "mg/dL", "mmol/L": "mmol/L"},
}
DURATIONS: Final = {"ms": 0.001, "sec": 1.0, "min": 60.0, "h": 3600.0}
"""Seconds in a unit of duration; what is longer makes no reading."""
NOT_BLOOD: Final = ("tears",)
"""Specimens whose glucose is not the blood's."""


def decode(payload: bytes, received: int) -> Told:
    """Read what came at `received` (µs since 1970). Raises NotAPack when it is no data point and no array."""
    found = json_of(payload)
    if not isinstance(found, dict | list):
        raise NotAPack("neither a data point nor an array of them")
    points = few(found if isinstance(found, list) else [found])
    told = Told(empty(payload, received), records=len(points), several=isinstance(found, list))
    for index, point in enumerate(points):
        try:
            add_whole(told.pack, told.places, index, _readings(point, received))
        except Refused as refusal:
            told.pack.refused.append(Refusal(index, str(refusal)))
    refuse_impossible_pairs(told.pack, told.places, whole=True)
    return told


def _readings(point: Any, received: int) -> list[Taken]:
    header, body = (point.get(part) if isinstance(point, dict) else None for part in ("header", "body"))
    if not isinstance(header, dict) or not isinstance(body, dict):
        raise Refused("a data point has a header and a body")
    fields = _schema(header)
    provenance = header.get("acquisition_provenance")
    modality = header.get("modality", provenance.get("modality") if isinstance(provenance, dict) else None)
    if modality not in (None, "sensed"):
        raise Refused("what was not sensed is no reading of a device: it is typed in Bedside")
    if body.get("descriptive_statistic", "average") != "average":
        raise Refused("a statistic over many values is no reading")
    if body.get("measurement_method", "pulse oximetry") != "pulse oximetry" and "oxygen_saturation" in body:
        raise Refused("oxygen saturation is taken of pulse oximetry alone")
    if body.get("specimen_source") in NOT_BLOOD:
        raise Refused("that specimen's glucose is not the blood's")
    moment = timely(_moment(body.get("effective_time_frame")), received)
    return [_taken(body.get(one.name), one, moment) for one in fields if one.needed or one.name in body]


def _schema(header: dict[str, Any]) -> tuple[Field, ...]:
    schema = header.get("schema_id")
    if not isinstance(schema, dict) or schema.get("namespace") not in ("omh", "ieee"):
        raise Refused("the header names no schema of Open mHealth or IEEE 1752")
    name = schema.get("name")
    if not isinstance(name, str) or name not in SCHEMAS:
        raise Refused(f"unknown schema: {', '.join(SCHEMAS)} are taken")
    return SCHEMAS[name]


def _taken(value: Any, one: Field, moment: int) -> Taken:
    if not isinstance(value, dict):
        raise Refused(f"there is no value and unit in {one.name}")
    unit = value.get("unit")
    metric = BY_NAME[one.metric]
    taken = {word: code for word, code in UNITS.items() if code in ACCEPTED[metric.number]}
    if not isinstance(unit, str) or unit not in taken:
        raise Refused(f"wrong unit: {', '.join(taken)} are taken")
    return Taken(metric, moment, *charted(metric, number(value.get("value"), "the value"), taken[unit]))


def _moment(frame: Any) -> int:
    if not isinstance(frame, dict):
        raise Refused("effective_time_frame is missing")
    if "date_time" in frame:
        return instant(frame["date_time"], "date_time")
    interval = frame.get("time_interval")
    if not isinstance(interval, dict) or "part_of_day" in interval:
        raise Refused("effective_time_frame has neither a date_time nor a time_interval with times")
    given = {side: f"{side}_date_time" for side in ("start", "end") if f"{side}_date_time" in interval}
    ends = {side: instant(interval[name], name) for side, name in given.items()}
    if len(ends) == 2:
        return end_of(ends["start"], ends["end"])
    length = _length(interval.get("duration"))
    if "end" in ends:
        return end_of(ends["end"] - length, ends["end"])
    if "start" in ends:
        return end_of(ends["start"], ends["start"] + length)
    raise Refused("a time_interval says when it begins or ends")


def _length(duration: Any) -> int:
    """µs."""
    unit = duration.get("unit") if isinstance(duration, dict) else None
    if not isinstance(unit, str) or unit not in DURATIONS:
        raise Refused(f"a duration in {', '.join(DURATIONS)} is missing")
    seconds = number(duration.get("value"), "the duration") * DURATIONS[unit]
    if not 0 <= seconds <= 86400:
        raise Refused("the duration is not one of a reading")
    return timedelta(seconds=seconds) // timedelta(microseconds=1)
