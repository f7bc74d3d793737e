"""The ambulatory glucose profile: the consensus metrics of a sensor's two weeks, and its modal day. Pure.

Table and sources: tables/agp.toml. A report says what was measured; it is no laboratory HbA1c and no diagnosis.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from bedside.foundation.tables import table_of

DAY = 1440
"""Minutes."""


@dataclass(frozen=True, slots=True)
class Band:
    """Glucose from low to high mg/dL, ends included. share: % of all valid readings. target: at most, least: more than
    so many %; None where the consensus names none for this band alone."""

    key: str
    low: int
    high: int
    share: float
    target: float | None = None
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """A quarter of an hour of the modal day. minute: its begin, local time; percentiles in mg/dL."""

    minute: int
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


@dataclass(frozen=True, slots=True)
class Agp:
    """See the module. interval: minutes between readings, None where it is no sensor. active: share of the readings
    that the sensor could have given in the span. sufficient: days worn and activity reach what the consensus asks for.
    gmi, cv: %; mean, sd: mg/dL. below, above: share under 70, over 180. daily: each local day's (minute, mg/dL).
    """

    since: datetime
    until: datetime
    readings: int
    days: int
    interval: float | None
    active: float
    sufficient: bool
    mean: float
    sd: float
    cv: float
    gmi: float
    bands: tuple[Band, ...]
    below: float
    above: float
    curve: tuple[Slot, ...]
    daily: tuple[tuple[date, tuple[tuple[float, float], ...]], ...]
    version: str


@cache
def table() -> dict[str, Any]:
    """tables/agp.toml."""
    return table_of("bedside.monitoring.rules", "tables/agp.toml", dict[str, Any])


def span() -> timedelta:
    """How far back a report looks."""
    return timedelta(days=table()["days"])


def report(points: Sequence[tuple[datetime, float]], until: datetime, zone: ZoneInfo) -> Agp | None:
    """Of valid readings (moment, mg/dL) in the two weeks up to `until`; None where there are fewer than two."""
    rules = table()
    since = until - span()
    found = sorted((at, value) for at, value in points if since <= at <= until)
    if len(found) < 2:
        return None
    interval = _interval([at for at, _ in found])
    whole = [round(value) for _, value in found]
    mean, sd = statistics.fmean(whole), statistics.stdev(whole)
    local = [(at.astimezone(zone), value) for at, value in zip((at for at, _ in found), whole, strict=True)]
    days = len({at.date() for at, _ in local})
    active = _active([at for at, _ in found], since, until, interval)
    intercept, slope = rules["gmi"]
    return Agp(
        since,
        until,
        len(found),
        days,
        interval,
        active,
        interval is not None and days >= rules["days"] and active >= rules["active"],
        mean,
        sd,
        100 * sd / mean,
        intercept + slope * mean,
        tuple(_band(row, whole) for row in rules["band"]),
        100 * sum(value < 70 for value in whole) / len(whole),
        100 * sum(value > 180 for value in whole) / len(whole),
        _curve(local),
        _daily(local),
        str(rules["version"]),
    )


def _interval(times: Sequence[datetime]) -> float | None:
    """The usual minutes between two readings, or None where nothing measures without pause."""
    usual = statistics.median((b - a).total_seconds() / 60 for a, b in pairwise(times))
    return usual if 0 < usual <= table()["longest_interval"] else None


def _active(times: Sequence[datetime], since: datetime, until: datetime, interval: float | None) -> float:
    """Of the sensor's turns in the span, in how many it gave a reading."""
    if interval is None:
        return 0.0
    turn = timedelta(minutes=interval)
    return min(1.0, len({(at - since) // turn for at in times}) / ((until - since) / turn))


def _band(row: dict[str, Any], values: Sequence[int]) -> Band:
    share = 100 * sum(row["low"] <= value <= row["high"] for value in values) / len(values)
    return Band(row["key"], row["low"], row["high"], share, row.get("target"), row.get("least"))


def _curve(local: Sequence[tuple[datetime, int]]) -> tuple[Slot, ...]:
    width, least = table()["bin_minutes"], table()["least_in_bin"]
    bins: dict[int, list[int]] = {}
    for at, value in local:
        bins.setdefault((at.hour * 60 + at.minute) // width * width, []).append(value)
    made = []
    for minute, values in sorted(bins.items()):
        if len(values) >= least:
            # Twentieths, as numpy's default: linear between the values.
            cuts = statistics.quantiles(values, n=20, method="inclusive")
            made.append(Slot(minute, cuts[0], cuts[4], cuts[9], cuts[14], cuts[18]))
    return tuple(made)


def _daily(local: Sequence[tuple[datetime, int]]) -> tuple[tuple[date, tuple[tuple[float, float], ...]], ...]:
    days: dict[date, list[tuple[float, float]]] = {}
    for at, value in local:
        days.setdefault(at.date(), []).append((at.hour * 60 + at.minute + at.second / 60, float(value)))
    # The fourteen of which most was measured: the span begins and ends within a day.
    most = Counter({day: len(found) for day, found in days.items()}).most_common(table()["days"])
    return tuple((day, tuple(days[day])) for day in sorted(day for day, _ in most))
