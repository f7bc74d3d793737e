"""Which limits hold for a patient, and what a moment's values mean under them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, reduce
from typing import Final, NamedTuple

from bedside.monitoring.rules.model import past, tables
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.news2 import News2Result
from bedside.monitoring.rules.model.past import Baseline, Past, Reckoned
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.tables import RANK, Kind, LimitRow, Priority


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach, with everything needed to explain it: which inputs, which rule and version, and why.

    count: for n of m (kind persistence), how many of the `looked` lie beyond the limit; least, of: how many the rule
    asks for. usual: the baseline that value is the deviation from.
    """

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
    window_hours: float | None = None
    kind: Kind = "limit"
    least: int = 0
    of: int = 0
    count: int = 0
    looked: int = 0
    usual: Baseline | None = None
    told: Mapping[str, object] = field(default_factory=dict)
    """What else it rests on, as an alarm keeps it."""
    delay: timedelta = timedelta(0)
    """As a patient's own row asks."""


@dataclass(frozen=True, slots=True)
class PatientLimit:
    """One limit of a patient's own, replacing the default of the same metric, direction and priority.

    limit None switches that default off. reason: in the words of who set it.
    rule: in place of that row of the tables, whatever it is; "" for a plain limit, or a rule of its own of another
    `kind` (hours: its window; least, of, spread: see LimitRow), which stands beside the tables' rows.
    delay_seconds: how long a limit on the newest value must stand broken before its alarm is raised.
    """

    metric: str
    comparison: str
    limit: float | None
    priority: Priority
    reason: str = ""
    rule: str = ""
    kind: Kind = "limit"
    hours: float | None = None
    least: int = 0
    of: int = 0
    spread: float = 0.0
    delay_seconds: int = 0


class Band(NamedTuple):
    """Values above and below two limits, at least and at most two others; which of the two is narrower is no matter."""

    above: float = -math.inf
    least: float = -math.inf
    most: float = math.inf
    below: float = math.inf

    def narrowed(self, row: LimitRow) -> Band:
        """Less what this row finds; nothing is left where it looks at more than this value."""
        if row.kind in LOOKS:
            return NOTHING
        match row.comparison:
            case ">":
                return self._replace(most=min(self.most, row.limit))
            case ">=":
                return self._replace(below=min(self.below, row.limit))
            case "<":
                return self._replace(least=max(self.least, row.limit))
            case "<=":
                return self._replace(above=max(self.above, row.limit))
            case _:
                return self


NOTHING: Final = Band(above=math.inf, below=-math.inf)
LOOKS: Final = frozenset({"change", "baseline"})
"""Rules that may find something in a value that is within every limit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows that judge one patient on one day.

    without_defaults: why the adult defaults are left out, or None. A metric with no row reads "no limits set",
    never normal. remembered: of which metrics the judge keeps how many readings, for rules that look back. usual: the
    baselines that they need, by metric and days. calm: of each metric that has rows, within what no row finds anything,
    whatever came before.
    """

    profile: Profile
    rows: tuple[LimitRow, ...]
    by_metric: Mapping[str, tuple[LimitRow, ...]]
    without_defaults: str | None
    remembered: Mapping[str, int]
    usual: frozenset[tuple[str, int]]
    calm: Mapping[str, Band]

    def watches(self, metric: str) -> bool:
        """Whether any limit is set for this metric."""
        return metric in self.by_metric

    def metrics_of(self, cause: str) -> frozenset[str]:
        """The metrics whose values decide a cause."""
        return frozenset(row.metric for row in self.rows if row.cause == cause)


