"""Rules that look back: against walks written without looking at the rules' own, and at every edge."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.rules.model import past, tables
from bedside.monitoring.rules.model.limits import Finding, PatientLimit, Verdict, judge, plan
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.past import Baseline, Past, baseline_of, change, deviation, persistence
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.tables import LimitRow

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TODAY = NOW.date()
BORN = date(1950, 3, 1)
HOUR = timedelta(hours=1)


def row(kind: str, comparison: str, limit: float, **more: object) -> LimitRow:
    return LimitRow(
        "r",
        "c",
        "spo2",
        comparison,
        limit,
        "low",
        "s",
        "H",
        TODAY,
        kind=kind,
        **more,  # type: ignore[arg-type]
    )


def at(hours: float, value: float, *, device: str | None = "d", metric: str = "spo2", flags: str = "") -> Measured:
    when = NOW + timedelta(hours=hours)
    return Measured(f"{metric}{hours}{device}", metric, value, "%", when, when, device, flags=frozenset(flags.split()))


# n of the last m


@given(
    values=st.lists(st.integers(85, 95), min_size=1, max_size=25),
    least=st.integers(1, 6),
    more=st.integers(0, 5),
    window=st.sampled_from([3.0, 7.0, 100.0]),
    steps=st.lists(st.integers(1, 4), min_size=25, max_size=25),
)
def test_n_of_m_is_that_of_a_naive_count(
    values: list[int], least: int, more: int, window: float, steps: list[int]
) -> None:
    rule = row("persistence", "<=", 90, least=least, of=least + more, window=timedelta(hours=window))
    hour, known = 0, []
    for value, step in zip(values, steps, strict=False):
        hour += step
        known.append(at(hour, value))
    for k, reading in enumerate(known):
        hours = [(one.device_time - NOW) / HOUR for one in known]
        told = [values[j] for j in range(max(0, k + 1 - rule.of), k + 1) if hours[k] - hours[j] <= window]
        beyond = len([v for v in told if v <= 90])
        got = persistence(rule, reading, reading.device_time, known)
        if beyond >= least and values[k] <= 90:
            expected = "breach"
        elif beyond >= least:
            expected = "holds"
        elif len(told) < rule.of:
            expected = "incomplete"
        else:
            expected = "within"
        assert got.status == expected
        if expected == "incomplete":
            assert (got.have, got.need) == (len(told), rule.of)
        else:
            assert (got.have, got.need) == (beyond, len(told))
        assert got.inputs[0] is reading
        assert {one.id for one in got.inputs} == {one.id for one in known[k + 1 - len(told) : k + 1]}


def test_exactly_n_and_equal_to_the_limit() -> None:
    rule = row("persistence", ">=", 135, least=3, of=5, window=168 * HOUR)
    readings = [at(n, value) for n, value in enumerate((135, 134, 135, 134, 135))]
    assert persistence(rule, readings[-1], readings[-1].device_time, readings).status == "breach"
    readings[0] = at(0, 134.9)
    assert persistence(rule, readings[-1], readings[-1].device_time, readings).status == "within"


def test_one_at_the_edge_of_the_window_counts_and_one_beyond_does_not() -> None:
    rule = row("persistence", ">", 10, least=2, of=2, window=2 * HOUR)
    assert persistence(rule, at(2, 11), at(2, 11).device_time, [at(0, 11), at(2, 11)]).status == "breach"
    got = persistence(rule, at(2.001, 11), at(2.001, 11).device_time, [at(0, 11), at(2.001, 11)])
    assert (got.status, got.why, got.have, got.need) == ("incomplete", "few", 1, 2)


def test_a_value_in_doubt_is_not_counted() -> None:
    rule = row("persistence", ">", 10, least=1, of=2)
    got = persistence(rule, at(1, 99, flags="implausible"), at(1, 0).device_time, [at(0, 11)])
    assert (got.status, got.why) == ("incomplete", "doubt")
    before = persistence(rule, at(1, 99), at(1, 0).device_time, [])
    assert (before.status, before.why, before.have, before.need) == ("incomplete", "few", 0, 2)


# change within a window


@given(
    values=st.lists(st.integers(60, 90), min_size=1, max_size=20),
    steps=st.lists(st.integers(1, 30), min_size=20, max_size=20),
    devices=st.lists(st.sampled_from(["a", "b", None]), min_size=20, max_size=20),
    rise=st.booleans(),
)
def test_change_is_that_of_a_naive_search(
    values: list[int], steps: list[int], devices: list[str | None], rise: bool
) -> None:
    rule = row("change", ">=" if rise else "<=", 5 if rise else -5, window=48 * HOUR)
    hour, known = 0, []
    for value, step, device in zip(values, steps, devices, strict=False):
        hour += step
        known.append(at(hour, value, device=device))
    for k, now in enumerate(known):
        others = [values[j] for j in range(k) if devices[j] == devices[k] and sum(steps[j + 1 : k + 1]) <= 48]
        got = change(rule, now, known)
        if not others:
            assert (got.status, got.why) == ("incomplete", "few")
            continue
        expected = values[k] - (min(others) if rise else max(others))
        assert got.value == expected
        assert got.status == ("breach" if (expected >= 5 if rise else expected <= -5) else "within")
        assert [one.number for one in got.inputs] == [values[k], min(others) if rise else max(others)]


def test_a_window_fuller_than_the_memory_is_incomplete_and_never_called_within() -> None:
    rule = row("change", ">=", 50, window=10 * HOUR)
    known = [at(n / 60, 70) for n in range(past.MOST)]
    got = change(rule, known[-1], known)
    assert (got.status, got.why) == ("incomplete", "cut")
    wide = [at(n, 70) for n in range(past.MOST)]
    assert change(rule, wide[-1], wide).status == "within"


# the patient's own usual value


@given(
    days=st.lists(st.integers(900, 1000), min_size=1, max_size=20),
    limit=st.integers(-8, -1),
    value=st.integers(80, 100),
)
def test_deviation_is_that_of_a_naive_reckoning(days: list[int], limit: int, value: int) -> None:
    daily = [one / 10 for one in days]
    usual = baseline_of("spo2", 14, TODAY, [(one, 3) for one in daily])
    middle = median(daily)
    spread = 1.4826 * median([abs(one - middle) for one in daily])
    rule = row("baseline", "<=", limit, window=timedelta(days=14), least=7, spread=3)
    got = deviation(rule, at(0, value), NOW, usual)
    off = round(value - middle, 3)
    if len(days) < 7:
        assert (got.status, got.why, got.have, got.need) == ("incomplete", "few-days", len(days), 7)
    else:
        assert got.status == ("breach" if off <= limit and abs(off) >= 3 * spread else "within")
        assert (got.value, got.baseline) == (off, usual)


def test_no_usual_value_an_old_one_and_one_of_later_days() -> None:
    rule = row("baseline", ">=", 5, window=timedelta(days=14), least=3)
    never = baseline_of("spo2", 14, TODAY, [])
    assert (never.days, deviation(rule, at(0, 99), NOW, never).why) == (0, "few-days")
    assert deviation(rule, at(0, 99), NOW, None).why == "few-days"
    usual = Baseline("spo2", 14, TODAY, 90, 0, 3, 9)
    assert deviation(rule, at(0, 95), NOW, usual).status == "breach"
    assert deviation(rule, at(0, 94.999), NOW, usual).status == "within"
    assert deviation(rule, at(0, 95), NOW + timedelta(days=2), usual).status == "breach"
    assert deviation(rule, at(0, 95), NOW + timedelta(days=3), usual).why == "old-baseline"
    assert deviation(rule, at(0, 95), NOW - timedelta(days=2), usual).why == "old-baseline"
    assert deviation(rule, at(0, 95, flags="implausible"), NOW, usual).why == "doubt"


# programmes


def test_every_programme_has_rules_and_every_rule_a_source_and_a_hazard() -> None:
    assert set(tables.programmes()) == {"hypertension", "heart-failure", "copd", "diabetes", "post-surgery", "icu"}
    rules = tables.programme_rules(TODAY)
    assert {rule.programme for rule in rules} == set(tables.programmes())
    ids = [rule.id for rule in (*rules, *tables.default_limits(TODAY))]
    assert len(ids) == len(set(ids))
    for rule in rules:
        assert rule.source
        assert rule.hazard
        assert rule.version
        assert rule.kind == "limit" or rule.window
        assert rule.kind != "persistence" or 1 <= rule.least <= rule.of
        assert rule.kind != "baseline" or 1 <= rule.least <= (rule.window or timedelta()).days


def test_a_programme_s_rules_hold_for_who_is_in_it_and_is_adult() -> None:
    def ids(profile: Profile, *own: PatientLimit) -> set[str]:
        return {one.id for one in plan(profile, own, TODAY).rows}

    enrolled = Profile(BORN, programmes=("diabetes",))
    assert "glucose-low" in ids(enrolled)
    assert "glucose-low" not in ids(Profile(BORN))
    assert ids(Profile(date(2015, 1, 1), programmes=("diabetes",))) == set()
    off = PatientLimit("glucose", "<", None, "medium", rule="glucose-low")
    assert "glucose-low" not in ids(enrolled, off)
    higher = PatientLimit("glucose", "<", 80, "high", rule="glucose-low")
    (found,) = [one for one in plan(enrolled, (higher,), TODAY).rows if one.id == "own-glucose-low"]
    assert (found.limit, found.priority, found.cause, found.own) == (80, "high", "glucose-low", True)
    # It was said of this child, so it holds for this child; once out of the programme it waits.
    assert ids(Profile(date(2015, 1, 1), programmes=("diabetes",)), higher) == {"own-glucose-low"}
    assert "own-glucose-low" not in ids(Profile(BORN), higher)


def test_an_own_rule_changes_only_what_it_says() -> None:
    profile = Profile(BORN, programmes=("hypertension",))
    own = PatientLimit(
        "systolic", ">=", 145, "medium", rule="systolic-stays-raised-at-home", kind="persistence", least=2
    )
    (found,) = [one for one in plan(profile, (own,), TODAY).rows if one.id.startswith("own-")]
    assert (found.limit, found.least, found.of, found.window) == (145, 2, 5, timedelta(days=7))
    assert plan(profile, (own,), TODAY).remembered == {"systolic": 10, "diastolic": 10}


def test_organ_support_is_not_scored() -> None:
    rules = plan(Profile(BORN, programmes=("icu",)), (), TODAY)
    assert "news2" not in rules.by_metric
    assert not Profile(BORN, programmes=("icu",)).scored


def test_who_has_no_rule_that_looks_back_is_not_remembered() -> None:
    rules = plan(Profile(BORN), (), TODAY)
    assert (rules.remembered, rules.usual) == ({}, frozenset())


def verdict(profile: Profile, readings: list[Measured], known: Past, cause: str) -> Verdict:
    newest = {one.metric: one for one in readings}
    found = judge(newest, newest, plan(profile, (), TODAY), readings[-1].device_time, known)
    return next(one for one in found if one.cause == cause)


def test_a_worse_rule_of_the_cause_wins_and_the_finding_says_why() -> None:
    profile = Profile(BORN, programmes=("hypertension",))
    readings = [at(n, value, metric="systolic") for n, value in enumerate((140, 150, 139))]
    known = Past({"systolic": readings})
    finding = verdict(profile, readings, known, "blood-pressure-high").finding
    assert finding is not None
    assert (finding.rule, finding.priority, finding.kind) == ("systolic-stays-raised-at-home", "low", "persistence")
    assert (finding.count, finding.looked, finding.least, finding.of) == (3, 3, 3, 5)
    assert finding.version == "2026-11-29"
    worse = [*readings, at(3, 165, metric="systolic")]
    finding = verdict(profile, worse, Past({"systolic": worse}), "blood-pressure-high").finding
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.priority) == ("systolic-raised", "medium")


def test_incomplete_and_still_holding_are_told_apart_from_within() -> None:
    profile = Profile(BORN, programmes=("hypertension",))
    two = [at(n, 120, metric="systolic") for n in range(2)]
    found = verdict(profile, two, Past({"systolic": two}), "blood-pressure-high")
    assert (found.finding, found.holds) == (None, False)
    assert found.incomplete == {"systolic-stays-raised-at-home"}
    readings = [at(n, value, metric="systolic") for n, value in enumerate((140, 150, 139, 120))]
    found = verdict(profile, readings, Past({"systolic": readings}), "blood-pressure-high")
    assert (found.finding, found.holds, found.incomplete) == (None, True, frozenset())


def test_a_row_is_never_edited_in_place() -> None:
    """`replace` makes another row: the table's own, shared by every plan, stays."""
    table = tables.rule("glucose-low", TODAY)
    assert table is not None
    plan(
        Profile(BORN, programmes=("diabetes",)), (PatientLimit("glucose", "<", 80, "high", rule="glucose-low"),), TODAY
    )
    assert tables.rule("glucose-low", TODAY) == table == replace(table)
