"""Which limits hold for a patient, and what a moment's values mean under them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.news2 import News2Result
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.tables import RANK, LimitRow, Priority


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach, with everything needed to explain it: which inputs, which rule and version, and why."""

    cause: str
    rule: str
    version: str
    priority: Priority
    metric: str
    comparison: str
    limit: float
    source: str
    hazard: str
    inputs: tuple[Measured, ...]
    value: float | str
    own: bool = False
    window_hours: int | None = None


@dataclass(frozen=True, slots=True)
class PatientLimit:
    """One limit of a patient's own, replacing the default of the same metric, direction and priority.

    limit None switches that default off. reason: in the words of who set it.
    """

    metric: str
    comparison: str
    limit: float | None
    priority: Priority
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows that judge one patient on one day.

    without_defaults: why the adult defaults are left out, or None. A metric with no row reads "no limits set",
    never normal.
    """

    profile: Profile
    rows: tuple[LimitRow, ...]
    by_metric: Mapping[str, tuple[LimitRow, ...]]
    without_defaults: str | None

    def watches(self, metric: str) -> bool:
        """Whether any limit is set for this metric."""
        return metric in self.by_metric

    def metrics_of(self, cause: str) -> frozenset[str]:
        """The metrics whose values decide a cause."""
        return frozenset(row.metric for row in self.rows if row.cause == cause)


def _own(limit: PatientLimit, on: date) -> LimitRow:
    side = "high" if limit.comparison.startswith(">") else "low"
    pressure = limit.metric in {"systolic", "diastolic"}
    return LimitRow(
        id=f"own-{limit.metric}-{side}-{limit.priority}",
        cause=f"blood-pressure-{side}" if pressure else f"{limit.metric}-{side}",
        metric=limit.metric,
        comparison=limit.comparison,
        limit=limit.limit if limit.limit is not None else 0.0,
        priority=limit.priority,
        source="set for this patient",
        hazard="H9",
        effective_from=on,
        own=True,
    )


@lru_cache(maxsize=4096)
def plan(profile: Profile, own: tuple[PatientLimit, ...], on: date) -> Plan:
    """Defaults in force on the day where they may be used, with the patient's own rows above them."""
    without = profile.without_defaults(on)
    defaults = [] if without else [row for row in tables.default_limits(on) if row.scale in {None, profile.news2_scale}]
    if not profile.news2_applies:
        defaults = [row for row in defaults if row.metric != "news2"]
    replaced = {(limit.metric, ">" if limit.comparison.startswith(">") else "<", limit.priority) for limit in own}
    kept = [
        row
        for row in defaults
        if row.window is not None or row.when or (row.metric, row.comparison[0], row.priority) not in replaced
    ]
    rows = tuple(sorted([*kept, *(_own(limit, on) for limit in own if limit.limit is not None)], key=_worst_first))
    by_metric: dict[str, list[LimitRow]] = {}
    for row in rows:
        by_metric.setdefault(row.metric, []).append(row)
    return Plan(profile, rows, {metric: tuple(found) for metric, found in by_metric.items()}, without)


def _worst_first(row: LimitRow) -> tuple[int, str]:
    return -RANK[row.priority], row.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the values of a moment say about one cause: a finding, or within limits (finding None)."""

    cause: str
    finding: Finding | None


def _finding(row: LimitRow, value: float | str, inputs: Iterable[Measured]) -> Finding:
    return Finding(
        cause=row.cause,
        rule=row.id,
        version=tables.version(),
        priority=row.priority,
        metric=row.metric,
        comparison=row.comparison,
        limit=row.limit,
        source=row.source,
        hazard=row.hazard,
        inputs=tuple(inputs),
        value=value,
        own=row.own,
        window_hours=None if row.window is None else int(row.window.total_seconds() // 3600),
    )


def judge(
    changed: Iterable[str], newest: Mapping[str, Measured], rules: Plan, at: datetime, weights: Sequence[Measured] = ()
) -> list[Verdict]:
    """Every cause that the changed metrics touch, judged by the values standing at `at`.

    newest: newest fit value of each metric. A companion value (diastolic beside a new systolic) counts only
    while it stands (timing.toml).
    weights: earlier weights of the last 7 days, for the gain; only those of the same scale are compared.
    """
    on = at.date()
    causes: dict[str, None] = {}
    for metric in changed:
        for row in rules.by_metric.get(metric, ()):
            causes.setdefault(row.cause)
    verdicts = []
    for cause in causes:
        worst: Finding | None = None
        for row in rules.rows:  # worst first
            if row.cause != cause:
                continue
            reading = newest.get(row.metric)
            if reading is None or at - reading.device_time > tables.standing(row.metric, on):
                continue
            worst = _by_row(row, reading, newest, at, weights)
            if worst is not None:
                break
        verdicts.append(Verdict(cause, worst and _with_its_pair(worst, newest)))
    return verdicts


PAIR = {"systolic": "diastolic", "diastolic": "systolic"}


def _with_its_pair(finding: Finding, newest: Mapping[str, Measured]) -> Finding:
    """A blood pressure is read as a pair: the other half of the same measurement stands among the inputs."""
    other = newest.get(PAIR.get(finding.metric, ""))
    if other is None or other.device_time != finding.inputs[0].device_time:
        return finding
    return replace(finding, inputs=tuple(sorted((*finding.inputs, other), key=lambda r: r.metric, reverse=True)))


def _by_row(
    row: LimitRow, reading: Measured, newest: Mapping[str, Measured], at: datetime, weights: Sequence[Measured]
) -> Finding | None:
    if row.window is not None:
        return _gain(row, reading, weights)
    if row.when:
        oxygen = newest.get("oxygen")
        if oxygen is None or at - oxygen.device_time > tables.news2_fresh(at.date())["oxygen"]:
            return None
        if (oxygen.number > 0) != (row.when == "oxygen"):
            return None
        return _finding(row, reading.value, (reading, oxygen)) if row.breached_by(reading.value) else None
    return _finding(row, reading.value, (reading,)) if row.breached_by(reading.value) else None


def _gain(row: LimitRow, now: Measured, weights: Sequence[Measured]) -> Finding | None:
    """Gain over the lowest weight on the same scale within the window. A typed weight is compared with typed ones."""
    window = row.window or timedelta()
    earlier = [
        w
        for w in weights
        if w.device == now.device and w.sound and timedelta() < now.device_time - w.device_time <= window
    ]
    if not earlier:
        return None
    lowest = min(earlier, key=lambda w: w.number)
    gain = round(now.number - lowest.number, 3)  # grams: no scale shows finer
    return _finding(row, gain, (now, lowest)) if row.breached_by(gain) else None


def judge_score(result: News2Result, rules: Plan) -> Verdict | None:
    """NEWS2 as a cause of its own; an incomplete score neither raises nor ends anything: None."""
    rows = rules.by_metric.get("news2", ())
    if result.status != "complete" or result.total is None or not rows:
        return None
    for row in rows:
        if row.breached_by(result.total):
            found = _finding(row, result.total, result.inputs)
            return Verdict(row.cause, replace(found, version=f"{found.version}; NEWS2 {result.version}"))
    return Verdict(rows[0].cause, None)
