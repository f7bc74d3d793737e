"""The time, as something handed in, so that a test can turn it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time. Everything that asks for the time asks a Clock from its ctx."""

    def now(self) -> datetime:
        """The current instant, in UTC, with its zone."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class TurnableClock:
    """A clock that stands still until it is turned: for tests."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def turn(self, by: timedelta) -> None:
        """Move by a span, forward or back."""
        self._now += by
