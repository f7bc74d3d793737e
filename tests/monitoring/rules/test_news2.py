"""NEWS2 against an oracle written from the charts by hand, exhaustive over what devices can say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.rules.model import news2
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.news2 import PARAMETERS, points, response, score
from bedside.monitoring.rules.model.profile import Profile

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADULT = Profile(birth_date=date(1950, 3, 1))
HYPERCAPNIC = Profile(birth_date=date(1950, 3, 1), news2_scale=2)
CALM: dict[str, float | str] = {
    "respiratory-rate": 16,
    "spo2": 97,
    "oxygen": 0,
    "systolic": 124,
    "heart-rate": 72,
    "consciousness": "A",
    "temperature": 36.8,
}


# The oracle: plain conditions, tenths of a degree, no table shared with the code under test.
def oracle_rate(v: int) -> int:
    return 3 if v <= 8 else 1 if v <= 11 else 0 if v <= 20 else 2 if v <= 24 else 3


def oracle_spo2(v: int, scale: int, oxygen: bool) -> int:
    if scale == 1:
        return 3 if v <= 91 else 2 if v <= 93 else 1 if v <= 95 else 0
    if v <= 83:
        return 3
    if v <= 85:
        return 2
    if v <= 87:
        return 1
    if v <= 92 or not oxygen:
        return 0
    return 1 if v <= 94 else 2 if v <= 96 else 3


def oracle_systolic(v: int) -> int:
    return 3 if v <= 90 or v >= 220 else 2 if v <= 100 else 1 if v <= 110 else 0


def oracle_pulse(v: int) -> int:
    if v <= 40 or v >= 131:
        return 3
    if 111 <= v <= 130:
        return 2
    return 1 if v <= 50 or v >= 91 else 0


def oracle_temperature(tenths: int) -> int:
    if tenths <= 350:
        return 3
    if tenths >= 391:
        return 2
    return 1 if tenths <= 360 or tenths >= 381 else 0


def measured(metric: str, value: float | str, *, age: timedelta = timedelta(), **more: object) -> Measured:
    at = NOW - age
    return Measured(f"{metric}-1", metric, value, "", at, at, "device-1", **more)  # type: ignore[arg-type]


def newest(**changes: float | str) -> dict[str, Measured]:
    values = {**CALM, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {metric: measured(metric, value) for metric, value in values.items()}


@pytest.mark.parametrize("rate", range(131))
def test_respiratory_rate_over_its_whole_range(rate: int) -> None:
    assert points("respiratory-rate", rate) == oracle_rate(rate)


def test_oxygen_saturation_over_its_whole_range_scales_and_air() -> None:
    for value, scale, oxygen in product(range(101), (1, 2), (False, True)):
        assert points("spo2", value, scale=scale, oxygen=oxygen) == oracle_spo2(value, scale, oxygen)


def test_systolic_over_its_whole_range() -> None:
    for value in range(351):
        assert points("systolic", value) == oracle_systolic(value)


def test_pulse_over_its_whole_range() -> None:
    for value in range(401):
        assert points("heart-rate", value) == oracle_pulse(value)


def test_temperature_at_every_tenth() -> None:
    for tenths in range(200, 461):
        assert points("temperature", tenths / 10) == oracle_temperature(tenths)


@pytest.mark.parametrize(
    ("metric", "value", "expected"),
    [
        # Between two steps of the chart: rounded half up to the chart's step, as written and not as binary fractions.
        ("temperature", 35.04, 3),
        ("temperature", 35.05, 1),
        ("temperature", 38.04, 0),
        ("temperature", 38.05, 1),
        ("temperature", 39.05, 2),
        ("spo2", 91.4, 3),
        ("spo2", 91.5, 2),
        ("systolic", 90.4, 3),
        ("systolic", 219.5, 3),
        ("heart-rate", 130.5, 3),
        ("respiratory-rate", 8.5, 1),
    ],
)
def test_values_between_the_steps_of_the_chart(metric: str, value: float, expected: int) -> None:
    assert points(metric, value) == expected


@pytest.mark.parametrize(("code", "expected"), [("A", 0), ("C", 3), ("V", 3), ("P", 3), ("U", 3)])
def test_consciousness(code: str, expected: int) -> None:
    assert points("consciousness", code) == expected


def test_unknown_consciousness_is_an_error_not_a_zero() -> None:
    with pytest.raises(ValueError, match="one of"):
        points("consciousness", "X")


@given(
    rate=st.integers(0, 60),
    spo2=st.integers(60, 100),
    oxygen=st.sampled_from([0, 0.5, 2, 15]),
    systolic=st.integers(50, 260),
    pulse=st.integers(20, 220),
    mind=st.sampled_from("ACVPU"),
    tenths=st.integers(330, 420),
    scale=st.sampled_from([1, 2]),
)
def test_total_equals_the_oracle(
    rate: int, spo2: int, oxygen: float, systolic: int, pulse: int, mind: str, tenths: int, scale: int
) -> None:
    parts = [
        oracle_rate(rate),
        oracle_spo2(spo2, scale, oxygen > 0),
        2 if oxygen > 0 else 0,
        oracle_systolic(systolic),
        oracle_pulse(pulse),
        0 if mind == "A" else 3,
        oracle_temperature(tenths),
    ]
    values = newest(
        respiratory_rate=rate,
        spo2=spo2,
        oxygen=oxygen,
        systolic=systolic,
        heart_rate=pulse,
        consciousness=mind,
        temperature=tenths / 10,
    )
    result = score(values, HYPERCAPNIC if scale == 2 else ADULT, NOW)
    assert result.status == "complete"
    assert result.total == sum(parts)
    assert result.single_three == (3 in parts)
    assert 0 <= result.total <= 20
    assert {reading.metric for reading in result.inputs} == set(PARAMETERS)


@pytest.mark.parametrize("absent", PARAMETERS)
def test_any_missing_input_leaves_it_incomplete(absent: str) -> None:
    values = newest()
    del values[absent]
    result = score(values, ADULT, NOW)
    assert (result.status, result.total, result.missing) == ("incomplete", None, (absent,))


@pytest.mark.parametrize("old", PARAMETERS)
def test_any_stale_input_leaves_it_incomplete(old: str) -> None:
    limit = news2.tables.news2_fresh(NOW.date())[old]
    values = newest()
    values[old] = measured(old, CALM[old], age=limit)
    assert score(values, ADULT, NOW).status == "complete"
    values[old] = measured(old, CALM[old], age=limit + timedelta(seconds=1))
    result = score(values, ADULT, NOW)
    assert (result.status, result.total, result.stale) == ("incomplete", None, (old,))


def test_a_complete_score_says_until_when_it_is_one() -> None:
    limits = news2.tables.news2_fresh(NOW.date())
    values = newest()
    values["spo2"] = measured("spo2", CALM["spo2"], age=limits["spo2"] - timedelta(seconds=5))
    assert score(values, ADULT, NOW).until == NOW + timedelta(seconds=5)
    assert score(values, ADULT, NOW + timedelta(seconds=5)).status == "complete"
    assert score(values, ADULT, NOW + timedelta(seconds=6)).status == "incomplete"


def test_an_input_from_the_future_or_in_doubt_does_not_count() -> None:
    ahead = {**newest(), "spo2": measured("spo2", 97, age=-timedelta(minutes=3))}
    assert score(ahead, ADULT, NOW).stale == ("spo2",)
    doubtful = {**newest(), "spo2": measured("spo2", 97, flags=frozenset({"implausible"}))}
    assert score(doubtful, ADULT, NOW).missing == ("spo2",)
    converted = {**newest(), "temperature": measured("temperature", 37.0, flags=frozenset({"converted", "disorder"}))}
    assert score(converted, ADULT, NOW).status == "complete"
    cuffless = {**newest(), "systolic": measured("systolic", 120, flags=frozenset({"cuffless"}))}
    assert score(cuffless, ADULT, NOW).missing == ("systolic",)


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        (Profile(), "age-unknown"),
        (Profile(date(2010, 11, 22)), "under-16"),
        (Profile(date(1995, 1, 1), pregnant=True), "pregnant"),
        (Profile(date(1950, 1, 1), news2_applies=False), "programme"),
    ],
)
def test_never_for_those_it_was_not_made_for(profile: Profile, why: str) -> None:
    result = score(newest(), profile, NOW)
    assert (result.status, result.total, result.why_not) == ("not-applicable", None, why)


def test_it_applies_from_the_sixteenth_birthday() -> None:
    assert score(newest(), Profile(date(2010, 11, 21)), NOW).status == "complete"


def test_scale_two_needs_to_know_about_oxygen() -> None:
    values = newest(spo2=95)
    del values["oxygen"]
    result = score(values, HYPERCAPNIC, NOW)
    assert result.status == "incomplete"
    assert result.points is not None
    assert "spo2" not in result.points


@pytest.mark.parametrize(
    ("total", "single", "risk"),
    [
        (0, False, "routine"),
        (1, False, "low"),
        (3, True, "single parameter"),
        (4, False, "low"),
        (5, False, "urgent"),
        (6, True, "urgent"),
        (7, False, "emergency"),
        (20, True, "emergency"),
    ],
)
def test_the_response_of_chart_four(total: int, single: bool, risk: str) -> None:
    assert response(total, single)[0] == risk


def test_what_a_person_typed_is_named() -> None:
    values = {**newest(), "consciousness": measured("consciousness", "A", source="staff")}
    assert score(values, ADULT, NOW).typed == ("consciousness",)
