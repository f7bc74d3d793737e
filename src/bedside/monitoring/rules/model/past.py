"""Rules that look back: n of the last m, change within a window, deviation from the patient's own usual value. Pure.

Each gives one of four answers. What is missing, too old or cut off makes "incomplete": it neither raises nor ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final, Literal

from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.tables import LimitRow

Status = Literal["breach", "holds", "within", "incomplete"]
Why = Literal["", "few", "doubt", "few-days", "old-baseline", "cut"]

MOST: Final = 240
"""Readings of one metric that the judge remembers for a change; a window that holds more cannot be reckoned."""
NORMAL: Final = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution: 1 / the normal quantile of 0.75."""
OLDEST: Final = timedelta(days=2)
"""A baseline of an earlier day says nothing any more."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A patient's usual value of a metric: the median of the daily medians of the `span` days (UTC) before `as_of`.

    deviation: the median absolute deviation of those daily medians. days: how many had readings; readings: of how many.
    """

    metric: str
    span: int
    as_of: date
    median: float
    deviation: float
    days: int
    readings: int


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of a patient's past. readings: by metric, sound ones in order of device time, the new ones too."""

    readings: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    baselines: Mapping[tuple[str, int], Baseline] = field(default_factory=dict)


NOTHING: Final = Past()


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What a row says. holds: still so, though the newest value by itself is not beyond the limit.

    value: what was compared with the limit. have, need: of readings or days, where it is incomplete; for n of m, how
    many lie beyond the limit and how many were looked at.
    """

    status: Status
    value: float | str
    inputs: tuple[Measured, ...]
    why: Why = ""
    have: int = 0
    need: int = 0
    baseline: Baseline | None = None


def baseline_of(metric: str, span: int, as_of: date, days: Sequence[tuple[float, int]]) -> Baseline:
    """From the daily medians, each with its number of readings: each day counts once. Of no day it is of 0 days."""
    medians = [value for value, _ in days]
    if not medians:
        return Baseline(metric, span, as_of, 0.0, 0.0, 0, 0)
    middle = median(medians)
    spread = median(abs(value - middle) for value in medians)
    return Baseline(metric, span, as_of, middle, spread, len(days), sum(count for _, count in days))


def persistence(row: LimitRow, reading: Measured, at: datetime, known: Sequence[Measured]) -> Reckoned:
    """`least` of the last `of` readings within the window, the newest among them, lie beyond the limit."""
    end = bisect_right(known, at, key=_time)
    window = row.window or timedelta.max
    last = tuple(one for one in known[max(0, end - row.of) : end] if at - one.device_time <= window)
    if all(one.id != reading.id for one in last):
        # In doubt, or from before the rule was set.
        return Reckoned("incomplete", reading.value, (reading,), "few" if reading.sound else "doubt", len(last), row.of)
    beyond = sum(row.breached_by(one.value) for one in last)
    inputs = (reading, *(one for one in reversed(last) if one.id != reading.id))
    if beyond >= row.least:
        status: Status = "breach" if row.breached_by(reading.value) else "holds"
        return Reckoned(status, reading.value, inputs, "", beyond, len(last))
    if len(last) < row.of:
        return Reckoned("incomplete", reading.value, inputs, "few", len(last), row.of)
    return Reckoned("within", reading.value, inputs, "", beyond, len(last))


def _time(reading: Measured) -> datetime:
    return reading.device_time


def change(row: LimitRow, now: Measured, known: Sequence[Measured]) -> Reckoned:
    """The value less the lowest of the same device within the window before it; for a fall, less the highest.

    A typed value is compared with typed ones.
    """
    window = row.window or timedelta()
    begin = bisect_left(known, now.device_time - window, key=_time)
    end = bisect_left(known, now.device_time, key=_time)
    earlier = [one for one in known[begin:end] if one.device == now.device and one.sound]
    if not earlier:
        return Reckoned("incomplete", now.value, (now,), "few", 0, 1)
    choose = min if row.comparison.startswith(">") else max
    other = choose(earlier, key=lambda one: one.number)
    value = round(now.number - other.number, 3)  # grams: no scale shows finer
    if row.breached_by(value):
        return Reckoned("breach", value, (now, other))
    if len(known) >= MOST and now.device_time - known[0].device_time < window:
        return Reckoned("incomplete", value, (now, other), "cut")
    return Reckoned("within", value, (now, other))


def deviation(row: LimitRow, reading: Measured, at: datetime, usual: Baseline | None) -> Reckoned:
    """The value less the patient's own usual one: beyond the limit, and beyond the usual spread where the row asks."""
    if not reading.sound:
        return Reckoned("incomplete", reading.value, (reading,), "doubt")
    if usual is None or usual.days < row.least:
        return Reckoned("incomplete", reading.value, (reading,), "few-days", usual.days if usual else 0, row.least)
    if not -timedelta(days=1) <= at.date() - usual.as_of <= OLDEST:
        return Reckoned("incomplete", reading.value, (reading,), "old-baseline", baseline=usual)
    value = round(reading.number - usual.median, 3)
    beyond = row.breached_by(value) and abs(value) >= row.spread * NORMAL * usual.deviation
    return Reckoned("breach" if beyond else "within", value, (reading,), baseline=usual)
