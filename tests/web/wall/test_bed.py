"""What a tile shows: its values, their lines, and when a bed counts as lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bedside.web.wall.bed import MOST_POINTS, REDRAWN, Bed, Value

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def value(metric: str, number: float, *, minutes: int = 0, kind: str = "monitor", fresh: int = 1) -> Value:
    at = NOW - timedelta(minutes=minutes)
    return Value(metric, number, "", at, at + timedelta(minutes=fresh), "device", kind, frozenset())


def bed(*values: Value, alarms: tuple[Any, ...] = ()) -> Bed:
    made = Bed("p", "Rosa Gil", values={one.metric: one for one in values}, alarms=list(alarms))
    for one in values:
        past = [(one.at - timedelta(minutes=n), one.value) for n in range(60, -1, -5)]
        made.set_points(one.metric, past)  # type: ignore[arg-type]
    return made


def alarm(cause: str, metric: str, *, state: str = "raised") -> Any:
    finding = {"metric": metric, "value": 0}
    return SimpleNamespace(cause=cause, finding=finding, state=state, technical=cause.startswith("silence:"))


ALL = (value("heart-rate", 80), value("spo2", 96), value("systolic", 120), value("respiratory-rate", 16))


def test_each_value_has_its_line() -> None:
    shown = bed(*ALL)
    assert shown.trend_metrics() == ["heart-rate", "spo2", "systolic", "respiratory-rate"]
    lines = [shown.trend(one, NOW) for one in shown.trend_metrics()]
    assert all(line is not None and line.hours == 2 for line in lines)


def test_the_alarming_value_has_its_line_too_and_a_pressure_never_shares_its_row_with_the_score() -> None:
    fever = bed(*ALL, value("temperature", 40.2), alarms=(alarm("temperature-high", "temperature"),))
    assert fever.trend_metrics()[0] == "temperature"
    assert [one.metric for one in fever.shown()] == ["heart-rate", "systolic", "spo2"]


def test_a_line_is_broken_where_nobody_knows() -> None:
    shown = bed(value("heart-rate", 80))
    points = [(NOW - timedelta(minutes=n), 80.0) for n in (60, 55, 20, 15)]
    shown.set_points("heart-rate", points)
    line = shown.trend("heart-rate", NOW)
    assert line is not None
    assert len(line.lines) == 2
    cuff = bed(value("systolic", 130, kind="blood-pressure"))
    cuff.set_points("systolic", [(NOW - timedelta(days=n), 130.0) for n in (6, 5, 1, 0)])
    weekly = cuff.trend("systolic", NOW)
    assert weekly is not None
    assert weekly.hours == 168
    assert len(weekly.lines) == 2


def test_a_line_ends_where_its_newest_value_stands() -> None:
    shown = bed(value("heart-rate", 80))
    later = shown.trend("heart-rate", NOW + timedelta(hours=1))
    assert later is not None
    assert max(float(point.split(",")[0]) for point in later.lines[-1].split()) == pytest.approx(50)
    assert not shown.aged(NOW)
    shown.drawn_at = NOW
    assert shown.aged(NOW + REDRAWN)


def test_a_bed_is_lost_when_a_device_is_silent_and_nothing_else_is_current() -> None:
    silent = alarm("silence:mo-1", "silence")
    fresh, stale = value("heart-rate", 80), value("spo2", 96, minutes=9)
    assert bed(stale, alarms=(silent,)).silent(NOW)
    assert not bed(stale, fresh, alarms=(silent,)).silent(NOW)
    assert not bed(stale).silent(NOW)
    assert not bed(stale, alarms=(alarm("silence:mo-1", "silence", state="ended"),)).silent(NOW)


def test_a_line_that_is_fed_for_a_day_stays_short_and_keeps_its_extremes() -> None:
    shown = bed(value("heart-rate", 80))
    readings = 24 * 720
    most = 0
    for n in range(readings):
        at = NOW + timedelta(seconds=5 * n)
        rate = 140.0 if n == readings - 400 else 38.0 if n == readings - 300 else 80.0 + n % 7
        reading = SimpleNamespace(
            **{"metric": "heart-rate", "device_time": at, "flags": frozenset(), "device_kind": "monitor"},
            **{"value": rate, "unit": "/min", "source": "device"},
        )
        assert shown.take_live(reading)  # type: ignore[arg-type]
        most = max(most, len(shown.points["heart-rate"]))
    assert most <= MOST_POINTS
    trend = shown.trend("heart-rate", NOW + timedelta(seconds=5 * readings))
    assert trend is not None
    assert (trend.low, trend.high) == (38.0, 140.0)
