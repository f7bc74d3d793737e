"""Who is asked when: duties by weekday and local time, and those who stand in. Pure; daylight saving is dealt with
here.

A local time that comes twice is its first coming; one that does not exist is the moment at which the clock jumps over
it.
So a shift that ends at 2:30 and one that begins at 2:30 meet in every night of the year. Hazard H96.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from bedside.access.model.people import Duty, Weekly

DAY = timedelta(days=1)
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person as the timetable needs them. active: whether they have an account that is not ended."""

    id: str
    name: str
    roles: frozenset[str]
    active: bool = True


@dataclass(frozen=True, slots=True)
class Away:
    """From since to until (UTC) `by` is asked instead. id: the substitute's."""

    id: str
    since: datetime
    until: datetime
    by: Somebody


@dataclass(frozen=True, slots=True)
class Row:
    """A duty with whose it is, and when others stand in for them in it."""

    duty: Duty
    owner: Somebody
    away: tuple[Away, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch of a duty, from start to end (UTC). duty: with who is asked; None: nobody, though the plan says so.

    planned: whose duty it is. missing: who cannot be asked any more (the owner, or who was to stand in).
    """

    planned: Duty
    start: datetime
    end: datetime
    duty: Duty | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nobody is asked at a step; step None: at no step at all. missing: who cannot be asked."""

    step: int | None
    start: datetime
    end: datetime
    missing: tuple[str, ...] = ()


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) at which a place's clock shows this time on this day. See the module."""
    first = datetime.combine(day, at, zone)
    found = first.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == first.replace(tzinfo=None):
        return found
    # The clock jumps over it: between the reading by the later offset and the one by the earlier.
    low, high = first.replace(fold=1).astimezone(UTC), found
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def shifts(weekly: Weekly, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The shifts (start, end; UTC) that touch a stretch of time, in order, whole."""
    zone = ZoneInfo(weekly.zone)
    day = since.astimezone(zone).date() - 2 * DAY
    last = until.astimezone(zone).date() + DAY
    while day <= last:
        if day.isoweekday() in weekly.weekdays:
            end_day = day if weekly.ends > weekly.begins else day + DAY
            start, end = instant(day, weekly.begins, zone), instant(end_day, weekly.ends, zone)
            if start < end and start <= until and end > since:
                yield start, end
        day += DAY


def covers(duty: Duty, at: datetime) -> bool:
    """Whether it is the duty's time at a moment."""
    if not (duty.since <= at and (duty.until is None or at < duty.until)):
        return False
    return duty.weekly is None or any(start <= at < end for start, end in shifts(duty.weekly, at, at))


def asked(row: Row, at: datetime) -> tuple[Duty | None, str]:
    """Of a duty whose time it is: as whose it counts at that moment, or (None, who is missing)."""
    duty = row.duty
    away = next((one for one in row.away if one.since <= at < one.until), None)
    who = away.by if away else row.owner
    if not who.active or duty.role not in who.roles:
        return None, who.name
    if away is None:
        return duty, ""
    return replace(duty, person=who.id, name=who.name, instead_of=duty.person, instead_name=duty.name), ""


def on_duty(rows: Iterable[Row], at: datetime) -> list[Duty]:
    """Who is asked at a moment, by step and name."""
    found = [duty for row in rows if covers(row.duty, at) for duty in (asked(row, at)[0],) if duty is not None]
    return sorted(found, key=lambda duty: (duty.step, duty.name, duty.id))


def turns(rows: Iterable[Row], since: datetime, until: datetime) -> list[Turn]:
    """Every stretch of every duty within a span of time, by step and start."""
    found: list[Turn] = []
    for row in rows:
        duty = row.duty
        first, last = max(since, duty.since), min(until, duty.until or FAR)
        if first >= last:
            continue
        spans = [(first, last)] if duty.weekly is None else shifts(duty.weekly, first, last)
        for shift in spans:
            start, end = max(shift[0], first), min(shift[1], last)
            edges = {edge for one in row.away for edge in (one.since, one.until) if start < edge < end}
            cuts = [start, *sorted(edges), end]
            for begins, ends in pairwise(cuts):
                if begins < ends:
                    who, missing = asked(row, begins)
                    found.append(Turn(duty, begins, ends, who, missing))
    return sorted(found, key=lambda turn: (turn.planned.step, turn.start, turn.planned.name, turn.planned.id))


def gaps(found: Sequence[Turn], since: datetime, until: datetime) -> list[Gap]:
    """When nobody is asked: first at no step at all, then step by step. A step that no duty has is no gap."""
    holes = [Gap(None, start, end) for start, end in _uncovered((t for t in found if t.duty), since, until)]
    for step in sorted({turn.planned.step for turn in found}):
        mine = [turn for turn in found if turn.planned.step == step]
        for start, end in _uncovered((t for t in mine if t.duty), since, until):
            missing = dict.fromkeys(t.missing for t in mine if t.missing and t.start < end and t.end > start)
            holes.append(Gap(step, start, end, tuple(missing)))
    return holes


def _uncovered(found: Iterable[Turn], since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    reached = since
    for turn in sorted(found, key=lambda one: one.start):
        if turn.start > reached:
            yield reached, turn.start
        reached = max(reached, turn.end)
    if reached < until:
        yield reached, until
