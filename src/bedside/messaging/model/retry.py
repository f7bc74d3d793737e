"""When a notice that did not go is tried again, and when it is a person's work. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

FIRST, LONGEST = timedelta(seconds=15), timedelta(minutes=30)
"""Between two tries: doubled from the first to the longest. A server that greylists lets one in after some minutes."""
URGENT, OTHER = timedelta(minutes=30), timedelta(hours=24)
"""From the first try on. After that somebody has to be rung; site choice."""


def again(tries: int, begun: datetime, now: datetime, *, urgent: bool, wait: timedelta) -> datetime | None:
    """When to try next after so many failed tries (1 or more); None: it was tried for long enough, or would be."""
    pause = max(min(FIRST * 2 ** min(tries - 1, 10), LONGEST), wait)
    at = now + pause
    return at if at <= begun + (URGENT if urgent else OTHER) else None
