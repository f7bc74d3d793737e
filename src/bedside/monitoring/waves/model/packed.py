"""Waveforms at rest: about a minute of a lead in one row, as differences of samples, deflated. Nothing is lost.

The differences' low bytes come before their high ones, which are mostly 0 or 255: an ECG takes less than half its room.
"""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import Final

from bedside.monitoring.waves.model.message import Piece

MINUTE: Final = 60_000_000
LEVEL: Final = 6
_SWAP: Final = sys.byteorder == "big"


def numbers(samples: bytes) -> array[int]:
    """int16 little-endian as numbers."""
    found = array("h", samples)
    if _SWAP:
        found.byteswap()
    return found


def squeeze(samples: bytes) -> bytes:
    """int16 little-endian, packed."""
    raw = numbers(samples)
    steps = array("H", (step & 0xFFFF for step in map(sub, raw, [0, *raw[:-1]])))
    if _SWAP:
        steps.byteswap()
    flat = steps.tobytes()
    return zlib.compress(flat[::2] + flat[1::2], LEVEL)


def expand(packed: bytes) -> bytes:
    """The same, back."""
    planes = zlib.decompress(packed)
    half = len(planes) // 2
    flat = bytearray(len(planes))
    flat[::2], flat[1::2] = planes[:half], planes[half:]
    steps = numbers(bytes(flat))
    whole = array("H", accumulate((step & 0xFFFF for step in steps), lambda a, b: (a + b) & 0xFFFF))
    if _SWAP:
        whole.byteswap()
    return whole.tobytes()


@dataclass(slots=True, frozen=True)
class Minute:
    """Pieces of one lead and one scale, in order of time. t, n: of each piece; off: (piece, first, last)."""

    lead: int
    hz: float
    unit: str
    k: float
    o: float
    t: tuple[int, ...]
    n: tuple[int, ...]
    packed: bytes
    off: tuple[tuple[int, int, int], ...]
    end: int

    def pieces(self) -> list[Piece]:
        """As they came."""
        whole, at, found = expand(self.packed), 0, []
        off: dict[int, list[tuple[int, int]]] = {}
        for part, first, last in self.off:
            off.setdefault(part, []).append((first, last))
        for part, (time, count) in enumerate(zip(self.t, self.n, strict=True)):
            samples = whole[at : at + 2 * count]
            at += 2 * count
            scale = (self.unit, self.k, self.o)
            found.append(Piece(self.lead, time, self.hz, *scale, samples, tuple(off.get(part, ()))))
        return found


def minutes(pieces: Iterable[Piece]) -> list[Minute]:
    """Pieces of one lead put together: a new row begins with each minute of device time and each change of scale."""
    groups: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: one.time):
        if not groups or _key(groups[-1][0]) != _key(piece):
            groups.append([])
        groups[-1].append(piece)
    return [_minute(group) for group in groups]


def _key(piece: Piece) -> tuple[object, ...]:
    return piece.time // MINUTE, piece.hz, piece.unit, piece.k, piece.o


def _minute(pieces: Sequence[Piece]) -> Minute:
    first = pieces[0]
    return Minute(
        lead=first.lead,
        hz=first.hz,
        unit=first.unit,
        k=first.k,
        o=first.o,
        t=tuple(piece.time for piece in pieces),
        n=tuple(len(piece.samples) // 2 for piece in pieces),
        packed=squeeze(b"".join(piece.samples for piece in pieces)),
        off=tuple((part, *pair) for part, piece in enumerate(pieces) for pair in piece.off),
        end=max(piece.end for piece in pieces),
    )
