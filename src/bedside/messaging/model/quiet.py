"""Quiet hours: local times in which somebody wants no notice that can wait. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Quiet:
    """From begins to ends by the clock of where its person is; ends before begins is on the next day."""

    begins: time
    ends: time

    def until(self, now: datetime, zone: str) -> datetime | None:
        """The end (UTC) of the quiet hours that now is in; None outside them.

        It is read off the wall clock: an hour that comes twice is as quiet the second time, and an end that the clock
        jumps over is where it lands.
        """
        there = ZoneInfo(zone)
        local = now.astimezone(there)
        at = local.time()
        over = self.ends < self.begins
        if not ((at >= self.begins or at < self.ends) if over else (self.begins <= at < self.ends)):
            return None
        day = local.date() + timedelta(days=1) if over and at >= self.begins else local.date()
        # Of an end that comes twice the one ahead of now.
        ends = (datetime.combine(day, self.ends.replace(fold=fold), there).astimezone(UTC) for fold in (0, 1))
        return min((end for end in ends if end > now), default=None)
