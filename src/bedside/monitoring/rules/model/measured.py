"""A reading as the rules see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HARMLESS = frozenset({"disorder", "converted", "late"})
"""Flags that tell how a reading came, and cast no doubt on its value."""
RAISES = frozenset({"disorder", "converted", "implausible"})
"""Flags with which a reading may raise a live alarm."""


class Measured(msgspec.Struct, frozen=True, gc=False):
    """One value of one metric at one moment.

    value: a number in the metric's charted unit (mm[Hg], /min, %, Cel, kg, L/min), or for consciousness one of
    A C V P U.
    device_time: when it was measured, by the device's clock, UTC. device: None when typed.
    flags: what the doors found about it (late, clock, implausible, conflict, disorder, converted, cuffless, ...).
    """

    id: str
    metric: str
    value: float | str
    unit: str
    device_time: datetime
    received_at: datetime
    device: str | None = None
    source: str = "device"
    """device, or typed by the patient or by staff."""
    flags: frozenset[str] = frozenset()

    @property
    def time(self) -> int:
        """device_time in µs since 1970."""
        return (self.device_time - EPOCH) // MICROSECOND

    @property
    def unfit(self) -> str | None:
        """Why this reading may raise nothing live, or None: late, of a clock that is off, in conflict, cuffless, ...

        An implausible value raises: a saturation of 65 % is more often an emergency than an error, and the alarm says
        that the value is in doubt. It counts for no score.
        """
        return min(self.flags - RAISES, default=None)

    @property
    def sound(self) -> bool:
        """Whether it may count in a score or end an alarm."""
        return not self.flags - HARMLESS

    @property
    def number(self) -> float:
        """The value as a number. Raises TypeError for a code."""
        if isinstance(self.value, str):
            raise TypeError(f"{self.metric} is a code, not a number")
        return self.value
