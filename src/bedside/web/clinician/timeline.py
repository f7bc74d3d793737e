"""Lanes over one time axis, as numbers that an SVG of any width takes: across in per cent, down in px. Pure.

No text is stretched: a lane's lines stand in an inner picture of WIDE units across, words and dots in the outer one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bedside.web.kit.amounts import Unit
from bedside.web.kit.series import Chart, Dot, thin

WIDE, HIGH = 1000, 120
"""Of a lane's inner picture, in its own units; the height is px too."""
AIR = 18
"""px above the highest and below the lowest value."""
CROWDED = 120
"""Dots of a line beyond which the line alone is drawn."""
DRAWN = 600
LISTED = 60
"""Rows of a table at most: beyond it, a row for each of PARTS parts of the time."""
PARTS = 31
MOST_TICKS = 6
STEPS = (1, 3, 6, 12, 24, 48, 7 * 24, 14 * 24)
"""Hours between ticks; above that in months."""
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240)


@dataclass(frozen=True, slots=True)
class Tick:
    """x in per cent. form: clock, day, month or year: how much of the moment its word says."""

    x: float
    at: datetime
    form: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The time that all lanes share."""

    since: datetime
    until: datetime
    zone: ZoneInfo

    def x(self, at: datetime) -> float:
        """Where a moment lies, per cent of the width; what lies outside is at the edge."""
        share = (at - self.since) / (self.until - self.since)
        return round(100 * min(max(share, 0.0), 1.0), 3)

    def holds(self, since: datetime, until: datetime | None = None) -> bool:
        """Whether any part of a span, or a moment, lies within."""
        return since <= self.until and (until or since) >= self.since

    def ticks(self) -> list[Tick]:
        """At most MOST_TICKS round moments of the reader's clock."""
        hours = (self.until - self.since) / timedelta(hours=1)
        step = next((s for s in STEPS if hours / s <= MOST_TICKS), None)
        if step is not None:
            return [
                Tick(self.x(at), at, "clock" if step < 24 and at.astimezone(self.zone).hour else "day")
                for at in self._hourly(step)
            ]
        months = hours / (24 * 30.44)
        size = next((m for m in MONTHS if months / m <= MOST_TICKS), MONTHS[-1])
        return [Tick(self.x(at), at, "year" if size >= 12 else "month") for at in self._monthly(size)]

    def _hourly(self, step: int) -> list[datetime]:
        # Days are counted on the calendar, not in 24 h: a tick stays at midnight when the clock changes.
        local = self.since.astimezone(self.zone)
        day = datetime(local.year, local.month, local.day, tzinfo=self.zone)
        found: list[datetime] = []
        while day <= self.until:
            if step < 24:
                found += [day.replace(hour=hour) for hour in range(0, 24, step)]
            elif day.toordinal() % (step // 24) == 0:
                found.append(day)
            day += timedelta(days=1)
        return [at for at in found if self.since <= at <= self.until]

    def _monthly(self, size: int) -> list[datetime]:
        year = self.since.astimezone(self.zone).year
        last = self.until.astimezone(self.zone).year
        starts = (
            datetime(y, m, 1, tzinfo=self.zone)
            for y in range(year, last + 1)
            for m in range(1, 13)
            if (y * 12 + m - 1) % size == 0
        )
        return [at for at in starts if self.since <= at <= self.until]


@dataclass(frozen=True, slots=True)
class Mark:
    """A dot: x per cent, y px; source: device, typed or imported, said by its shape."""

    x: float
    y: float
    source: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """One line of a lane. path: in WIDE × HIGH, broken at gaps; marks: none where they would be a smear. bars: x, and
    y of the highest and the lowest, where readings are no longer kept."""

    name: str
    path: str
    marks: tuple[Mark, ...]
    bars: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of a lane's table: a moment (until None) or a part of the time, and for each line lowest and highest."""

    since: datetime
    until: datetime | None
    values: tuple[tuple[float, float] | None, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A chart on the common axis. edges: (y, value) of the scale's numbers; bands: (y, height) of the limits of each
    line; lines_at: y of each limit; rows: the same as a table; whole: whether each row is one measurement."""

    chart: Chart
    unit: Unit
    lines: tuple[Drawn, ...]
    edges: tuple[tuple[float, float], ...]
    bands: tuple[tuple[float, float], ...]
    lines_at: tuple[float, ...]
    rows: tuple[Listed, ...]
    whole: bool


def lane(chart: Chart, axis: Axis, unit: Unit) -> Lane:
    """A chart drawn on the axis, its scale over what was measured and the limits near it."""
    lines = [[d for d in line.dots if not d.wrong and axis.holds(d.at)] for line in chart.lines]
    values = [d.value for dots in lines for d in dots]
    values += [v for line in chart.lines for one in line.stretches for v in (one.low, one.high)]
    bottom, top = (min(values), max(values)) if values else (0.0, 1.0)
    room = max((top - bottom) * 0.5, 1.0)
    # A limit far from anything measured would press the curve flat: it is said in words all the same.
    near = [v for ends in chart.limits for v in ends if v is not None and bottom - room <= v <= top + room]
    bottom, top = min([bottom, *near]), max([top, *near])
    if top - bottom < 1:
        bottom, top = bottom - 0.5, top + 0.5

    def y(value: float) -> float:
        return round(AIR + (top - min(max(value, bottom), top)) / (top - bottom) * (HIGH - 2 * AIR), 1)

    bands = [
        (y(high if high is not None else top), y(low if low is not None else bottom))
        for low, high in chart.limits
        if low is not None or high is not None
    ]
    rows, whole = _table(chart, axis)
    return Lane(
        chart,
        unit,
        tuple(
            Drawn(
                line.name,
                _path(thin(dots, DRAWN), line.gaps, axis, y),
                ()
                if len(dots) > CROWDED
                else tuple(Mark(axis.x(d.at), y(d.value), d.source) for d in dots if not d.extreme),
                tuple(
                    (axis.x(one.since + (one.until - one.since) / 2), y(one.high), y(one.low)) for one in line.stretches
                ),
            )
            for line, dots in zip(chart.lines, lines, strict=True)
        ),
        tuple((y(v), v) for v in dict.fromkeys((max(values), min(values)))) if values else (),
        tuple((a, round(b - a, 1)) for a, b in bands),
        tuple(sorted({y(v) for v in near})),
        rows,
        whole,
    )


def _path(
    dots: Sequence[Dot], gaps: Sequence[tuple[datetime, datetime]], axis: Axis, y: Callable[[float], float]
) -> str:
    parts: list[str] = []
    before: datetime | None = None
    for dot in dots:
        broken = before is None or any(a <= before and dot.at <= b for a, b in gaps)
        parts.append(f"{'M' if broken else 'L'}{round(axis.x(dot.at) * WIDE / 100, 1)} {y(dot.value)}")
        before = dot.at
    return "".join(parts)


def _table(chart: Chart, axis: Axis) -> tuple[tuple[Listed, ...], bool]:
    """Every measurement, newest first; where there are too many, or some were thinned for drawing, the lowest and
    highest of each part of the time."""
    stand = [row for row in chart.rows() if not row.wrong and axis.holds(row.at)]
    thinned = any(d.extreme for line in chart.lines for d in line.dots)
    if len(stand) <= LISTED and not thinned and not chart.summarised:
        each = [
            Listed(row.at, None, tuple(None if v is None else (v, v) for v in row.values), row.source) for row in stand
        ]
        return tuple(each), True
    width = (axis.until - axis.since) / PARTS
    found: list[Listed] = []
    for n in reversed(range(PARTS)):
        begins, ends = axis.since + n * width, axis.since + (n + 1) * width
        values = tuple(
            _range(
                [d.value for d in line.dots if not d.wrong and begins <= d.at < ends]
                + [v for s in line.stretches if begins <= s.since < ends for v in (s.low, s.high)]
            )
            for line in chart.lines
        )
        if any(values):
            found.append(Listed(begins, ends, values))
    return tuple(found), False


def _range(values: Iterable[float]) -> tuple[float, float] | None:
    all_ = list(values)
    return (min(all_), max(all_)) if all_ else None
