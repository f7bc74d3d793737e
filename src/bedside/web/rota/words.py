"""A timetable as it is read: whole days where they are whole, hours where not, and every gap by name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bedside.access import Duty, Gap, Turn, Week, instant
from bedside.foundation.errors import N_, Invalid

DAYS = {
    1: N_("Monday"),
    2: N_("Tuesday"),
    3: N_("Wednesday"),
    4: N_("Thursday"),
    5: N_("Friday"),
    6: N_("Saturday"),
    7: N_("Sunday"),
}
SHORT = {1: N_("Mon"), 2: N_("Tue"), 3: N_("Wed"), 4: N_("Thu"), 5: N_("Fri"), 6: N_("Sat"), 7: N_("Sun")}
ROLES = {"nurse": N_("nurse"), "clinician": N_("clinician")}


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one day at one step. hours: "" for the whole day. name: None where nobody is asked."""

    hours: str
    name: str | None
    instead: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A place's days. cells: by day, a list of pieces for each of steps."""

    week: Week
    zone: ZoneInfo
    steps: tuple[int, ...]
    cells: tuple[tuple[date, tuple[tuple[Piece, ...], ...]], ...]
    empty: tuple[Gap, ...]
    """When nobody is asked at any step."""


def shown(week: Week) -> Shown:
    """A week as a table: a row a day, a column a step."""
    zone = ZoneInfo(week.place.zone or "UTC")
    steps = tuple(sorted({turn.planned.step for turn in week.turns}))
    rows = []
    day = week.since.astimezone(zone).date()
    last = week.until.astimezone(zone).date()
    while day < last:
        start, end = instant(day, time(0), zone), instant(day + timedelta(days=1), time(0), zone)
        rows.append((day, tuple(tuple(_pieces(week, step, start, end, zone)) for step in steps)))
        day += timedelta(days=1)
    return Shown(week, zone, steps, tuple(rows), tuple(gap for gap in week.gaps if gap.step is None))


def _pieces(week: Week, step: int, start: datetime, end: datetime, zone: ZoneInfo) -> Iterable[Piece]:
    found: list[tuple[datetime, datetime, str | None, str, tuple[str, ...]]] = []
    for turn in week.turns:
        if turn.planned.step == step and turn.duty and turn.start < end and turn.end > start:
            named = turn.duty.name, turn.duty.instead_name
            found.append((max(turn.start, start), min(turn.end, end), *named, ()))
    found += [
        (max(gap.start, start), min(gap.end, end), None, "", gap.missing)
        for gap in week.gaps
        if gap.step == step and gap.start < end and gap.end > start
    ]
    for since, until, name, instead, missing in sorted(found, key=lambda one: (one[0], one[2] or "")):
        yield Piece(hours(since, until, start, end, zone), name, instead, missing)


def hours(since: datetime, until: datetime, start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """The local hours of a stretch of a day; "" where it is all of it."""
    if (since, until) == (start, end):
        return ""
    return f"{since.astimezone(zone):%H:%M}–" + ("24:00" if until == end else f"{until.astimezone(zone):%H:%M}")


def weekdays(duty: Duty) -> list[str]:
    """Msgids of the days on which its shifts begin, runs as they are; all seven: none."""
    if duty.weekly is None or len(duty.weekly.weekdays) == len(SHORT):
        return []
    return [SHORT[day] for day in sorted(duty.weekly.weekdays)]


def times(duty: Duty) -> str:
    """ "22:00–06:00"; "" around the clock."""
    return f"{duty.weekly.begins:%H:%M}–{duty.weekly.ends:%H:%M}" if duty.weekly else ""


def moment(form: dict[str, Any], name: str, zone: ZoneInfo) -> datetime:
    """A day and a time of a form, by the reader's clock. Raises Invalid naming the field."""
    try:
        day = date.fromisoformat(str(form.get(f"{name}-day") or ""))
        at = time.fromisoformat(str(form.get(f"{name}-time") or "00:00"))
    except ValueError:
        raise Invalid("Write a day and a time.", where=name) from None
    return instant(day, at, zone)


def stretches(turns: Sequence[Turn], me: str) -> list[Turn]:
    """One's own turns by start, those that somebody else has taken among them."""
    return sorted((t for t in turns if t.planned.person == me or (t.duty and t.duty.person == me)), key=_by_start)


def _by_start(turn: Turn) -> tuple[datetime, int]:
    return turn.start, turn.planned.step
