"""A stretch of a patient's waveforms as it is read back: every sample in its place, gaps and lead-off said."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bedside.monitoring.ingest.model.pack import SECOND
from bedside.monitoring.waves.model.leads import LEADS, Lead
from bedside.monitoring.waves.model.message import NO_SAMPLE, Piece
from bedside.monitoring.waves.model.packed import numbers


@dataclass(slots=True, frozen=True)
class Track:
    """One lead of one device in one scale. start: device time of raw[0], µs. raw: at hz, NO_SAMPLE where there is none.
    physical = k * raw + o, in unit. off: first and last sample of each stretch with the lead off."""

    device: str
    lead: Lead
    hz: float
    unit: str
    k: float
    o: float
    start: int
    raw: array[int]
    off: tuple[tuple[int, int], ...] = ()

    @property
    def good(self) -> array[int]:
        """The same without what was sampled while the lead was off."""
        clean = self.raw[:]
        for first, last in self.off:
            clean[first : last + 1] = array("h", [NO_SAMPLE]) * (last + 1 - first)
        return clean


@dataclass(slots=True, frozen=True)
class Strip:
    """All tracks of a patient over a span of device time."""

    patient: str
    since: datetime
    until: datetime
    tracks: list[Track] = field(default_factory=list)


def tracks(device: str, pieces: Sequence[Piece], first: int, last: int) -> list[Track]:
    """Pieces of a device, of any leads and scales, laid onto the clock from `first` until before `last`, µs.

    Each scale of a lead is a track of its own, and all tracks of one hz have one clock, so that they lie side by side.
    A sample is put in the place nearest to its time; where pieces overlap the one that came first in time stands.
    """
    groups: dict[tuple[int, float, str, float, float], list[Piece]] = {}
    for piece in sorted(pieces, key=lambda one: one.time):
        groups.setdefault((piece.lead, piece.hz, piece.unit, piece.k, piece.o), []).append(piece)
    clocks: dict[float, int] = {}
    for piece in pieces:
        clocks[piece.hz] = min(clocks.get(piece.hz, piece.time), piece.time)
    # The first sample at or after the beginning, of the device's own clock.
    starts = {hz: at + max(0, -(-(first - at) * hz // SECOND)) * SECOND / hz for hz, at in clocks.items()}
    found = []
    for (lead, hz, unit, k, o), group in sorted(groups.items()):
        start = starts[hz]
        end = min(last, max(piece.end for piece in group))
        count = -(-round((end - start) * hz) // SECOND)
        if count > 0:
            raw, off = _laid(group, start, hz, count)
            found.append(Track(device, LEADS[lead], hz, unit, k, o, round(start), raw, off))
    return found


def _laid(
    pieces: Sequence[Piece], start: float, hz: float, count: int
) -> tuple[array[int], tuple[tuple[int, int], ...]]:
    raw = array("h", [NO_SAMPLE]) * count
    filled = 0
    off: list[tuple[int, int]] = []
    for piece in pieces:
        place = round((piece.time - start) * hz / SECOND)
        samples = numbers(piece.samples)
        begin = max(place, filled, 0)
        end = min(place + len(samples), count)
        if begin < end:
            raw[begin:end] = samples[begin - place : end - place]
            filled = end
            spans = ((max(a + place, begin), min(b + place, end - 1)) for a, b in piece.off)
            off += [one for one in spans if one[0] <= one[1]]
    return raw, tuple(off)
