"""The live waveforms of the beds that some wall shows: the last seconds of each, and the frames that go to the screens.

A frame is bytes, the same for all walls that show the same beds: `BW`, a version, a reserved byte, uint32 how many
beds; float64 server's time, ms since 1970. Then each bed: uint8 length and UTF-8 of the patient's id, uint8 how many
pieces; each piece: uint8 lead, uint8 stretches with the lead off, uint16 samples, float64 device time of the first, ms
since 1970, float64 hz, k, o, uint16 pairs of those stretches, int16 samples. All little-endian. -32768 is no sample.
"""

from __future__ import annotations

import struct
from collections import deque
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from bedside.monitoring import LEADS

KEPT: Final = timedelta(seconds=10)
"""How far back a wall that opens is told: its traces begin full."""
GONE: Final = timedelta(minutes=5)
"""After so long without one, a bed has this lead no more. Until then its place stays, and says that nothing comes."""
MOST: Final = 600
"""Pieces of a bed in mind: ten seconds of sixteen leads at four messages a second."""
TURN: Final = 0.2
"""Seconds between two frames to a wall."""
HEAD: Final = struct.Struct("<2sBxId")
PIECE: Final = struct.Struct("<BBHdddd")
OTHER: Final = timedelta(seconds=5)
"""Of two devices that send one lead of a patient the first is drawn, until nothing came of it for so long: two hearts'
worth of samples in one curve would be nobody's."""
Told = tuple[int, int, int, float, float, float, str, list[tuple[int, int]], bytes]
"""As monitoring tells it: device, lead, device time (µs), hz, k, o, unit, off, samples."""
_DECODE: Final = msgspec.msgpack.Decoder(list[Told]).decode


def piece(told: Told) -> bytes:
    """A piece as it stands in a frame."""
    _, lead, time, hz, k, o, _, off, samples = told
    head = PIECE.pack(lead, len(off), len(samples) // 2, time / 1000, hz, k, o)
    return head + struct.pack(f"<{2 * len(off)}H", *(one for pair in off for one in pair)) + samples


class Traces:
    """One process's. Pieces are numbered as they come, so that each wall is told what it has not been told."""

    def __init__(self) -> None:
        self._kept: dict[str, deque[tuple[int, datetime, bytes]]] = {}
        self._leads: dict[str, dict[int, tuple[int, datetime]]] = {}
        """By patient and lead: the device that is drawn, and when it was last heard."""
        self._frames: dict[tuple[frozenset[str], int, int], bytes] = {}
        self._turn = (-1, 0)
        self.number = 0

    def take(self, patient: str, payload: bytes, now: datetime) -> tuple[int, ...]:
        """What the bus told of a patient; returns the leads that the patient has, by number."""
        kept = self._kept.setdefault(patient, deque(maxlen=MOST))
        leads = self._leads.setdefault(patient, {})
        for told in _DECODE(payload):
            device, lead = told[:2]
            drawn, heard = leads.get(lead, (device, now))
            if drawn != device and now - heard < OTHER:
                continue
            self.number += 1
            kept.append((self.number, now, piece(told)))
            leads[lead] = (device, now)
        while kept and now - kept[0][1] > KEPT:
            kept.popleft()
        for lead in [one for one, (_, at) in leads.items() if now - at > GONE]:
            del leads[lead]
        return tuple(sorted(lead for lead in leads if lead in LEADS))

    def forget(self, patient: str) -> None:
        """No wall shows this bed any more."""
        self._kept.pop(patient, None)
        self._leads.pop(patient, None)

    def upto(self, turn: int) -> int:
        """The number of the last piece of this turn's frames: the same for all walls, so that they share them."""
        if self._turn[0] != turn:
            self._turn = (turn, self.number)
            self._frames.clear()
        return self._turn[1]

    def frame(self, patients: frozenset[str], since: int, upto: int, now: datetime) -> bytes | None:
        """What came of these beds after piece number `since` up to number `upto`; None when nothing did."""
        key = (patients, since, upto)
        if key not in self._frames:
            self._frames[key] = self._made(patients, since, upto, now)
        return self._frames[key] or None

    def _made(self, patients: frozenset[str], since: int, upto: int, now: datetime) -> bytes:
        beds = []
        for patient in sorted(patients & self._kept.keys()):
            fresh: list[bytes] = []
            for number, at, one in reversed(self._kept[patient]):
                if number > upto:
                    continue
                if number <= since or now - at > KEPT or len(fresh) == 255:
                    break
                fresh.append(one)
            if fresh:
                name = patient.encode()
                beds.append(bytes([len(name)]) + name + bytes([len(fresh)]) + b"".join(reversed(fresh)))
        return HEAD.pack(b"BW", 1, len(beds), now.timestamp() * 1000) + b"".join(beds) if beds else b""


def read(frame: bytes) -> list[tuple[str, int, float, float, float, float, list[int], bytes]]:
    """A frame back to patient, lead, ms, hz, k, o, off, samples: what the island does, for tests and benchmarks."""
    magic, version, beds, _ = HEAD.unpack_from(frame)
    if (magic, version) != (b"BW", 1):
        raise ValueError("no frame of traces")
    found: list[Any] = []
    at = HEAD.size
    for _ in range(beds):
        length = frame[at]
        name, count = frame[at + 1 : at + 1 + length].decode(), frame[at + 1 + length]
        at += 2 + length
        for _ in range(count):
            lead, offs, samples, *scale = PIECE.unpack_from(frame, at)
            at += PIECE.size
            off = list(struct.unpack_from(f"<{2 * offs}H", frame, at))
            at += 4 * offs
            found.append((name, lead, *scale, off, frame[at : at + 2 * samples]))
            at += 2 * samples
    return found
