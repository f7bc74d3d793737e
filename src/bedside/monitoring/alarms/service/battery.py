"""A device's battery: low is a technical alarm of that device, whoever wears it; charged again ends it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from bedside.monitoring.alarms.store.watch import Memory
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import Finding, Verdict
from bedside.monitoring.rules.model.measured import Measured

METRIC = "battery"


def cause_of(device: str) -> str:
    """Of the alarm, and of what the judge remembers."""
    return f"{METRIC}:{device}"


def judge(memory: Memory, readings: Iterable[Measured]) -> Iterator[tuple[datetime, Verdict]]:
    """What each level says, in order of time: low, or charged again; between the two, and too late, nothing.

    A level that is older than the newest one known of its device says nothing either.
    """
    for level in sorted(readings, key=lambda r: r.device_time):
        if level.device is None or level.unfit is not None:
            continue
        cause = cause_of(level.device)
        known = memory.newest.get(cause)
        if known is not None and known.device_time >= level.device_time:
            continue
        memory.newest[cause] = level
        row = tables.battery(level.device_time.date())
        if level.number <= row.limit:
            yield level.device_time, Verdict(cause, _low(cause, row, level))
        elif level.number >= row.clear:
            yield level.device_time, Verdict(cause, None)


def _low(cause: str, row: tables.BatteryRow, level: Measured) -> Finding:
    return Finding(
        cause=cause,
        rule="battery-low",
        version=tables.timing_version(),
        priority=row.priority,
        metric=METRIC,
        comparison="<=",
        limit=row.limit,
        source=row.source,
        hazard="H72",
        inputs=(level,),
        value=level.value,
    )
