"""The table of metrics (tables/metrics.toml): codes, units, conversions, what is impossible."""

from __future__ import annotations

from typing import Final

import msgspec

from bedside.foundation.tables import table_of


class Metric(msgspec.Struct, frozen=True):
    """One row. number stands in stored packs and in FHIR ids; times are seconds; see the table for the rest."""

    number: int
    name: str
    loinc: str
    also: tuple[str, ...]
    display: str
    unit: str
    accept: tuple[tuple[str, float, float], ...]
    decimals: int
    possible: tuple[float, float]
    plausible: tuple[float, float]
    live: int
    fresh: int
    category: str
    profile: str
    letters: tuple[str, ...] = ()
    system: str = "http://loinc.org"
    """Of the code that `loinc` holds."""

    def charted(self, value: float) -> float | str:
        """The stored number as people read it: a letter for a metric of letters."""
        return self.letters[int(value)] if self.letters else value


class _Continuous(msgspec.Struct, frozen=True):
    live: int
    fresh: int


class _Table(msgspec.Struct, frozen=True):
    version: str
    source: str
    continuous: _Continuous
    metric: tuple[Metric, ...]


_TABLE: Final = table_of("bedside.monitoring.ingest", "tables/metrics.toml", _Table)
METRICS: Final[dict[int, Metric]] = {metric.number: metric for metric in _TABLE.metric}
"""By number."""
BY_NAME: Final[dict[str, Metric]] = {
    name: metric for metric in _TABLE.metric for name in (metric.name, metric.loinc, *metric.also)
}
"""By short name, LOINC code and the other names taken for it."""
UNITS: Final[dict[int, dict[str, tuple[float, float]]]] = {
    metric.number: {unit: (factor, offset) for unit, factor, offset in metric.accept} for metric in _TABLE.metric
}
"""By number, then by unit as sent: factor and offset to the charted unit."""
SYSTOLIC: Final = BY_NAME["systolic"].number
DIASTOLIC: Final = BY_NAME["diastolic"].number
MEAN: Final = BY_NAME["mean-pressure"].number
CONTINUOUS: Final = frozenset({"monitor"})
"""Kinds of device that measure without pause: silence of `continuous` seconds makes their values stale."""


def live_for(metric: Metric, kind: str) -> int:
    """Seconds after its device time within which a reading of this kind of device arrives in time."""
    return min(metric.live, _TABLE.continuous.live) if kind in CONTINUOUS else metric.live


def fresh_for(metric: Metric, kind: str) -> int:
    """Seconds after its device time for which a value may be shown as current."""
    return min(metric.fresh, _TABLE.continuous.fresh) if kind in CONTINUOUS else metric.fresh


def possible(name: str, value: float) -> bool:
    """Whether a value of this metric, in its charted unit, can be at all."""
    low, high = BY_NAME[name].possible
    return low <= value <= high
