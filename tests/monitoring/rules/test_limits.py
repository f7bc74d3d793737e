"""The tables of limits at every edge, who they may judge, and what the patient's own rows change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import Finding, PatientLimit, judge, judge_score, plan
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.news2 import PARAMETERS, score
from bedside.monitoring.rules.model.past import Past
from bedside.monitoring.rules.model.profile import Profile

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
ADULT = Profile(date(1950, 3, 1))


def measured(
    metric: str, value: float | str, *, age: timedelta = timedelta(), device: str | None = "device-1"
) -> Measured:
    return Measured(f"{metric}-{value}", metric, value, "", NOW - age, NOW - age, device)


def found(
    *readings: Measured,
    profile: Profile = ADULT,
    own: tuple[PatientLimit, ...] = (),
    weights: tuple[Measured, ...] = (),
) -> dict[str, Finding | None]:
    newest = {r.metric: r for r in readings}
    past = Past({"weight": sorted(weights, key=lambda r: r.device_time)})
    return {v.cause: v.finding for v in judge(newest, newest, plan(profile, own, TODAY), NOW, past)}


def priority(cause: str, *readings: Measured, **more: object) -> str | None:
    finding = found(*readings, **more)[cause]  # type: ignore[arg-type]
    return finding.priority if finding else None


@pytest.mark.parametrize(
    ("systolic", "diastolic", "expected"),
    [
        (159, 99, None),
        (160, 99, "medium"),
        (159, 100, "medium"),
        (178, 112, "medium"),
        (180, 120, "medium"),
        (181, 80, "high"),
        (150, 121, "high"),
        (201, 130, "high"),
    ],
)
def test_high_pressure(systolic: int, diastolic: int, expected: str | None) -> None:
    readings = (measured("systolic", systolic), measured("diastolic", diastolic))
    assert priority("blood-pressure-high", *readings) == expected


@pytest.mark.parametrize(
    ("metric", "cause", "edges"),
    [
        ("systolic", "blood-pressure-low", [(101, None), (100, "medium"), (91, "medium"), (90, "high")]),
        ("heart-rate", "heart-rate-high", [(110, None), (111, "medium"), (130, "medium"), (131, "high")]),
        ("heart-rate", "heart-rate-low", [(46, None), (45, "low"), (41, "low"), (40, "high")]),
        ("respiratory-rate", "respiratory-rate-high", [(20, None), (21, "medium"), (24, "medium"), (25, "high")]),
        ("respiratory-rate", "respiratory-rate-low", [(9, None), (8, "high")]),
        ("spo2", "spo2-low", [(94, None), (93, "medium"), (92, "medium"), (91, "high")]),
        ("temperature", "temperature-high", [(39.0, None), (39.1, "medium"), (39.9, "medium"), (40.0, "high")]),
        ("temperature", "temperature-low", [(35.1, None), (35.0, "medium")]),
        ("consciousness", "consciousness", [("A", None), ("C", "high"), ("V", "high"), ("P", "high"), ("U", "high")]),
    ],
)
def test_every_edge(metric: str, cause: str, edges: list[tuple[float | str, str | None]]) -> None:
    for value, expected in edges:
        assert priority(cause, measured(metric, value)) == expected, value


@pytest.mark.parametrize(("value", "expected"), [(92, None), (88, None), (87, "medium"), (84, "medium"), (83, "high")])
def test_hypercapnic_target_only_where_set(value: int, expected: str | None) -> None:
    set_by_clinician = Profile(date(1950, 3, 1), news2_scale=2)
    assert priority("spo2-low", measured("spo2", value), profile=set_by_clinician) == expected
    assert priority("spo2-low", measured("spo2", value)) is not None


@pytest.mark.parametrize(("flow", "expected"), [(2.0, "medium"), (0.0, None)])
def test_too_much_oxygen_in_hypercapnia(flow: float, expected: str | None) -> None:
    profile = Profile(date(1950, 3, 1), news2_scale=2)
    readings = (measured("spo2", 98), measured("oxygen", flow))
    assert priority("spo2-high-on-oxygen", *readings, profile=profile) == expected
    assert priority("spo2-high-on-oxygen", measured("spo2", 98), profile=profile) is None


@pytest.mark.parametrize("profile", [Profile(), Profile(date(2012, 1, 1)), Profile(date(1995, 1, 1), pregnant=True)])
def test_adult_defaults_never_judge_others(profile: Profile) -> None:
    rules = plan(profile, (), TODAY)
    assert rules.rows == ()
    assert not rules.watches("systolic")
    assert rules.without_defaults is not None
    assert found(measured("systolic", 250), measured("spo2", 70), profile=profile) == {}


def test_own_limits_judge_a_pregnant_woman() -> None:
    own = (PatientLimit("systolic", ">=", 140, "high"), PatientLimit("diastolic", ">=", 90, "medium"))
    pregnant = Profile(date(1995, 1, 1), pregnant=True)
    assert priority("blood-pressure-high", measured("systolic", 140), profile=pregnant, own=own) == "high"
    assert priority("blood-pressure-high", measured("diastolic", 90), profile=pregnant, own=own) == "medium"
    assert found(measured("heart-rate", 180), profile=pregnant, own=own) == {}


def test_own_limit_replaces_only_its_own_row() -> None:
    own = (PatientLimit("systolic", ">=", 150, "medium", "stroke last year"),)
    assert priority("blood-pressure-high", measured("systolic", 150), own=own) == "medium"
    assert priority("blood-pressure-high", measured("systolic", 181), own=own) == "high"
    off = (PatientLimit("systolic", ">=", None, "medium"),)
    assert priority("blood-pressure-high", measured("systolic", 170), own=off) is None
    assert priority("blood-pressure-high", measured("systolic", 181), own=off) == "high"


def test_a_companion_value_counts_only_while_fresh() -> None:
    rules = plan(ADULT, (), TODAY)
    old = measured("diastolic", 125, age=tables.standing("diastolic", TODAY) + timedelta(seconds=1))
    newest = {"systolic": measured("systolic", 130), "diastolic": old}
    (verdict,) = [v for v in judge(["systolic"], newest, rules, NOW) if v.cause == "blood-pressure-high"]
    assert verdict.finding is None


def day(n: float) -> timedelta:
    return timedelta(days=n)


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        (82.0, [(80.0, day(2))], None),
        (82.1, [(80.0, day(2))], "weight-gain-3-days"),
        (82.1, [(80.0, day(4))], None),
        (82.3, [(80.0, day(6))], "weight-gain-7-days"),
        (82.3, [(80.0, day(8))], None),
        (82.4, [(82.3, day(1)), (80.2, day(2)), (82.0, day(3))], "weight-gain-3-days"),
        (70.0, [(80.0, day(1))], None),
        (82.0, [], None),
    ],
)
def test_weight_gain(now: float, earlier: list[tuple[float, timedelta]], expected: str | None) -> None:
    weights = tuple(measured("weight", value, age=age, device="scale") for value, age in earlier)
    finding = found(measured("weight", now, device="scale"), weights=weights)["weight-gain"]
    assert (finding.rule if finding else None) == expected


def test_weights_of_another_scale_are_not_compared() -> None:
    other = (measured("weight", 70.0, age=day(1), device="hospital scale"),)
    assert found(measured("weight", 80.0, device="home scale"), weights=other)["weight-gain"] is None


@pytest.mark.parametrize(("pulse", "mind", "expected"), [(72, "A", None), (111, "C", "medium"), (131, "C", "high")])
def test_news2_as_a_cause(pulse: int, mind: str, expected: str | None) -> None:
    values: dict[str, float | str] = dict.fromkeys(PARAMETERS, 0)
    values |= {"respiratory-rate": 22 if pulse == 131 else 16, "spo2": 97, "systolic": 120, "temperature": 37.0}
    values |= {"heart-rate": pulse, "consciousness": mind}
    result = score({m: measured(m, v) for m, v in values.items()}, ADULT, NOW)
    verdict = judge_score(result, plan(ADULT, (), TODAY))
    assert verdict is not None
    assert (verdict.finding.priority if verdict.finding else None) == expected


def test_an_incomplete_score_says_nothing() -> None:
    assert judge_score(score({}, ADULT, NOW), plan(ADULT, (), TODAY)) is None


def test_every_row_names_source_hazard_and_dates() -> None:
    rows = tables.default_limits(TODAY)
    assert len({row.id for row in rows}) == len(rows) > 20
    for row in rows:
        assert row.source
        assert row.hazard.startswith("H")
        assert row.effective_from <= TODAY <= row.effective_to
        assert row.priority in tables.RANK


def test_no_row_is_in_force_before_its_date() -> None:
    assert tables.default_limits(date(2010, 1, 1)) == ()


def test_a_finding_explains_itself() -> None:
    finding = found(measured("systolic", 178), measured("diastolic", 112))["blood-pressure-high"]
    assert finding is not None
    assert finding.version == tables.version()
    assert finding.source
    assert {reading.value for reading in finding.inputs} == {178, 112}


def test_every_limit_of_time_is_there() -> None:
    assert set(tables.paces(TODAY)) == {"high", "medium", "low"}
    assert set(tables.news2_fresh(TODAY)) == set(PARAMETERS)
    assert tables.standing("glucose", TODAY) == timedelta(minutes=15)
    assert {"monitor", "blood-pressure", "scale"} <= set(tables.silence(TODAY))


@pytest.mark.parametrize(
    ("flags", "unfit", "sound"),
    [
        (set(), None, True),
        ({"disorder", "converted"}, None, True),
        ({"implausible"}, None, False),
        ({"cuffless"}, "cuffless", False),
        ({"late", "converted"}, "late", True),
        ({"clock"}, "clock", False),
        ({"something new"}, "something new", False),
    ],
)
def test_what_a_flag_forbids(flags: set[str], unfit: str | None, sound: bool) -> None:
    reading = Measured("1", "spo2", 65, "%", NOW, NOW, flags=frozenset(flags))
    assert (reading.unfit, reading.sound) == (unfit, sound)


@pytest.mark.parametrize("on", [date(2000, 1, 1), date(2025, 12, 31), date(2026, 1, 1), date(2031, 5, 6)])
def test_what_was_measured_before_there_was_a_table_is_judged_by_the_oldest(on: date) -> None:
    """Else a reading of last year, typed in or out of a device's memory, could never be stored."""
    assert tables.standing("systolic", on) > timedelta(0)
    assert set(tables.news2_fresh(on)) == set(tables.news2_fresh(date(2026, 11, 21)))
