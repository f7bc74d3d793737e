"""Parts of what whoever looks after devices sees of one."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Stay(msgspec.Struct, frozen=True):
    """Held by a patient from since (None: always) until just before until (None: goes on).

    patient: None where the asker may not know who. number: of the assignment, to end it.
    """

    patient: str | None
    since: datetime | None
    until: datetime | None


class DeviceEnds(msgspec.Struct, frozen=True):
    """What ends of a device at `until`: its password (why "password") or its stay with somebody ("stay")."""

    device: str
    kind: str
    label: str
    patient: str | None
    why: str
    until: datetime


class LastPack(msgspec.Struct, frozen=True):
    """What came last in one message. at: when it came; measured: the newest device time in it; count: of readings."""

    at: datetime
    measured: datetime
    count: int
    seq: int | None

    @property
    def ahead(self) -> float:
        """Seconds that the device's clock was ahead of ours when it came, at least; none when it lay behind."""
        return max(0.0, (self.measured - self.at).total_seconds())