def _own(limit: PatientLimit, on: date) -> LimitRow:
    side = "high" if limit.comparison.startswith(">") else "low"
    pressure = limit.metric in {"systolic", "diastolic"}
    cause = f"blood-pressure-{side}" if pressure else f"{limit.metric}-{side}"
    if limit.kind == "change":
        cause = f"{limit.metric}-{'gain' if side == 'high' else 'loss'}"
    elif limit.kind == "baseline":
        cause = f"{limit.metric}-off-baseline"
    kind = "" if limit.kind == "limit" else f"-{limit.kind}"
    return LimitRow(
        id=f"own-{limit.metric}-{side}-{limit.priority}{kind}",
        cause=cause,
        metric=limit.metric,
        comparison=limit.comparison,
        limit=limit.limit if limit.limit is not None else 0.0,
        priority=limit.priority,
        source=OWN,
        hazard="H9",
        effective_from=on,
        kind=limit.kind,
        window=None if limit.hours is None else timedelta(hours=limit.hours),
        least=limit.least,
        of=limit.of,
        spread=limit.spread,
        delay=timedelta(seconds=limit.delay_seconds),
        own=True,
    )


def _in_place_of(row: LimitRow, limit: PatientLimit) -> LimitRow:
    """A row of the tables as a clinician set it for one patient; what they did not say stays."""
    return replace(
        row,
        id=f"own-{row.id}",
        limit=row.limit if limit.limit is None else limit.limit,
        priority=limit.priority,
        window=row.window if limit.hours is None else timedelta(hours=limit.hours),
        least=limit.least or row.least,
        of=limit.of or row.of,
        spread=limit.spread or row.spread,
        delay=timedelta(seconds=limit.delay_seconds),
        source=OWN,
        own=True,
    )


OWN = "set for this patient"


@lru_cache(maxsize=4096)
def plan(profile: Profile, own: tuple[PatientLimit, ...], on: date) -> Plan:
    """Defaults in force on the day where they may be used, with those of the patient's programmes; the patient's own
    rows above them. A row that was set for the patient in place of one of the tables holds for whoever is that young or
    pregnant, but only while they are in its programme.
    """
    without = profile.without_defaults(on)
    tabled = [row for row in tables.default_limits(on) if row.scale in {None, profile.news2_scale}]
    if not profile.scored:
        tabled = [row for row in tabled if row.metric != "news2"]
    tabled += [row for row in tables.programme_rules(on) if row.programme in profile.programmes]
    instead = {limit.rule: limit for limit in own if limit.rule}
    mine = [one for one in own if not one.rule]
    replaced = {(one.metric, one.comparison[0], one.priority) for one in mine if one.kind == "limit"}
    kept = [
        row
        for row in ([] if without else tabled)
        if row.id not in instead
        and (row.kind != "limit" or row.when or (row.metric, row.comparison[0], row.priority) not in replaced)
    ]
    kept += [_in_place_of(row, instead[row.id]) for row in tabled if _set(instead.get(row.id))]
    rows = tuple(sorted([*kept, *(_own(limit, on) for limit in mine if _set(limit))], key=_worst_first))
    by_metric: dict[str, list[LimitRow]] = {}
    remembered: dict[str, int] = {}
    for row in rows:
        by_metric.setdefault(row.metric, []).append(row)
        if row.metric != "weight" and (many := past.MOST if row.kind == "change" else 2 * row.of):
            remembered[row.metric] = max(many, remembered.get(row.metric, 0))
    usual = frozenset((row.metric, row.window.days) for row in rows if row.kind == "baseline" and row.window)
    found = {metric: tuple(those) for metric, those in by_metric.items()}
    calm = {metric: reduce(Band.narrowed, those, Band()) for metric, those in found.items()}
    return Plan(profile, rows, found, without, remembered, usual, calm)


def _set(limit: PatientLimit | None) -> bool:
    """Whether it is a limit, and not one switched off."""
    return limit is not None and limit.limit is not None


