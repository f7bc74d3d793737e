"""The irregular pulse flag from the intervals between beats (tables/rhythm.toml). Not a diagnosis, not an ECG. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import log, sqrt
from typing import Any, Literal, NamedTuple

from bedside.foundation.tables import table_of


class Beat(NamedTuple):
    """time: device time of the beat, µs since 1970; interval: since the one before, ms."""

    time: int
    interval: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the last beats say. incomplete: too few, with a gap among them, or too many that are none (why).

    ratio: RMSSD over the mean; turning: share of turning points; entropy: of 1. None where incomplete.
    """

    status: Literal["regular", "irregular", "incomplete"]
    why: Literal["", "few", "gap", "dropped"]
    beats: int
    ratio: float | None = None
    turning: float | None = None
    entropy: float | None = None


@cache
def table() -> dict[str, Any]:
    """The numbers and their source."""
    return table_of("bedside.monitoring.rules", "tables/rhythm.toml", dict[str, Any])


def rhythm(beats: Sequence[Beat]) -> Rhythm:
    """Of one device's beats in order of time: the last 128 that are beats."""
    row = table()
    low, high = row["interval"]
    taken: list[Beat] = []
    dropped = 0
    later: Beat | None = None
    for beat in reversed(beats):
        if later is not None and later.time - beat.time > (later.interval + row["gap"]) * 1000:
            return Rhythm("incomplete", "gap", len(taken))
        later = beat
        if low <= beat.interval <= high:
            taken.append(beat)
        else:
            dropped += 1
        if dropped > row["dropped"]:
            return Rhythm("incomplete", "dropped", len(taken))
        if len(taken) == row["beats"]:
            break
    else:
        return Rhythm("incomplete", "few", len(taken))
    intervals = [beat.interval for beat in reversed(taken)]
    ratio = _successive(intervals) / (sum(intervals) / len(intervals))
    inner = _without_outliers(intervals, row["outliers"])
    turning, entropy = _turning(inner), _entropy(inner, row["bins"])
    least, most = row["turning"]
    irregular = ratio > row["rmssd"] and least < turning < most and entropy > row["entropy"]
    return Rhythm("irregular" if irregular else "regular", "", len(intervals), ratio, turning, entropy)


def _successive(intervals: Sequence[float]) -> float:
    return sqrt(sum((b - a) ** 2 for a, b in pairwise(intervals)) / (len(intervals) - 1))


def _without_outliers(intervals: Sequence[float], each: int) -> list[float]:
    """Without the `each` shortest and the `each` longest; the rest in their order."""
    order = sorted(range(len(intervals)), key=lambda k: (intervals[k], k))
    kept = set(order[each:-each])
    return [value for k, value in enumerate(intervals) if k in kept]


def _turning(intervals: Sequence[float]) -> float:
    """Of the inner ones, how many are above or below both of their neighbours."""
    threes = zip(intervals, intervals[1:], intervals[2:], strict=False)
    return sum(a < b > c or a > b < c for a, b, c in threes) / (len(intervals) - 2)


def _entropy(intervals: Sequence[float], bins: int) -> float:
    """Shannon entropy of equal bins from the shortest to the longest, as a share of the most there can be."""
    low, high = min(intervals), max(intervals)
    if low == high:
        return 0.0
    counts = [0] * bins
    for value in intervals:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    shares = [count / len(intervals) for count in counts if count]
    return -sum(share * log(share) for share in shares) / log(bins)
