"""A device as whoever looks after devices sees it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bedside.monitoring.devices.model import Device
from bedside.monitoring.devices.service.technical import TechnicalEvent
from bedside.monitoring.series.model.reading import Latest


class Stay(msgspec.Struct, frozen=True):
    """Held by a patient from since (None: always) until just before until (None: goes on).

    patient: None where the asker may not know who. number: of the assignment, to end it.
    """

    patient: str | None
    since: datetime | None
    until: datetime | None


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


class Sheet(msgspec.Struct, frozen=True):
    """All there is to know of one device. stays: the newest first. waiting: readings that no patient held it for.

    latest: of the patient who holds it now, what came of this device. gateway: by which it comes, and when that was
    last heard. trouble: the newest technical events, seen or not.
    """

    device: Device
    stays: list[Stay]
    last: LastPack | None
    waiting: int
    latest: list[Latest]
    trouble: list[TechnicalEvent]
    gateway: tuple[str, datetime] | None = None