def _worst_first(row: LimitRow) -> tuple[int, str]:
    return -RANK[row.priority], row.id


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the values of a moment say about one cause: a finding, or within limits (finding None).

    holds: n of the last m are still beyond a limit, though the newest is not: nothing ends. incomplete: rules that
    could not be reckoned, for want of readings: what they raised does not end by them. besides: what other rules of the
    cause find broken, worst first.
    """

    cause: str
    finding: Finding | None
    holds: bool = False
    incomplete: frozenset[str] = frozenset()
    besides: tuple[Finding, ...] = ()


def _finding(row: LimitRow, got: Reckoned) -> Finding:
    hours = None if row.window is None else row.window / timedelta(hours=1)
    return Finding(
        cause=row.cause,
        rule=row.id,
        version=row.version or tables.version(),
        priority=row.priority,
        metric=row.metric,
        comparison=row.comparison,
        limit=row.limit,
        source=row.source,
        hazard=row.hazard,
        inputs=got.inputs,
        value=got.value,
        own=row.own,
        window_hours=int(hours) if hours is not None and hours.is_integer() else hours,
        kind=row.kind,
        least=row.least,
        of=row.of,
        count=got.have if row.kind == "persistence" else 0,
        looked=got.need if row.kind == "persistence" else 0,
        usual=got.baseline,
        delay=row.delay,
    )


def judge(
    changed: Iterable[str], newest: Mapping[str, Measured], rules: Plan, at: datetime, known: Past = past.NOTHING
) -> list[Verdict]:
    """Every cause that the changed metrics touch, judged by the values standing at `at`.

    newest: newest fit value of each metric. A companion value (diastolic beside a new systolic) counts only
    while it stands (timing.toml).
    known: what rules that look back may look at; a weight is compared with those of the same scale alone.
    """
    on = at.date()
    causes: dict[str, None] = {}
    for metric in changed:
        for row in rules.by_metric.get(metric, ()):
            causes.setdefault(row.cause)
    verdicts = []
    for cause in causes:
        broken: list[Finding] = []
        holds, incomplete = False, []
        for row in rules.rows:  # worst first
            if row.cause != cause:
                continue
            reading = newest.get(row.metric)
            if reading is None or at - reading.device_time > tables.standing(row.metric, on):
                continue
            got = reckon(row, reading, newest, at, known)
            if got is None:
                continue
            if got.status == "breach":
                broken.append(_with_its_pair(_finding(row, got), newest))
            if broken:
                continue
            holds |= got.status == "holds"
            if got.status == "incomplete":
                incomplete.append(row.id)
        worst = broken[0] if broken else None
        verdicts.append(Verdict(cause, worst, holds, frozenset(incomplete), tuple(broken[1:])))
    return verdicts


PAIR = {"systolic": "diastolic", "diastolic": "systolic"}


def _with_its_pair(finding: Finding, newest: Mapping[str, Measured]) -> Finding:
    """A blood pressure is read as a pair: the other half of the same measurement stands among the inputs."""
    other = newest.get(PAIR.get(finding.metric, ""))
    if other is None or other.device_time != finding.inputs[0].device_time:
        return finding
    return replace(finding, inputs=tuple(sorted((*finding.inputs, other), key=lambda r: r.metric, reverse=True)))


def reckon(
    row: LimitRow, reading: Measured, newest: Mapping[str, Measured], at: datetime, known: Past
) -> Reckoned | None:
    """What one row says of a reading; None where it does not apply (on oxygen, and none is given)."""
    those = known.readings.get(row.metric, ())
    if row.kind == "persistence":
        return past.persistence(row, reading, at, those)
    if row.kind == "change":
        return past.change(row, reading, those)
    if row.kind == "baseline":
        span = (row.window or timedelta()).days
        return past.deviation(row, reading, at, known.baselines.get((row.metric, span)))
    inputs: tuple[Measured, ...] = (reading,)
    if row.when:
        oxygen = newest.get("oxygen")
        if oxygen is None or at - oxygen.device_time > tables.news2_fresh(at.date())["oxygen"]:
            return None
        if (oxygen.number > 0) != (row.when == "oxygen"):
            return None
        inputs = (reading, oxygen)
    return Reckoned("breach" if row.breached_by(reading.value) else "within", reading.value, inputs)


def judge_score(result: News2Result, rules: Plan) -> Verdict | None:
    """NEWS2 as a cause of its own; an incomplete score neither raises nor ends anything: None."""
    rows = rules.by_metric.get("news2", ())
    if result.status != "complete" or result.total is None or not rows:
        return None
    for row in rows:
        if row.breached_by(result.total):
            found = _finding(row, Reckoned("breach", result.total, result.inputs))
            return Verdict(row.cause, replace(found, version=f"{found.version}; NEWS2 {result.version}"))
    return Verdict(rows[0].cause, None)
