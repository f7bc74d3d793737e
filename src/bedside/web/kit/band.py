"""Seven days of a value as a small line inside its target band: drawn on the server, so that it needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside.web.kit.series import Chart, Line, thin

WIDTH, HEIGHT = 328, 104
TOP, BOTTOM, LEFT, RIGHT = 8, 20, 4, 44
MOST = 80


@dataclass(frozen=True, slots=True)
class Band:
    """What the component draws, in a picture of WIDTH × HEIGHT. paths: one a line, broken at gaps; dots: each line's
    newest; target: (y, height) or None; marks: (y, value) of the limits; days: (x, date)."""

    paths: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    target: tuple[float, float] | None
    marks: tuple[tuple[float, float], ...]
    days: tuple[tuple[float, datetime], ...]


def band(chart: Chart) -> Band | None:
    """The picture of a chart, None where nothing is to be drawn. The target is the first line's."""
    lines = [[d for d in line.dots if not d.wrong] for line in chart.lines]
    values = [d.value for dots in lines for d in dots]
    if not values:
        return None
    low, high = chart.limits[0]
    ends = [v for v in (low, high) if v is not None]
    bottom, top = min(values + ends), max(values + ends)
    air = max((top - bottom) * 0.1, 1.0)
    bottom, top = bottom - air, top + air
    span = (chart.until - chart.since).total_seconds()

    def x(at: datetime) -> float:
        return round(LEFT + (at - chart.since).total_seconds() / span * (WIDTH - LEFT - RIGHT), 1)

    def y(value: float) -> float:
        return round(TOP + (top - value) / (top - bottom) * (HEIGHT - TOP - BOTTOM), 1)

    target = None
    if ends:
        upper, lower = (y(high) if high is not None else TOP), (y(low) if low is not None else HEIGHT - BOTTOM)
        target = (upper, round(lower - upper, 1))
    days = tuple(
        (x(at), at)
        for n in range(1, 7, 2)
        if chart.since <= (at := chart.since + timedelta(seconds=span * n / 7)) <= chart.until
    )
    return Band(
        tuple(
            _path([(x(d.at), y(d.value), d.at) for d in thin(dots, MOST)], line)
            for dots, line in zip(lines, chart.lines, strict=True)
        ),
        tuple((x(dots[-1].at), y(dots[-1].value)) for dots in lines if dots),
        target,
        tuple((y(v), v) for v in ends),
        days,
    )


def _path(points: Sequence[tuple[float, float, datetime]], line: Line) -> str:
    parts: list[str] = []
    before: datetime | None = None
    for px, py, at in points:
        broken = before is None or any(a <= before and at <= b for a, b in line.gaps)
        parts.append(f"{'M' if broken else 'L'}{px} {py}")
        before = at
    return "".join(parts)
