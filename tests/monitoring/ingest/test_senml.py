"""SenML on bytes: what is taken, what is refused, and that nothing a device can send breaks the door."""

import math
from typing import Any

import cbor2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.ingest.model.metrics import BY_NAME, METRICS, UNITS
from bedside.monitoring.ingest.model.pack import Flag, Pack, Refusal
from bedside.monitoring.ingest.model.senml import LABELS, NotSenml, decode

pytestmark = pytest.mark.unit

NOW = 1_795_262_400_000_000
S = NOW // 1_000_000


def of(*records: dict[str, Any]) -> Pack:
    return decode(orjson.dumps(list(records)), NOW)


def rows(pack: Pack) -> list[tuple[str, int, float]]:
    return [
        (METRICS[number].name, time, value)
        for number, time, value in zip(pack.metric, pack.time, pack.value, strict=True)
    ]


def why(*records: dict[str, Any]) -> list[tuple[int, str]]:
    return [(refusal.index, refusal.reason) for refusal in of(*records).refused]


def test_a_plain_pack() -> None:
    pack = of(
        {"n": "seq", "v": 7},
        {"n": "8480-6", "u": "mm[Hg]", "v": 178, "t": S - 1},
        {"n": "diastolic", "u": "mm[Hg]", "v": 112, "t": S - 1},
    )
    assert pack.seq == 7
    assert rows(pack) == [("systolic", NOW - 1_000_000, 178), ("diastolic", NOW - 1_000_000, 112)]
    assert pack.refused == []
    assert not pack.relative


def test_two_seconds_between_beats_are_no_special_value() -> None:
    pack = of({"n": "rr-interval", "u": "ms", "v": 2047, "t": S})
    assert (rows(pack), pack.refused) == ([("rr-interval", NOW, 2047)], [])


def test_base_fields_run_on_and_add_up() -> None:
    pack = of(
        {"bn": "urn:dev:mac:0024befffe804ff1:", "bt": S - 10, "bu": "/min", "bv": 50, "n": "seq", "v": 1},
        {"n": "8867-4", "v": 20, "t": 1.5},
        {"n": "heart-rate", "v": 21, "t": 2},
        {"bn": "urn:dev:ow:10e2073a01080063/", "bt": S, "bv": 0, "n": "spo2", "u": "%", "v": 97},
    )
    assert rows(pack) == [
        ("heart-rate", NOW - 8_500_000, 70),
        ("heart-rate", NOW - 8_000_000, 71),
        ("spo2", NOW, 97),
    ]


@pytest.mark.parametrize("base", ["", "cuff:", "urn:dev:mac:0024:", "ward/3/bed/7/"])
def test_seq_stands_under_any_base_name(base: str) -> None:
    assert of({"bn": base, "n": "seq", "v": 3}, {"n": "spo2", "u": "%", "v": 97}).seq == 3


@pytest.mark.parametrize("name", ["heart-rate", "urn:dev:x:heart-rate", "ward/3/8867-4"])
def test_the_metric_may_stand_in_the_base_name(name: str) -> None:
    assert rows(of({"bn": name, "u": "/min", "v": 70}))[0][0] == "heart-rate"


def test_a_record_of_bases_alone_is_no_reading() -> None:
    pack = of({"bn": "x:", "bt": S}, {"n": "spo2", "u": "%", "v": 97})
    assert (len(pack.time), pack.refused) == (1, [])


@pytest.mark.parametrize(
    ("record", "time"),
    [({}, NOW), ({"t": 0}, NOW), ({"t": -2.5}, NOW - 2_500_000), ({"t": S - 86400.125}, NOW - 86_400_125_000)],
)
def test_times(record: dict[str, Any], time: int) -> None:
    pack = of({"n": "spo2", "u": "%", "v": 97} | record)
    assert pack.time == [time]
    assert pack.relative is (record.get("t", 0) <= 0)


