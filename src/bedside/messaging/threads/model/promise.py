"""By when an answer is promised: the close of a working day, on the clinic's clock. Pure. Hazard H126."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FARTHEST = 400
"""Days ahead that are looked through: a site that never opens promises nothing."""


@dataclass(frozen=True, slots=True)
class Promise:
    """days: how many working days after that of the message; 0: the same day, while it is open. weekdays: ISO numbers.

    closes: local time. closed: days on which the clinic is shut all the same.
    """

    days: int = 1
    weekdays: frozenset[int] = frozenset({1, 2, 3, 4, 5})
    closes: time = time(17)
    closed: frozenset[date] = frozenset()

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.isoweekday() in self.weekdays and day not in self.closed

    def until(self, at: datetime, zone: str) -> datetime | None:
        """The moment (UTC) that is promised for a message of at; None for a site that never works.

        Days are counted on the calendar and closes read off the wall clock, so that a day of 23 or 25 hours promises
        the same close; a close that the clock jumps over is where it lands, one that comes twice is the first.
        """
        there = ZoneInfo(zone)
        local = at.astimezone(there)
        day, left = local.date(), self.days
        if left == 0 and (not self.works(day) or local.time() >= self.closes):
            left = 1
        for _ in range(FARTHEST):
            if left == 0:
                return datetime.combine(day, self.closes, there).astimezone(UTC)
            day += timedelta(days=1)
            left -= self.works(day)
        return None
