"""FHIR Observations of a device: what becomes a reading, what is refused whole, and that nothing breaks the door."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.ingest.model.observations import BY_LOINC, decode
from bedside.monitoring.ingest.model.taken import INSTRUMENT_SPECIALS, NotAPack, Told

pytestmark = pytest.mark.unit

NOW = 1_795_262_400_000_000
AT = "2026-11-21T11:59:59Z"
BASE = "https://clinic.example/fhir/R4/"
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def of(resource: Any) -> Told:
    return decode(orjson.dumps(resource), NOW, "bp-1", BASE)


def code(*numbers: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": number} for number in numbers]}


def quantity(value: Any, unit: str, **also: Any) -> dict[str, Any]:
    return {"value": value, "system": UCUM, "code": unit, **also}


def observation(**also: Any) -> dict[str, Any]:
    whole = {
        "resourceType": "Observation",
        "status": "final",
        "code": code("8867-4"),
        "effectiveDateTime": AT,
        "valueQuantity": quantity(70, "/min"),
        **also,
    }
    return {key: value for key, value in whole.items() if value is not None}


def pressure(high: Any = 120, low: Any = 80, **also: Any) -> dict[str, Any]:
    components = [
        {"code": code(number), "valueQuantity": quantity(value, "mm[Hg]")}
        for number, value in (("8480-6", high), ("8462-4", low))
    ]
    return observation(code=code("85354-9"), valueQuantity=None, component=components, **also)


def rows(told: Told) -> list[tuple[str, int, float]]:
    pack = told.pack
    return [(METRICS[m].name, t, v) for m, t, v in zip(pack.metric, pack.time, pack.value, strict=True)]


def why(told: Told) -> list[tuple[int, str]]:
    return [(one.index, one.reason) for one in told.pack.refused]


def test_a_value_and_a_panel() -> None:
    assert rows(of(observation())) == [("heart-rate", NOW - 1_000_000, 70)]
    assert rows(of(pressure())) == [("systolic", NOW - 1_000_000, 120), ("diastolic", NOW - 1_000_000, 80)]


def test_our_own_codes_stand_beside_those_of_others() -> None:
    both = {
        "coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "150456"}, *code("59408-5", "2708-6")["coding"]]
    }
    assert rows(of(observation(code=both, valueQuantity=quantity(97, "%")))) == [("spo2", NOW - 1_000_000, 97)]


def test_an_absent_pressure_is_no_reading_and_no_zero() -> None:
    absent = {"code": code("8462-4"), "dataAbsentReason": {"text": "error"}}
    known = {"code": code("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")}
    told = of(observation(code=code("85354-9"), valueQuantity=None, component=[known, absent]))
    assert rows(told) == [("systolic", NOW - 1_000_000, 120)]
    assert why(of(observation(valueQuantity=None, dataAbsentReason={"text": "error"})))


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ({"effectiveDateTime": "2026-11-21T07:59:58.5-04:00"}, NOW - 1_500_000),
        ({"effectiveInstant": "2026-11-21T11:59:58Z"}, NOW - 2_000_000),
        ({"effectivePeriod": {"start": "2026-11-21T11:50:00Z", "end": "2026-11-21T11:59:00Z"}}, NOW - 60_000_000),
    ],
)
def test_its_time(time: dict[str, Any], moment: int) -> None:
    resource = {key: value for key, value in observation().items() if key != "effectiveDateTime"} | time
    assert [at for _, at, _ in rows(of(resource))] == [moment]


@pytest.mark.parametrize(
    ("also", "reason"),
    [
        ({"status": "preliminary"}, "only what is final"),
        ({"status": "entered-in-error"}, "only what is final"),
        ({"status": None}, "only what is final"),
        ({"modifierExtension": []}, "must be understood"),
        ({"implicitRules": "urn:x"}, "must be understood"),
        ({"code": code("718-7")}, "unknown metric"),
        ({"code": {"text": "heart-rate"}}, "unknown metric"),
        ({"code": code("8867-4", "9279-1")}, "different things"),
        ({"code": code("8867-4", "85354-9")}, "different things"),
        ({"code": {"coding": [{"system": LOINC, "code": "pulse"}]}}, "unknown metric"),
        ({"valueQuantity": quantity(70, "/min", comparator=">")}, "bound"),
        ({"valueQuantity": {"value": 70, "unit": "/min"}}, "UCUM"),
        ({"valueQuantity": {"value": 70, "system": UCUM}}, "unit is missing"),
        ({"valueQuantity": quantity("70", "/min")}, "not a number"),
        ({"valueQuantity": quantity(2047, "/min")}, "special value"),
        ({"valueQuantity": None}, "no number"),
        ({"valueString": "70"}, "only a number"),
        ({"dataAbsentReason": {"text": "error"}}, "only a number"),
        ({"effectiveDateTime": None}, "not a date and time with a zone"),
        ({"effectiveDateTime": "2026-11-21"}, "not a date and time with a zone"),
        ({"effectiveDateTime": "2026-11-21T11:59:59"}, "not a date and time with a zone"),
        ({"effectiveDateTime": "2026-02-30T11:59:59Z"}, "not a date and time with a zone"),
        ({"effectivePeriod": {"start": AT}}, "not a date and time with a zone"),
        ({"effectivePeriod": {"start": AT, "end": "2026-11-21T11:00:00Z"}}, "ends before"),
        ({"effectivePeriod": {"start": "2026-11-20T11:59:59Z", "end": AT}}, "statistic"),
        ({"device": {"reference": "Device/other"}}, "another device"),
        ({"device": {"identifier": {"system": "urn:bedside:device", "value": "other"}}}, "another device"),
        ({"device": {"display": "my cuff"}}, "no Device of this record"),
        ({"subject": {"reference": "Group/1"}}, "no Patient of this record"),
        ({"subject": "Patient/p1"}, "no Patient of this record"),
        ({"component": [{"code": code("718-7"), "valueQuantity": quantity(1, "g/L")}]}, "a component is not known"),
        ({"component": [{"code": code("8867-4"), "valueQuantity": quantity(71, "/min")}]}, "one metric twice"),
    ],
)
def test_what_would_change_its_meaning_refuses_it(also: dict[str, Any], reason: str) -> None:
    told = of(observation(**also))
    assert rows(told) == []
    ((index, said),) = why(told)
    assert index == 0
    assert reason in said


def test_one_bad_part_refuses_the_whole() -> None:
    for high, low in ((120, 2047), (9000, 80), (80, 80)):
        told = of(pressure(high, low))
        assert rows(told) == []
        assert len(why(told)) == 1


def test_whose_it_says_it_is() -> None:
    assert of(observation(subject={"reference": "Patient/p1"})).patients == {0: "p1"}
    assert of(observation(subject={"reference": f"{BASE}Patient/p1"})).patients == {0: "p1"}
    assert of(observation(device={"identifier": {"system": "urn:bedside:device", "value": "bp-1"}})).patients == {}
    assert of(observation(subject={"reference": "Patient/p1"}, status="draft")).patients == {}


def bundle(*resources: Any, kind: str = "collection") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}


def test_each_entry_stands_for_itself() -> None:
    told = of(bundle(observation(), {"resourceType": "Patient"}, None, pressure()))
    assert (told.records, told.several, told.places) == (4, True, [0, 3, 3])
    assert [index for index, _ in why(told)] == [1, 2]
    batch = bundle(observation(), kind="batch")
    assert why(of(batch)) == [(0, "only POST Observation is taken here")]
    batch["entry"][0]["request"] = {"method": "POST", "url": "Observation"}
    assert rows(of(batch)) == rows(of(observation()))


def test_pressures_of_one_moment_that_cannot_be_fall_in_both_entries() -> None:
    low = observation(code=code("8462-4"), valueQuantity=quantity(130, "mm[Hg]"))
    told = of(bundle(pressure(120, 80, effectiveDateTime="2026-11-21T11:00:00Z"), pressure(120, 80), low))
    assert [name for name, _, _ in rows(told)] == ["systolic", "diastolic"]
    assert told.places == [0, 0]
    assert [index for index, _ in why(told)] == [1, 2]


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"7", b"{}", b'{"resourceType":"Patient"}', b"\xff", b"[" * 100_000, b'{"resourceType":[]}']
    + [orjson.dumps(bundle(*[1] * 2001))]
    + [orjson.dumps(bundle(kind=kind)) for kind in ("transaction", "searchset", "message")],
)
def test_what_is_no_observation_at_all(body: bytes) -> None:
    with pytest.raises(NotAPack):
        decode(body, NOW, "bp-1", BASE)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([*sorted(INSTRUMENT_SPECIALS), 101, 1e308, 0, -1])
    | st.text(max_size=8)
    | st.sampled_from(["Observation", "final", AT, "Patient/p1", LOINC, UCUM, *sorted(BY_LOINC), "/min", "%", "kPa"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["code", "coding", "system", "value", "reference", "start", "end"]), inner)
    ),
    max_leaves=8,
)


@given(st.data())
def test_nothing_breaks_it_and_nothing_impossible_comes_of_it(data: st.DataObject) -> None:
    """One part of a good Observation, or of one in a Bundle, is anything at all."""
    resource = data.draw(st.sampled_from([observation(), pressure()]))
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(st.sampled_from([*resource, "component", "effectivePeriod", "subject", "device", "category"]))
        inside = resource.get(key)
        if isinstance(inside, list) and inside and isinstance(inside[0], dict) and data.draw(st.booleans()):
            inside[0][data.draw(st.sampled_from([*inside[0], "code"]))] = data.draw(JSON)
        elif isinstance(inside, dict) and data.draw(st.booleans()):
            inside[data.draw(st.sampled_from([*inside, "value"]))] = data.draw(JSON)
        else:
            resource[key] = data.draw(JSON)
    whole = bundle(observation(), resource) if data.draw(st.booleans()) else resource
    try:
        raw = orjson.dumps(whole)
    except orjson.JSONEncodeError:  # an integer beyond 64 bits, half of a surrogate pair
        return
    try:
        check(decode(raw, NOW, "bp-1", BASE))
    except NotAPack:
        return


def check(told: Told) -> None:
    """Whatever came: columns of one length, each record taken or refused and never both, every value possible."""
    pack = told.pack
    assert len(pack.metric) == len(pack.time) == len(pack.value) == len(pack.flags) == len(told.places)
    refused = [one.index for one in pack.refused]
    assert sorted(set(refused)) == refused
    assert set(told.places).isdisjoint(refused)
    assert set(told.places) | set(refused) == set(range(told.records))
    for k, (metric, value) in enumerate(zip(pack.metric, pack.value, strict=True)):
        low, high = METRICS[metric].possible
        assert low <= value <= high
        assert k in pack.sent or value not in INSTRUMENT_SPECIALS


@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    try:
        check(decode(raw, NOW, "bp-1", BASE))
    except NotAPack:
        return
