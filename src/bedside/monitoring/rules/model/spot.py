"""qSOFA and a MEWS: small scores of one moment, from fresh inputs or not at all (tables/spot.toml). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from bedside.foundation.tables import table_of
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.news2 import FUTURE
from bedside.monitoring.rules.model.profile import Profile


@dataclass(frozen=True, slots=True)
class Spot:
    """A score with all it rests on. total None: incomplete, or why_not says why it is not for this patient. points: by
    metric, of what could be scored; unscored: metrics never or not validly measured, not on the chart, or too old.
    positive: from how many points on the source sees a risk; most: the highest there is."""

    key: str
    name: str
    variant: str
    source: str
    version: str
    positive: int
    most: int
    total: int | None
    points: Mapping[str, int]
    inputs: tuple[Measured, ...]
    unscored: tuple[str, ...]
    why_not: str | None = None


@cache
def _table() -> dict[str, Any]:
    return table_of("bedside.monitoring.rules", "tables/spot.toml", dict[str, Any])


def scores(newest: Mapping[str, Measured], profile: Profile, now: datetime) -> list[Spot]:
    """Each score of the table at `now`, from the newest value of each metric. For adults who are not pregnant."""
    why_not = profile.without_defaults(now.date())
    return [_score(row, {} if why_not else newest, now, why_not) for row in _table()["score"]]


def _score(row: dict[str, Any], newest: Mapping[str, Measured], now: datetime, why_not: str | None) -> Spot:
    fresh = tables.news2_fresh(now.date())
    points: dict[str, int] = {}
    inputs = []
    for metric, part in row["part"].items():
        found = newest.get(metric)
        if found is None or not found.sound or not -FUTURE <= now - found.device_time <= fresh[metric]:
            continue
        scored = _points(metric, part, found.value)
        if scored is not None:
            points[metric] = scored
            inputs.append(found)
    unscored = tuple(metric for metric in row["part"] if metric not in points)
    return Spot(
        row["key"],
        row["name"],
        row["variant"],
        row["source"],
        _table()["version"],
        row["positive"],
        row["most"],
        None if unscored else sum(points.values()),
        points,
        tuple(inputs),
        unscored,
        why_not,
    )


def _points(metric: str, part: dict[str, Any], value: float | str) -> int | None:
    if isinstance(value, str):
        found: int | None = part.get("codes", {}).get(value)
        return found
    step = Decimal("0.1") if metric == "temperature" else Decimal(1)
    charted = float(Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP))
    return next(int(band["points"]) for band in part["bands"] if "to" not in band or charted <= band["to"])
