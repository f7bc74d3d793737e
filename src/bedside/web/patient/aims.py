"""Targets, averages and the days with a reading, as a patient reads them. Pure.

Nothing here counts what was not done: a day without a reading is a day, never a failure, and breaks nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from bedside.monitoring import Target
from bedside.web.clinician.vitals import SIGNS
from bedside.web.kit.places import N_
from bedside.web.kit.series import Chart, Dot

WEEKS = 8
LOOKED_BACK = timedelta(days=7 * WEEKS)
CLEAR = 5
"""Days of seven from which on the picture is called clear."""
ENOUGH = 3
"""Readings of a week from which on its average is said."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The noons of the last seven days, oldest first, with whether anything was measured then.

    weeks: those with a reading, of the last WEEKS.
    """

    days: tuple[tuple[datetime, bool], ...]
    weeks: int

    @property
    def count(self) -> int:
        """Of the seven."""
        return sum(measured for _, measured in self.days)

    @property
    def words(self) -> str:
        """What is said beside it, a msgid."""
        if self.count >= CLEAR:
            return N_("That gives a clear picture. Thank you.")
        if self.count:
            return N_("Each one helps to see how things are going.")
        return N_("That is fine. Whenever you measure next, the line goes on from there.")


@dataclass(frozen=True, slots=True)
class Aim:
    """One sign in plain words. targets: those of its metrics, by their place; inside, of: readings of 30 days in the
    target; averages: of the last seven days and the seven before, where each has enough."""

    key: str
    title: str
    ucum: str
    names: tuple[str, ...]
    targets: tuple[Target | None, ...]
    inside: int
    of: int
    averages: tuple[tuple[float, float | None], ...]
    today: int

    @property
    def set(self) -> Target | None:
        """The one whose setter and reason are said."""
        return next((one for one in self.targets if one is not None), None)


def aimed(chart: Chart, targets: Mapping[str, Target]) -> Chart:
    """The chart with the patient's targets as its band, where any is set; else as it is."""
    ends = [targets.get(m) for m in _metrics(chart.key)]
    if not any(ends):
        return chart
    return replace(chart, limits=tuple((t.low, t.high) if t else (None, None) for t in ends), aimed=True)


def _metrics(key: str) -> tuple[str, ...]:
    return next((sign.metrics for sign in SIGNS if sign.key == key), ())


def kept(charts: Sequence[Chart], now: datetime, zone: ZoneInfo) -> Kept:
    """Of charts that go back LOOKED_BACK."""
    days = {d.at.astimezone(zone).date() for chart in charts for line in chart.lines for d in line.dots if not d.wrong}
    today = now.astimezone(zone).date()
    noon = datetime.combine(today, time(12), tzinfo=zone)
    week = tuple((at, at.date() in days) for at in (noon - timedelta(days=n) for n in reversed(range(7))))
    weeks = sum(any((today - timedelta(days=7 * n + k)) in days for k in range(7)) for n in range(WEEKS))
    return Kept(week, weeks)


def aims(charts: Sequence[Chart], targets: Mapping[str, Target], now: datetime, zone: ZoneInfo) -> dict[str, Aim]:
    """By sign, of what was measured in LOOKED_BACK."""
    found = {}
    for chart in charts:
        lines = [[d for d in line.dots if not d.wrong] for line in chart.lines]
        mine = tuple(targets.get(metric) for metric in _metrics(chart.key))
        inside, of = (0, 0) if any(line.count for line in chart.lines) else _inside(lines, mine, now)
        today = now.astimezone(zone).date()
        found[chart.key] = Aim(
            chart.key,
            chart.title,
            chart.ucum,
            tuple(line.name for line in chart.lines),
            mine,
            inside,
            of,
            _averages(lines, now) if not any(line.count for line in chart.lines) else (),
            max((sum(d.at.astimezone(zone).date() == today for d in dots) for dots in lines), default=0),
        )
    return found


def _inside(lines: Sequence[Sequence[Dot]], targets: Sequence[Target | None], now: datetime) -> tuple[int, int]:
    """Moments of 30 days of which every value with a target lay in it, and all such moments."""
    moments: dict[datetime, bool] = {}
    for dots, target in zip(lines, targets, strict=True):
        for dot in dots if target else ():
            if target and dot.at >= now - timedelta(days=30):
                moments[dot.at] = moments.get(dot.at, True) and target.holds(dot.value)
    return sum(moments.values()), len(moments)


def _averages(lines: Sequence[Sequence[Dot]], now: datetime) -> tuple[tuple[float, float | None], ...]:
    week = timedelta(days=7)
    found = []
    for dots in lines:
        this = [d.value for d in dots if d.at >= now - week]
        before = [d.value for d in dots if now - 2 * week <= d.at < now - week]
        if len(this) < ENOUGH:
            return ()
        found.append((sum(this) / len(this), sum(before) / len(before) if len(before) >= ENOUGH else None))
    return tuple(found)