@pytest.mark.parametrize(
    ("time", "flags"),
    [
        (S - 3600, set()),
        (S - 3601, {"late"}),
        (S - 2 * 86400, {"late"}),
        (946_684_800, {"late"}),
        (S + 60, set()),
        (S + 61, {"clock"}),
        (S + 48 * 3600, {"clock"}),
    ],
)
def test_no_device_time_within_48_hours_or_since_2000_is_refused(time: float, flags: set[str]) -> None:
    pack = of({"n": "spo2", "u": "%", "v": 97, "t": time})
    assert pack.refused == []
    assert bool(pack.flags[0] & Flag.LATE) is ("late" in flags)
    assert bool(pack.flags[0] & Flag.CLOCK) is ("clock" in flags)


@pytest.mark.parametrize(
    "time", [-62_135_596_800, 946_684_799, S + 48 * 3600 + 1, 4_070_908_800, 1e300, "now", True, None]
)
def test_impossible_times(time: Any) -> None:
    assert len(why({"n": "spo2", "u": "%", "v": 97, "t": time})) == 1


@pytest.mark.parametrize(
    ("name", "value", "unit", "charted"),
    [
        ("temperature", 98.6, "[degF]", 37.0),
        ("temperature", 310.15, "K", 37.0),
        ("systolic", 16, "kPa", 120),
        ("weight", 180, "[lb_av]", 81.65),
        ("weight", 2047, "g", 2.05),
        ("glucose", 5.5, "mmol/L", 99),
        ("spo2", 0.97, "/", 97),
        ("height", 70, "[in_i]", 177.8),
    ],
)
def test_units_are_converted_and_kept_as_sent(name: str, value: float, unit: str, charted: float) -> None:
    pack = of({"n": name, "u": unit, "v": value})
    assert pack.value == [charted]
    assert pack.sent == {0: (value, unit)}
    assert pack.flags[0] & Flag.CONVERTED


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"n": "mood", "u": "1", "v": 3}, "unknown metric"),
        ({"n": "spo2", "v": 97}, "the unit is missing, % for example"),
        ({"n": "spo2", "u": "mm[Hg]", "v": 97}, "wrong unit: %, / are taken"),
        ({"n": "systolic", "u": "mmHg", "v": 120}, "wrong unit: mm[Hg], kPa are taken"),
        ({"n": "spo2", "u": "%", "v": 101}, "an impossible value"),
        ({"n": "heart-rate", "u": "/min", "v": 0}, "an impossible value"),
        ({"n": "systolic", "u": "mm[Hg]", "v": 16}, "an impossible value"),
        ({"n": "temperature", "u": "Cel", "v": 98.6}, "an impossible value"),
        ({"n": "weight", "u": "kg", "v": 1e308}, "an impossible value"),
        ({"n": "systolic", "u": "mm[Hg]", "v": 2047}, "a special value of the instrument, no measurement"),
        ({"n": "spo2", "u": "%", "v": "97"}, "the value is not a number"),
        ({"n": "spo2", "u": "%", "v": True}, "the value is not a number"),
        ({"n": "spo2", "u": "%"}, "there is no number in v"),
        ({"n": "spo2", "u": "%", "vb": True}, "there is no number in v"),
        ({"n": "spo2", "u": "%", "v": 97, "s": 4}, "sums are not taken"),
        ({"n": "spo2", "u": "%", "v": 97, "scale_": 2}, "a field that must be understood is not known here"),
        ({"n": "consciousness", "vs": "X"}, "the value is none of A C V P U"),
        ({"n": 7, "u": "%", "v": 97}, "the name is not text"),
    ],
)
def test_refusals(record: dict[str, Any], reason: str) -> None:
    assert why({"n": "seq", "v": 1}, {"n": "spo2", "u": "%", "v": 97}, record) == [(2, reason)]


