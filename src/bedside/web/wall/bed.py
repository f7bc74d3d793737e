"""One patient on the wall: what a tile shows, put together from readings, alarms and the score; no input or output."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bedside.monitoring import LEADS, Alarm, Latest, Lead, News2Result, Plan, Reading
from bedside.web.wall import words

ORDER = ("heart-rate", "spo2", "pressure", "respiratory-rate", "temperature", "weight", "glucose")
SMALL = 4
"""Values that a tile has room for; one of them is the alarming one, where there is one."""
CONTINUOUS = timedelta(hours=2)
NOW_AND_THEN = timedelta(days=7)
BROKEN = {CONTINUOUS: timedelta(minutes=12), NOW_AND_THEN: timedelta(days=2)}
"""A pause between two values after which the line is broken: nobody knows what was between them."""
BUCKETS = 60
MOST_POINTS = 600
"""Points of a line that are held; two a bucket are drawn."""
REDRAWN = timedelta(minutes=1)
"""A line ends where its newest value stands, so an old picture of it would hide that nothing came since."""


@dataclass(slots=True)
class Value:
    """The newest value of a metric. stale_at: when it stops being current."""

    metric: str
    value: float | str
    unit: str
    at: datetime
    stale_at: datetime
    source: str
    kind: str
    flags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Shown:
    """A value as the tile writes it. metric: whose line stands beside it, "" for none."""

    label: str
    words: str
    text: str
    unit: str
    at: datetime | None
    stale_at: datetime | None
    typed: bool = False
    doubt: bool = False
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Trend:
    """A line as SVG polylines in a box of 100 × 28, and in words. Several where there are gaps."""

    metric: str
    lines: tuple[str, ...]
    low: float
    high: float
    hours: float


@dataclass(slots=True)
class Bed:
    """The state of a tile. version goes up with each change; rendered holds its pictures, by reader's language."""

    patient: str
    name: str
    bed: str = ""
    place: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    points: dict[str, deque[tuple[datetime, float]]] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)
    score: News2Result | None = None
    plan: Plan | None = None
    scored_at: datetime | None = None
    leads: tuple[int, ...] = ()
    """The leads of which waveforms come, by number."""
    version: int = 0
    drawn_at: datetime | None = None
    rendered: dict[tuple[str, str, int], str] = field(default_factory=dict)

    def changed(self) -> None:
        """Its pictures are old."""
        self.version += 1
        self.drawn_at = None
        self.rendered.clear()

    def aged(self, now: datetime) -> bool:
        """Whether its lines were drawn so long ago that they end too far to the right."""
        return self.drawn_at is not None and now - self.drawn_at >= REDRAWN

    def take_latest(self, newest: Iterable[Latest]) -> None:
        """The whole truth about newest values, from the store."""
        self.values = {
            found.metric: Value(
                found.metric,
                found.value,
                found.unit,
                found.device_time,
                found.stale_at,
                found.source,
                found.device_kind,
                found.flags,
            )
            for found in newest
        }
        for found in self.values.values():
            self._point(found)

    def take_live(self, reading: Reading) -> bool:
        """One reading heard live; False when its limit of staleness is not known, so the store must be asked."""
        metric, at, flags = reading.metric, reading.device_time, reading.flags
        if "clock" in flags:
            return True
        known = self.values.get(metric)
        if known is None or known.kind != reading.device_kind:
            return False
        if at <= known.at:
            return True
        stale_at = at + (known.stale_at - known.at)
        self.values[metric] = Value(
            metric, reading.value, reading.unit, at, stale_at, reading.source, reading.device_kind, flags
        )
        self._point(self.values[metric])
        return True

    def _point(self, value: Value) -> None:
        line = self.points.get(value.metric)
        if line is not None and not isinstance(value.value, str) and (not line or line[-1][0] < value.at):
            line.append((value.at, value.value))
            if len(line) > MOST_POINTS:
                self.set_points(value.metric, line)

    def content(self) -> object:
        """What a picture of it is made of, to see whether it changed."""
        score = self.score and (self.score.status, self.score.total, self.score.missing, self.score.stale)
        return list(self.alarms), dict(self.values), score, self.plan

    @property
    def alarm(self) -> Alarm | None:
        """The one that the tile shows: unseen first, then the worst, then the oldest."""
        return self.alarms[0] if self.alarms else None

    def silent(self, now: datetime) -> bool:
        """Whether the link to this bed is lost: a device went silent, and nothing that another one sent is current."""
        lost = any(alarm.technical and alarm.state != "ended" for alarm in self.alarms)
        return lost and all(value.stale_at <= now for value in self.values.values() if value.source == "device")

    @property
    def rank(self) -> int:
        """For sorting by severity: higher comes first."""
        alarm = self.alarm
        return 0 if alarm is None else alarm.rank * 2 + alarm.unseen

    @property
    def without(self) -> str | None:
        """Why the adult limits are left out, as a msgid; None when they hold, or the patient has their own."""
        if self.plan is None or self.plan.without_defaults is None or self.plan.rows:
            return None
        return words.WITHOUT[self.plan.without_defaults]

    def shown(self) -> list[Shown]:
        """The values beside the big one."""
        big = self.alarm and _group(str(self.alarm.finding["metric"]))
        found = [one for one in (self._shown(name) for name in ORDER if name != big) if one is not None]
        found = found[: SMALL - 1 if big else SMALL]
        if big and len(found) == SMALL - 1 and found[-1].metric == "systolic":
            found[-2:] = found[
                :-3:-1
            ]  # the last row shares its place with the score, and a pressure is too wide for it
        return found

    def big(self) -> Shown | None:
        """The alarming value, as it is now; for a cause that is no measurement, what the alarm says."""
        alarm = self.alarm
        if alarm is None:
            return None
        metric = str(alarm.finding["metric"])
        now = self._shown(_group(metric))
        if now is not None and alarm.cause != "weight-gain":
            return now
        value = alarm.finding["value"]
        if metric == "silence":
            return Shown("", "", "–", "", alarm.breach_at, None)
        if metric == "weight":
            change = f"{float(value):+.1f}"
            return Shown("", words.METRICS["weight"][0], change, "kg", alarm.measured_at, None, metric="weight")
        if metric == "symptoms":
            return Shown("", "", "!", "", alarm.raised_at, None)
        return Shown("", "", str(value), "", alarm.measured_at, None)

    def _shown(self, name: str) -> Shown | None:
        if name == "pressure":
            return self._pressure()
        found = self.values.get(name)
        if found is None:
            return None
        long, short, decimals = words.METRICS.get(name, (name, name, 0))
        text = found.value if isinstance(found.value, str) else f"{found.value:.{decimals}f}"
        return self._written(found, short, long, text, found.unit)

    def _pressure(self) -> Shown | None:
        upper, lower = self.values.get("systolic"), self.values.get("diastolic")
        if upper is None or isinstance(upper.value, str):
            return None
        # Two halves of different moments are no blood pressure.
        pair = lower is not None and not isinstance(lower.value, str) and lower.at == upper.at
        second = f"{lower.value:.0f}" if pair and lower is not None else "–"
        long, short, _ = words.METRICS["pressure"]
        return self._written(upper, short, long, f"{upper.value:.0f}/{second}", upper.unit)

    @staticmethod
    def _written(found: Value, short: str, long: str, text: str, unit: str) -> Shown:
        doubt = bool(found.flags & {"implausible", "cuffless"})
        line = "" if isinstance(found.value, str) else found.metric
        typed = found.source != "device"
        return Shown(short, long, text, words.unit_of(unit), found.at, found.stale_at, typed, doubt, line)

    def trend_metrics(self) -> list[str]:
        """Whose lines the tile draws: those of the values that it shows."""
        big = self.big()
        found = [*([big] if big else []), *self.shown()]
        return [one.metric for one in found if one.metric]

    def live(self) -> dict[str, Lead]:
        """The lead that is drawn beside each metric: lead II of an ECG first, then the lowest number."""
        found: dict[str, Lead] = {}
        for number in sorted(self.leads, key=lambda one: (LEADS[one].name != "ecg-ii", one)):
            found.setdefault(LEADS[number].metric, LEADS[number])
        return found

    def spans(self) -> list[int]:
        """How far back the lines go that the tile draws, in hours; more than one where a monitor and a cuff meet."""
        live = self.live()
        drawn = [one for one in self.trend_metrics() if one not in live and len(self.points.get(one, ())) > 1]
        return sorted({int(self.span_of(one).total_seconds() // 3600) for one in drawn})

    def span_of(self, metric: str) -> timedelta:
        """How far back this metric's line goes."""
        found = self.values.get(metric)
        return CONTINUOUS if found is not None and found.kind == "monitor" else NOW_AND_THEN

    def forget_points(self) -> None:
        """A reading was taken back: the lines are read anew."""
        self.points.clear()

    def set_points(self, metric: str, points: Sequence[tuple[datetime, float]]) -> None:
        """The line's past, from the store; of one that is long, no more than can be drawn: a wall stands for weeks."""
        if len(points) > MOST_POINTS:
            span = self.span_of(metric)
            since = points[-1][0] - span
            points = thinned([point for point in points if point[0] >= since], since, span)
        self.points[metric] = deque(points)

    def trend(self, metric: str, now: datetime) -> Trend | None:
        """A metric's line up to now, thinned to what a tile can show; the extremes of each step stay."""
        span = self.span_of(metric)
        points = [p for p in self.points.get(metric, ()) if now - span <= p[0] <= now]
        if len(points) < 2:
            return None
        thin = thinned(points, now - span, span)
        low, high = min(v for _, v in thin), max(v for _, v in thin)
        room = max(high - low, 0.1 * abs(high), 1.0)
        middle = (high + low) / 2
        lines: list[list[str]] = [[]]
        last: datetime | None = None
        for at, value in thin:
            if last is not None and at - last > BROKEN[span]:
                lines.append([])
            x = 100 * ((at - (now - span)) / span)
            y = 14 - 24 * (value - middle) / room
            lines[-1].append(f"{x:.1f},{y:.1f}")
            last = at
        drawn = tuple(" ".join(line if len(line) > 1 else line * 2) for line in lines if line)
        return Trend(metric, drawn, low, high, span.total_seconds() / 3600)


def thinned(points: Sequence[tuple[datetime, float]], since: datetime, span: timedelta) -> list[tuple[datetime, float]]:
    """At most two points a step, the lowest and the highest, in order of time."""
    steps: dict[int, list[tuple[datetime, float]]] = {}
    for point in points:
        steps.setdefault(int(BUCKETS * ((point[0] - since) / span)), []).append(point)
    kept = []
    for _, found in sorted(steps.items()):
        ends = {min(found, key=lambda p: p[1]), max(found, key=lambda p: p[1])}
        kept.extend(sorted(ends))
    return kept


def _group(metric: str) -> str:
    return "pressure" if metric in {"systolic", "diastolic"} else metric
