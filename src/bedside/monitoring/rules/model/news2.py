"""NEWS2 (RCP 2017): seven inputs, all fresh, or no score at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal

from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.profile import Profile

Status = Literal["complete", "incomplete", "not-applicable"]

FUTURE = timedelta(minutes=2)
"""How far ahead of ours a clock may be before its value is not believed to be of now."""

PARAMETERS = ("respiratory-rate", "spo2", "oxygen", "systolic", "heart-rate", "consciousness", "temperature")


@dataclass(frozen=True, slots=True)
class News2Result:
    """A score with all it rests on, or the reason why there is none.

    total: 0-20, None unless complete. points: by parameter, only those that could be scored.
    missing: parameters never or not validly measured; stale: those measured too long ago. why_not: for not-applicable,
    'age-unknown', 'under-16', 'pregnant' or 'programme'. risk and monitoring: RCP chart 4. typed: inputs that a person
    entered. until: when the first input of a complete score grows too old.
    """

    status: Status
    at: datetime
    scale: int
    version: str
    total: int | None = None
    points: Mapping[str, int] | None = None
    inputs: tuple[Measured, ...] = ()
    missing: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    why_not: str | None = None
    single_three: bool = False
    risk: str | None = None
    monitoring: str | None = None
    typed: tuple[str, ...] = ()
    until: datetime | None = None


@lru_cache(maxsize=8192)
def _points(parameter: str, scale: int | None, when: str, value: float) -> int:
    bands = tables.news2_bands()[parameter, scale, when]
    at_step = Decimal(repr(value)).quantize(bands.step, ROUND_HALF_UP)
    return next(points for end, points in bands.bands if end is None or at_step <= end)


def points(parameter: str, value: float | str, *, scale: int = 1, oxygen: bool = False) -> int:
    """Points of one input. oxygen: whether the patient breathes added oxygen. Raises ValueError for an unknown code."""
    if parameter == "oxygen":
        return tables.news2_codes()["oxygen"]["oxygen" if float(value) > 0 else "air"]
    if parameter == "consciousness":
        found = tables.news2_codes()["consciousness"].get(str(value))
        if found is None:
            raise ValueError("consciousness is one of A, C, V, P, U")
        return found
    if parameter == "spo2":
        return _points("spo2", scale, "" if scale == 1 else "oxygen" if oxygen else "air", float(value))
    return _points(parameter, None, "", float(value))


def response(total: int, single_three: bool) -> tuple[str, str]:
    """(risk, least monitoring) of RCP chart 4."""
    for row in tables.news2_responses():
        if ("at_least" in row and total >= row["at_least"]) or (row.get("single_three") and single_three):
            return row["risk"], row["monitoring"]
    raise AssertionError("unreachable: the last row takes 0")


def score(newest: Mapping[str, Measured], profile: Profile, now: datetime) -> News2Result:
    """The score at `now` from the newest value of each metric.

    Incomplete when any input is missing, in doubt, older than its limit or from the future; never zero instead.
    """
    on: date = now.date()
    version, scale = tables.news2_version(), profile.news2_scale
    why_not = profile.without_defaults(on) or (None if profile.scored else "programme")
    if why_not is not None:
        return News2Result("not-applicable", now, scale, version, why_not=why_not)
    limits = tables.news2_fresh(on)
    missing, stale, inputs = [], [], []
    for parameter in PARAMETERS:
        found = newest.get(parameter)
        if found is None or not found.sound:
            missing.append(parameter)
        elif not -FUTURE <= now - found.device_time <= limits[parameter]:
            stale.append(parameter)
        else:
            inputs.append(found)
    oxygen = newest.get("oxygen")
    on_oxygen = oxygen is not None and oxygen in inputs and oxygen.number > 0
    scored: dict[str, int] = {}
    for reading in inputs:
        if reading.metric == "spo2" and scale == 2 and (oxygen is None or oxygen not in inputs):
            continue  # scale 2 cannot be read without knowing whether oxygen is given
        scored[reading.metric] = points(reading.metric, reading.value, scale=scale, oxygen=on_oxygen)
    typed = tuple(reading.metric for reading in inputs if reading.source != "device")
    single = 3 in scored.values()
    if missing or stale:
        return News2Result(
            "incomplete",
            now,
            scale,
            version,
            points=scored,
            inputs=tuple(inputs),
            missing=tuple(missing),
            stale=tuple(stale),
            single_three=single,
            typed=typed,
        )
    total = sum(scored.values())
    risk, monitoring = response(total, single)
    return News2Result(
        "complete",
        now,
        scale,
        version,
        total=total,
        points=scored,
        inputs=tuple(inputs),
        single_three=single,
        risk=risk,
        monitoring=monitoring,
        typed=typed,
        until=min(found.device_time + limits[found.metric] for found in inputs),
    )