def test_a_diastolic_not_below_the_systolic_of_its_moment() -> None:
    pack = of(
        {"n": "systolic", "u": "mm[Hg]", "v": 80, "t": S},
        {"n": "pulse", "u": "/min", "v": 70, "t": S},
        {"n": "diastolic", "u": "mm[Hg]", "v": 120, "t": S},
        {"n": "temperature", "u": "[degF]", "v": 98.6, "t": S},
        {"n": "systolic", "u": "mm[Hg]", "v": 120, "t": S - 1},
        {"n": "diastolic", "u": "mm[Hg]", "v": 80, "t": S - 1},
    )
    assert [refusal.index for refusal in pack.refused] == [0, 2]
    assert [name for name, _, _ in rows(pack)] == ["heart-rate", "temperature", "systolic", "diastolic"]
    assert pack.sent == {1: (98.6, "[degF]")}


def test_nan_and_infinity_are_refused_by_index_though_no_json() -> None:
    pack = decode(b'[{"n":"spo2","u":"%","v":NaN},{"n":"spo2","u":"%","v":-Infinity},{"n":"spo2","u":"%","v":97}]', NOW)
    assert pack.refused == [Refusal(0, "the value is not a number"), Refusal(1, "the value is not a number")]
    assert pack.value == [97]


def test_at_most_a_thousand_readings() -> None:
    pack = of({"n": "seq", "v": 1}, *({"n": "spo2", "u": "%", "v": 97, "t": S - n} for n in range(1001)))
    assert len(pack.time) == 1000
    assert [refusal.index for refusal in pack.refused] == [1001]


@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"null", b"\x00", b"[", b"[" * 100_000, b"\x9f" * 100_000, b'{"n":"spo2"}', b"\xff\xfe", b'"[]"'],
)
def test_what_is_no_pack(payload: bytes) -> None:
    with pytest.raises(NotSenml):
        decode(payload, NOW)


def test_a_newer_senml_is_not_guessed_at() -> None:
    with pytest.raises(NotSenml):
        of({"bver": 11, "n": "spo2", "u": "%", "v": 97})


def as_cbor(records: list[dict[str, Any]]) -> bytes:
    labels = {name: label for label, name in LABELS.items()}
    return cbor2.dumps([{labels[key]: value for key, value in record.items()} for record in records])


good = st.sampled_from([metric for metric in METRICS.values() if metric.accept]).flatmap(
    lambda metric: st.fixed_dictionaries(
        {
            "n": st.sampled_from([metric.name, metric.loinc, *metric.also]),
            "u": st.just(metric.unit),
            "v": st.floats(*metric.plausible, allow_nan=False).map(lambda v: round(v, 3)),
            "t": st.integers(S - 10**8, S + 86_400),
        }
    )
)


@given(st.lists(good, max_size=30))
def test_json_and_cbor_say_the_same_and_nothing_is_lost(records: list[dict[str, Any]]) -> None:
    first, second = decode(orjson.dumps(records), NOW), decode(as_cbor(records), NOW)
    assert rows(first) == rows(second)
    assert first.refused == second.refused
    assert len(first.time) + len(first.refused) == len(records)
    assert {refusal.reason for refusal in first.refused} <= {"diastolic is not below systolic"}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3) | st.integers(-8, 10), inner, max_size=6)
    ),
    max_leaves=20,
)
wild = st.dictionaries(
    st.sampled_from(sorted(LABELS.values())),
    st.one_of(
        anything,
        st.sampled_from([*sorted(BY_NAME), "seq", *(unit for units in UNITS.values() for unit in units)]),
        st.floats(),
        st.integers(),
    ),
    max_size=7,
)


@given(st.lists(wild, max_size=12) | anything)
def test_whatever_is_sent_the_door_stands_and_charts_only_what_is_possible(records: Any) -> None:
    try:
        pack = decode(cbor2.dumps(records), NOW)
    except NotSenml:
        return
    assert len(pack.metric) == len(pack.time) == len(pack.value) == len(pack.flags)
    for number, value in zip(pack.metric, pack.value, strict=True):
        low, high = METRICS[number].possible
        assert math.isfinite(value)
        assert low <= value <= high


@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    try:
        decode(payload, NOW)
    except NotSenml:
        return
