"""Judging what of a pack is new: by the identity rule, against what the device's head and packs already hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bedside.monitoring.devices.model import Held
from bedside.monitoring.ingest.model.metrics import CONTINUOUS, METRICS, live_for
from bedside.monitoring.ingest.model.pack import SECOND, Flag, Pack

Key = tuple[int, int]
"""(metric, time) within one device."""
Span = tuple[int, int, int]
"""Device, first and last device time in µs."""


@dataclass(slots=True)
class Sorted:
    """A pack's readings told apart: positions in its columns."""

    fresh: list[int] = field(default_factory=list)
    repeats: int = 0
    conflicts: list[tuple[int, float]] = field(default_factory=list)
    """Position, and the value that is kept."""


def doubtful(pack: Pack, newest: Mapping[int, int]) -> bool:
    """Whether any reading may already be held: it is not later than all that its device ever sent of its metric."""
    seen = dict(newest)
    for metric, time in zip(pack.metric, pack.time, strict=True):
        if time <= seen.get(metric, -1):
            return True
        seen[metric] = time
    return False


def sort(pack: Pack, device: Held, known: Callable[[], dict[Key, float]] | None) -> Sorted:
    """Tell new readings from repeats and conflicts, and move the device's head.

    known: what is held of the device over the pack's span, None when nothing of it can be. It is added to.
    """
    result = Sorted()
    newest = device.newest
    if known is None:
        result.fresh = list(range(len(pack.time)))
        for metric, time in zip(pack.metric, pack.time, strict=True):
            newest[metric] = time
        return result
    held = known()
    for k, (metric, time, value) in enumerate(zip(pack.metric, pack.time, pack.value, strict=True)):
        there = held.get((metric, time))
        if there is None:
            held[metric, time] = value
            result.fresh.append(k)
            if time < newest.get(metric, -1):
                pack.flags[k] |= int(Flag.DISORDER)
            else:
                newest[metric] = time
        elif there == value:
            result.repeats += 1
        else:
            result.conflicts.append((k, there))
    return result


def mark_late(pack: Pack, kind: str) -> None:
    """A continuous monitor's readings are late sooner than decoding, which knows no kind, could say."""
    if kind not in CONTINUOUS:
        return
    for k, (metric, time) in enumerate(zip(pack.metric, pack.time, strict=True)):
        if pack.received - time > live_for(METRICS[metric], kind) * SECOND:
            pack.flags[k] |= int(Flag.LATE)


NEAR: Final = 600 * 1_000_000
"""Spans so close (µs) are looked up as one: what lies between them is little, and a look-up a pack is not."""


def together(spans: Iterable[Span]) -> list[Span]:
    """The spans (device, first, last), those of a device that overlap or lie NEAR each other as one.

    After an outage devices repeat packs by the thousand: each looked up alone would read everything since, again.
    """
    merged: list[Span] = []
    for device, first, last in sorted(spans):
        if merged and merged[-1][0] == device and first - merged[-1][2] <= NEAR:
            merged[-1] = (device, merged[-1][1], max(last, merged[-1][2]))
        else:
            merged.append((device, first, last))
    return merged
