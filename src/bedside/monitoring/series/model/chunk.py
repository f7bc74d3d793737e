"""Chunks: the readings of one device and metric over a span of device time, and how new ones join them. Pure.

Spans of a device and metric do not overlap, so an identity leads to its chunk: the last that begins at or before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, NamedTuple

EACH: Final = 1000
"""Readings of a chunk that takes no later ones."""


class Kept(NamedTuple):
    """One reading as it stands in packs and chunks. time: device time, received: receipt, both µs since 1970."""

    time: int
    value: float
    received: int
    patient: str
    flags: int = 0
    sent_value: float | None = None
    sent_unit: str | None = None


@dataclass(slots=True, frozen=True)
class Chunk:
    """Some readings of one patient, in order of device time."""

    kept: Sequence[Kept]

    @property
    def t_min(self) -> int:
        """The first device time."""
        return self.kept[0].time

    @property
    def t_max(self) -> int:
        """The last."""
        return self.kept[-1].time

    @property
    def full(self) -> bool:
        """Whether later readings begin another."""
        return len(self.kept) >= EACH


class Change(NamedTuple):
    """gone: t_min of chunks that are replaced. made: what stands in their place, and what is new."""

    gone: list[int]
    made: list[Chunk]


def merge(held: Sequence[Chunk], new: Iterable[Kept]) -> Change:
    """Join new readings to the chunks of their device and metric.

    held: in order; all that overlap the new readings' span, and the last that begins before it. A reading falls to
    the last chunk that begins at or before it, so late ones find their place among those that were in time.
    """
    begins = [chunk.t_min for chunk in held]
    change = Change([], [])
    for place, group in groupby(sorted(new), key=lambda kept: max(bisect_right(begins, kept.time) - 1, 0)):
        fresh = list(group)
        if held and not _apart(held[place], fresh):
            change.gone.append(held[place].t_min)
            fresh = sorted([*held[place].kept, *fresh])
        change.made.extend(_cut(fresh))
    return change


def _apart(chunk: Chunk, fresh: Sequence[Kept]) -> bool:
    """Whether readings lie wholly before or after a chunk that is full."""
    return chunk.full and (fresh[0].time > chunk.t_max or fresh[-1].time < chunk.t_min)


def _cut(kept: Iterable[Kept]) -> list[Chunk]:
    """Into chunks of one patient and of about EACH."""
    made: list[Chunk] = []
    for _, run in groupby(kept, key=lambda one: one.patient):
        whole = list(run)
        pieces = max(1, round(len(whole) / EACH))
        bounds = [len(whole) * n // pieces for n in range(pieces + 1)]
        made += [Chunk(whole[a:b]) for a, b in pairwise(bounds)]
    return made
