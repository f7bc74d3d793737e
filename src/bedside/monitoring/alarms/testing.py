"""What tests of alarms, here and in other rooms, are built with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bedside.foundation.ids import uuid7
from bedside.monitoring.devices.service.devices import microseconds

UNITS = {"systolic": "mm[Hg]", "diastolic": "mm[Hg]", "spo2": "%", "temperature": "Cel", "weight": "kg"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading as the judge takes it, of a device called `device-1` unless it says otherwise."""

    metric: str
    value: float | str
    device_time: datetime
    received_at: datetime
    unit: str = ""
    device: str | None = "device-1"
    device_kind: str = "monitor"
    source: str = "device"
    flags: frozenset[str] = frozenset()
    id: str = field(default_factory=uuid7)

    @property
    def time(self) -> int:
        """device_time in µs since 1970."""
        return microseconds(self.device_time)


def reading(
    metric: str, value: float | str, at: datetime, *, ago: float = 0, flags: str = "", **more: str | None
) -> Reading:
    """One of so many seconds ago. flags: words."""
    time = at - timedelta(seconds=ago)
    unit = UNITS.get(metric, "/min")
    return Reading(metric, value, time, at, unit, flags=frozenset(flags.split()), **more)  # type: ignore[arg-type]


def pressure(systolic: float, diastolic: float, at: datetime, *, ago: float = 0, flags: str = "") -> list[Reading]:
    """One measurement of a cuff."""
    kind = {"device": "cuff-1", "device_kind": "blood-pressure"}
    return [
        reading("systolic", systolic, at, ago=ago, flags=flags, **kind),
        reading("diastolic", diastolic, at, ago=ago, flags=flags, **kind),
    ]
