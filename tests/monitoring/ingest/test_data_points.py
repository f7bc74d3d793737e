"""Data points of Open mHealth and IEEE 1752.1: what becomes a reading, what is refused whole."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.monitoring.ingest.test_observations import JSON, check

from bedside.monitoring.ingest.model.data_points import SCHEMAS, decode
from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.ingest.model.taken import NotAPack, Told

pytestmark = pytest.mark.unit

NOW = 1_795_262_400_000_000
AT = "2026-11-21T11:59:59Z"
FRAME = {"effective_time_frame": {"date_time": AT}}


def of(*points: Any) -> Told:
    return decode(orjson.dumps(points[0] if len(points) == 1 else list(points)), NOW)


def point(schema: str, body: dict[str, Any], **header: Any) -> dict[str, Any]:
    named = {"namespace": "omh", "name": schema, "version": "2.0"}
    return {"header": {"id": "1", "schema_id": named, **header}, "body": {**FRAME, **body}}


def value(number: Any, unit: str) -> dict[str, Any]:
    return {"value": number, "unit": unit}


def rows(told: Told) -> list[tuple[str, float]]:
    return [(METRICS[m].name, v) for m, v in zip(told.pack.metric, told.pack.value, strict=True)]


GOOD = [
    point(
        "blood-pressure",
        {"systolic_blood_pressure": value(120, "mmHg"), "diastolic_blood_pressure": value(80, "mmHg")},
    ),
    point("heart-rate", {"heart_rate": value(70, "beats/min")}),
    point("body-weight", {"body_weight": value(180, "lb")}),
    point("body-weight", {"body_weight": value(80.5, "kg")}),
    point("body-temperature", {"body_temperature": value(98.6, "F")}),
    point("body-temperature", {"body_temperature": value(36.5, "C")}),
    point("blood-glucose", {"blood_glucose": value(5.5, "mmol/L"), "specimen_source": "capillary blood"}),
    point("blood-glucose", {"blood_glucose": value(99, "mg/dL")}),
    point("respiratory-rate", {"respiratory_rate": value(14, "breaths/min")}),
    point(
        "oxygen-saturation",
        {
            "oxygen_saturation": value(93, "%"),
            "supplemental_oxygen_flow_rate": value(2, "L/min"),
            "measurement_method": "pulse oximetry",
        },
        acquisition_provenance={"modality": "sensed"},
    ),
]
CHARTED = [
    [("systolic", 120), ("diastolic", 80)],
    [("heart-rate", 70)],
    [("weight", 81.65)],
    [("weight", 80.5)],
    [("temperature", 37.0)],
    [("temperature", 36.5)],
    [("glucose", 99)],
    [("glucose", 99)],
    [("respiratory-rate", 14)],
    [("spo2", 93), ("oxygen", 2)],
]


@pytest.mark.parametrize(("one", "charted"), [*zip(GOOD, CHARTED, strict=True)])
@pytest.mark.parametrize("namespace", ["omh", "ieee"])
def test_each_schema_and_unit(one: dict[str, Any], charted: list[tuple[str, float]], namespace: str) -> None:
    schema = one["header"]["schema_id"] | {"namespace": namespace}
    told = of({**one, "header": {**one["header"], "schema_id": schema}})
    assert (rows(told), told.pack.refused) == (charted, [])
    assert not told.several


def test_every_schema_is_shown_above() -> None:
    assert {one["header"]["schema_id"]["name"] for one in GOOD} == set(SCHEMAS)


def test_an_array_is_taken_point_by_point() -> None:
    told = of(GOOD[0], "nothing", GOOD[1], {"header": {}})
    assert (told.places, told.several, told.records) == ([0, 0, 2], True, 4)
    assert [one.index for one in told.pack.refused] == [1, 3]


@pytest.mark.parametrize(
    ("frame", "moment"),
    [
        ({"date_time": "2026-11-21T05:59:59.25-06:00"}, NOW - 750_000),
        ({"time_interval": {"start_date_time": "2026-11-21T11:50:00Z", "end_date_time": AT}}, NOW - 1_000_000),
        (
            {"time_interval": {"start_date_time": "2026-11-21T11:50:00Z", "duration": value(5, "min")}},
            NOW - 300_000_000,
        ),
        ({"time_interval": {"end_date_time": AT, "duration": value(30, "sec")}}, NOW - 1_000_000),
    ],
)
def test_the_time_of_an_interval_is_its_end(frame: dict[str, Any], moment: int) -> None:
    assert of(point("heart-rate", {"heart_rate": value(70, "beats/min"), "effective_time_frame": frame})).pack.time == [
        moment
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"heart_rate": value(70, "Hz")}, "wrong unit: beats/min"),
        ({"heart_rate": value(70, "%")}, "wrong unit"),
        ({"heart_rate": {"value": 70}}, "wrong unit"),
        ({"heart_rate": 70}, "no value and unit"),
        ({}, "no value and unit"),
        ({"heart_rate": value("70", "beats/min")}, "not a number"),
        ({"heart_rate": value(2047, "beats/min")}, "special value"),
        ({"descriptive_statistic": "maximum"}, "statistic"),
        ({"effective_time_frame": None}, "effective_time_frame is missing"),
        ({"effective_time_frame": {"date_time": "2026-11-21T11:59:59"}}, "with a zone"),
        ({"effective_time_frame": {"date_time": "2026-11-21"}}, "with a zone"),
        ({"effective_time_frame": {"time_interval": {"date": "2026-11-21", "part_of_day": "morning"}}}, "neither"),
        ({"effective_time_frame": {"time_interval": {"end_date_time": AT}}}, "duration"),
        ({"effective_time_frame": {"time_interval": {"duration": value(1, "min")}}}, "begins or ends"),
        ({"effective_time_frame": {"time_interval": {"end_date_time": AT, "duration": value(1, "d")}}}, "duration"),
        ({"effective_time_frame": {"time_interval": {"end_date_time": AT, "duration": value(2, "h")}}}, "statistic"),
        ({"effective_time_frame": {"time_interval": {"end_date_time": AT, "duration": value(-1, "h")}}}, "duration"),
    ],
)
def test_what_is_refused(body: dict[str, Any], reason: str) -> None:
    good = {} if "heart_rate" in body or not body else {"heart_rate": value(70, "beats/min")}
    told = of(point("heart-rate", {**good, **body}))
    assert rows(told) == []
    (refusal,) = told.pack.refused
    assert reason in refusal.reason


def test_what_a_person_typed_or_another_fluid_told_is_no_reading_of_a_device() -> None:
    typed = point("heart-rate", {"heart_rate": value(70, "beats/min")}, modality="self-reported")
    tears = point("blood-glucose", {"blood_glucose": value(99, "mg/dL"), "specimen_source": "tears"})
    unknown = point("step-count", {"step_count": value(99, "steps")})
    other = {**GOOD[1], "header": {"schema_id": {"namespace": "acme", "name": "heart-rate"}}}
    told = of(typed, tears, unknown, other)
    assert rows(told) == []
    assert len(told.pack.refused) == 4


def test_a_pressure_is_taken_whole_or_not() -> None:
    for low in (value(2047, "mmHg"), value(130, "mmHg"), None):
        told = of(
            point("blood-pressure", {"systolic_blood_pressure": value(120, "mmHg"), "diastolic_blood_pressure": low})
        )
        assert rows(told) == []


@pytest.mark.parametrize("body", [b"", b"7", b"null", b'"x"', b"\xff", b"[" * 100_000, orjson.dumps([1] * 2001)])
def test_what_is_no_data_point_at_all(body: bytes) -> None:
    with pytest.raises(NotAPack):
        decode(body, NOW)


@given(st.data())
def test_nothing_breaks_it_and_nothing_impossible_comes_of_it(data: st.DataObject) -> None:
    """One part of a good point is anything at all."""
    one = orjson.loads(orjson.dumps(data.draw(st.sampled_from(GOOD))))
    part: Any = one
    while True:
        key = data.draw(
            st.sampled_from([*part, "modality", "descriptive_statistic", "specimen_source", "value", "unit"])
        )
        if isinstance(part.get(key), dict) and part[key] and data.draw(st.booleans()):
            part = part[key]
            continue
        part[key] = data.draw(JSON)
        break
    try:
        raw = orjson.dumps([GOOD[0], one])
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, half of a surrogate pair
        return
    check(decode(raw, NOW))
