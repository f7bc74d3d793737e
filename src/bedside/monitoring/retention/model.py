"""Which readings may be thinned or deleted, and the hours that stand for them. Pure.

A reading is thinned only with its whole hour, and never when something points to it (Evidence).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final

import msgspec

from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.series.model.chunk import Kept

HOUR: Final = 3_600_000_000
DAY: Final = 24 * HOUR
LEAST: Final = 6
"""Readings of an hour below which it stays as it was measured: its summary would take no less room."""
SHORTEST: Final = 90
"""Days below which nothing may be thinned: the glucose report, the what-if and baselines look back this far at most."""
LONGEST: Final = 36_500
KINDS: Final = ("readings", "waveforms", "notices")
NOTICES: Final = 730
"""Days after which notices go where nobody said otherwise; site choice. What is work for a person stays."""
NOTICES_LEAST: Final = 90
DOUBTFUL: Final = int(Flag.CLOCK | Flag.IMPLAUSIBLE)
"""A value in doubt is not mixed into a mean."""


class Policy(msgspec.Struct, frozen=True):
    """After how many days raw values are thinned to hours, and after how many deleted; None: never. n: its number."""

    thin_days: int | None = None
    delete_days: int | None = None
    reason: str = ""
    by_name: str = ""
    at: datetime | None = None
    n: int = 0


class Preview(msgspec.Struct, frozen=True):
    """What a policy would do now: readings thinned to how many hours, readings (or pieces of waveforms, or notices)
    deleted, how many stay as evidence (notices: as work for a person).

    exact: False where only some were looked at and the rest is counted whole.
    """

    thinned: int = 0
    hours: int = 0
    deleted: int = 0
    evidence: int = 0
    exact: bool = True


class Run(msgspec.Struct, frozen=True):
    """What a run did, in readings, hours, pieces of waveforms and notices."""

    thinned: int = 0
    hours: int = 0
    deleted: int = 0
    waves: int = 0
    notices: int = 0
    at: datetime | None = None


class Hour(msgspec.Struct, frozen=True):
    """begins: µs. count, low, high, mean of what was measured in it."""

    begins: int
    patient: str
    count: int
    low: float
    high: float
    mean: float


@dataclass(slots=True)
class Evidence:
    """What is pointed to. times: by device and metric, device times; spans: by patient, of whole stretches, µs."""

    times: dict[tuple[int, int], set[int]] = field(default_factory=dict)
    spans: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _merged: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    def covers(self, patient: str, since: int, until: int) -> bool:
        """Whether any of [since, until) of a patient is evidence as a stretch."""
        if patient not in self._merged:
            merged: list[tuple[int, int]] = []
            for first, last in sorted(self.spans.get(patient, ())):
                if merged and first <= merged[-1][1]:
                    merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
                else:
                    merged.append((first, last))
            self._merged[patient] = merged
        spans = self._merged[patient]
        place = bisect_right(spans, (until - 1, 2**62)) - 1
        return place >= 0 and spans[place][1] >= since

    def points_to(self, device: int, metric: int, one: Kept) -> bool:
        """Whether a reading is evidence."""
        return one.time in self.times.get((device, metric), ()) or self.covers(one.patient, one.time, one.time + 1)


@dataclass(slots=True)
class Judged:
    """What stays as it is, the hours that were made, and how many readings they stand for."""

    stay: list[Kept] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    thinned: int = 0
    evidence: int = 0


def thin(
    kept: Iterable[Kept],
    identity: tuple[int, int],
    evidence: Evidence,
    until: int,
    before: int,
    known: frozenset[int],
) -> Judged:
    """Readings of a device and metric, in order, thinned where their whole hour lies before `until` (µs).

    Both clocks count: an hour in which anything was received since `before` stays whole. known: hours that are
    summarised already; what came later of them stays as it is.
    """
    judged = Judged()
    for begins, group in groupby(kept, key=lambda one: one.time // HOUR * HOUR):
        whole = list(group)
        if begins + HOUR > min(until, before) or any(one.received >= before for one in whole) or begins in known:
            judged.stay += whole
            continue
        held = [one for one in whole if evidence.points_to(*identity, one)]
        judged.evidence += len(held)
        aside = {one.time for one in held} | {one.time for one in whole if one.flags & DOUBTFUL}
        plain = [one for one in whole if one.time not in aside]
        if len({one.patient for one in whole}) > 1 or len(plain) < LEAST:
            judged.stay += whole
            continue
        values = [one.value for one in plain]
        judged.hours.append(
            Hour(begins, plain[0].patient, len(plain), min(values), max(values), sum(values) / len(values))
        )
        judged.thinned += len(plain)
        judged.stay += [one for one in whole if one.time in aside]
    return judged


def forget(
    kept: Sequence[Kept], identity: tuple[int, int], evidence: Evidence, before: int
) -> tuple[list[Kept], int, int]:
    """What stays of readings when those measured and received before `before` are deleted; how many go, and how many
    stay as evidence."""
    stay: list[Kept] = []
    gone = held = 0
    for one in kept:
        if one.time >= before or one.received >= before:
            stay.append(one)
        elif evidence.points_to(*identity, one):
            stay.append(one)
            held += 1
        else:
            gone += 1
    return stay, gone, held


def horizon(now: int, days: int) -> int:
    """The midnight (UTC, µs) before which something is older than so many days: a run a day finds the same."""
    return (now - days * DAY) // DAY * DAY


def times_of(newest: Mapping[str, Sequence[object]]) -> Iterable[tuple[int, int, int]]:
    """Device, metric and time of a row of monitoring.latest."""
    for metric, row in newest.items():
        yield int(str(row[3])), int(metric), int(str(row[0]))
