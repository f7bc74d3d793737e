"""The category of a blood pressure by a named scheme (tables/pressure.toml). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any, NamedTuple

from bedside.foundation.tables import table_of
from bedside.monitoring.rules.model.profile import Profile


class Pressure(NamedTuple):
    """One measurement of a cuff, mmHg; at: device time; id: of its upper number."""

    at: datetime
    systolic: float
    diastolic: float
    id: str


@dataclass(frozen=True, slots=True)
class Graded:
    """A category, and what it was read from. key: the table's; readings, days: how many, of how many days."""

    key: str
    systolic: int
    diastolic: int
    readings: int
    days: int
    at: datetime
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PressureCategory:
    """By one scheme, of the newest measurement and of the mean of the last days; None where it is incomplete.

    why: for want of what ('age-unknown', 'under-16', 'pregnant', 'continuous', 'none'); 'few' is of the mean alone.
    """

    scheme: str
    name: str
    source: str
    version: str
    newest: Graded | None
    mean: Graded | None
    why: str


@cache
def _table() -> dict[str, Any]:
    return table_of("bedside.monitoring.rules", "tables/pressure.toml", dict[str, Any])


def schemes() -> tuple[str, ...]:
    """Those there are; the first is the default."""
    return tuple(row["key"] for row in _table()["scheme"])


def span() -> timedelta:
    """Over how long the mean is taken."""
    return timedelta(days=_table()["days"])


def keys() -> frozenset[str]:
    """Every category of every scheme."""
    return frozenset(band["key"] for row in _table()["scheme"] for band in row["bands"])


def grade(scheme: str, systolic: float, diastolic: float) -> str:
    """The category's key: the higher of the two that the numbers reach. Raises StopIteration for no such scheme."""
    row = next(row for row in _table()["scheme"] if row["key"] == scheme)
    return next(
        str(band["key"])
        for band in row["bands"]
        if "systolic" not in band or systolic >= band["systolic"] or diastolic >= band["diastolic"]
    )


def category(
    scheme: str, measured: Sequence[Pressure], profile: Profile, now: datetime, *, continuous: bool = False
) -> PressureCategory:
    """measured: fit for it (a cuff's, sound), of the last days, in order of time. continuous: they are a monitor's."""
    row = next(row for row in _table()["scheme"] if row["key"] == scheme)
    why: str = profile.without_defaults(now.date()) or ("continuous" if continuous else "")
    mine = [one for one in measured if now - span() <= one.at <= now] if not why else []
    newest = _graded(scheme, mine[-1:]) if mine else None
    days = len({one.at.date() for one in mine})
    enough = len(mine) >= _table()["readings"] and days >= _table()["occasions"]
    if not why and not enough:
        why = "few" if mine else "none"
    mean = _graded(scheme, mine) if enough else None
    return PressureCategory(scheme, row["name"], row["source"], _table()["version"], newest, mean, why)


def _graded(scheme: str, these: Sequence[Pressure]) -> Graded:
    """By whole mmHg, as it is shown."""
    upper = _whole(sum(one.systolic for one in these) / len(these))
    lower = _whole(sum(one.diastolic for one in these) / len(these))
    days = len({one.at.date() for one in these})
    ids = tuple(one.id for one in these)
    return Graded(grade(scheme, upper, lower), upper, lower, len(these), days, these[-1].at, ids)


def _whole(value: float) -> int:
    return int(Decimal(repr(float(value))).quantize(Decimal(1), ROUND_HALF_UP))
