"""A measured value over time, as a picture and as the table behind it. Knows no room: it is handed points.

The table is the truth for whoever cannot see the picture; the island (series.island.ts) draws the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from markupsafe import Markup

from bedside.web.kit.amounts import unit_of

DRAWN = 600
"""Points of a line that are drawn at most: more would not be told apart on a screen."""
LISTED = 60
"""Rows of the table at most, newest first; older ones are counted in words."""


@dataclass(frozen=True, slots=True)
class Dot:
    """One measured value. source: device, typed, imported. wrong: withdrawn or entered in error: listed, not drawn.
    extreme: one of two that stand for a stretch of many: drawn, not listed."""

    at: datetime
    value: float
    source: str
    id: str = ""
    wrong: bool = False
    extreme: bool = False
    doubt: str = ""
    """A flag's word, where there is one: late, clock, implausible, conflict."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Readings that are no longer kept: how many, their lowest, mean and highest. No measured value."""

    since: datetime
    until: datetime
    count: int
    low: float
    high: float
    mean: float


@dataclass(frozen=True, slots=True)
class Line:
    """One metric: its name, dots in time order, and the spans in which nothing was measured.

    count: of all readings, where the dots stand for more than they are.
    """

    name: str
    dots: tuple[Dot, ...]
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    count: int = 0
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A moment of the table: a value for each line, None where that line has none then."""

    at: datetime
    values: tuple[float | None, ...]
    source: str
    ids: tuple[str, ...]
    wrong: bool
    doubt: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A titled picture of one or two lines in one unit. low, high: each line's own limits; None: none set."""

    key: str
    title: str
    ucum: str
    lines: tuple[Line, ...]
    limits: tuple[tuple[float | None, float | None], ...]
    since: datetime
    until: datetime
    aimed: bool = False
    """Whether `limits` are a patient's targets, which raise nothing."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(not d.wrong for line in self.lines for d in line.dots) and not self.summarised

    @property
    def summarised(self) -> int:
        """How many readings of this time are no longer kept one by one."""
        return max((sum(one.count for one in line.stretches) for line in self.lines), default=0)

    @property
    def summarised_until(self) -> datetime | None:
        """Where the last stretch of such ends."""
        return max((one.until for line in self.lines for one in line.stretches), default=None)

    @property
    def count(self) -> int:
        """Readings in the span, of which the table may list some."""
        return max(len(self.rows()), *(line.count for line in self.lines))

    def rows(self) -> list[Row]:
        """The table, newest first: what was measured in one moment stands in one row."""
        moments: dict[tuple[datetime, str, bool], list[Dot | None]] = {}
        for k, line in enumerate(self.lines):
            for dot in (one for one in line.dots if not one.extreme):
                moments.setdefault((dot.at, dot.source, dot.wrong), [None] * len(self.lines))[k] = dot
        ordered = sorted(moments.items(), key=lambda item: item[0][0], reverse=True)
        return [
            Row(
                at,
                tuple(d.value if d else None for d in dots),
                source,
                tuple(d.id for d in dots if d and d.id),
                wrong,
                next((d.doubt for d in dots if d and d.doubt), ""),
            )
            for (at, source, wrong), dots in ordered
        ]

    def drawing(self, units: str) -> Markup:
        """What the island draws, as JSON that is safe inside a script element: times in s, null where a gap is."""
        unit = unit_of(self.ucum, units)
        seen = (self.until - self.since) / 300  # a shorter gap would be narrower than a pixel or two
        lines = []
        for line, (low, high) in zip(self.lines, self.limits, strict=True):
            dots = thin([d for d in line.dots if not d.wrong], DRAWN)
            lines.append(
                {
                    "name": line.name,
                    "t": [round(d.at.timestamp(), 3) for d in dots],
                    "v": [unit.show(d.value) for d in dots],
                    "s": "".join(d.source[0] for d in dots),
                    "gaps": [[a.timestamp(), b.timestamp()] for a, b in line.gaps if b - a >= seen],
                    "bars": [
                        [(one.since + (one.until - one.since) / 2).timestamp(), unit.show(one.low), unit.show(one.high)]
                        for one in line.stretches
                    ],
                    "low": None if low is None else unit.show(low),
                    "high": None if high is None else unit.show(high),
                }
            )
        data = {"unit": unit.word, "since": self.since.timestamp(), "until": self.until.timestamp(), "lines": lines}
        text = orjson.dumps(data).decode()
        return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c"))  # noqa: S704 - escaped for its place


def thin(dots: Sequence[Dot], most: int) -> list[Dot]:
    """At most `most` dots, keeping the lowest and the highest of each stretch, so that no peak is lost."""
    if len(dots) <= most:
        return list(dots)
    kept: list[Dot] = []
    size = len(dots) / (most // 2)
    for n in range(most // 2):
        part = dots[int(n * size) : int((n + 1) * size)]
        low, high = min(part, key=_value), max(part, key=_value)
        kept += [low] if low is high else sorted((low, high), key=_at)
    return kept


def merge(*lists: Iterable[Dot]) -> tuple[Dot, ...]:
    """Dots of several sources in time order; the same moment and value is shown once, the first list's."""
    seen: dict[tuple[datetime, float], Dot] = {}
    for dots in lists:
        for dot in dots:
            seen.setdefault((dot.at, dot.value), dot)
    return tuple(sorted(seen.values(), key=_at))


def _value(dot: Dot) -> float:
    return dot.value


def _at(dot: Dot) -> datetime:
    return dot.at
