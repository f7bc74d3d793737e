"""A message of waveforms (docs/devices.md): CBOR to Sent. A pure function of the bytes and their receipt.

The samples are a typed array of RFC 8746, tag 77: int16, little-endian. -32768 says "no sample", as format 16 of WFDB
has it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import cbor2

from bedside.monitoring.ingest.model.pack import SECOND, Refusal
from bedside.monitoring.ingest.model.taken import NotAPack, Refused, number, timely
from bedside.monitoring.waves.model.leads import BY_NAME, Lead

INT16: Final = 77
"""RFC 8746, table 1: sint16, little endian."""
NO_SAMPLE: Final = -32768
MOST_LEADS: Final = 16
MOST_SAMPLES: Final = 5_000
MOST_SECONDS: Final = 10.0
MOST_HZ: Final = 500.0
MOST_OFF: Final = 64
"""Stretches with the lead off, in one lead of one message."""
MOST_ITEMS: Final = 64
KNOWN: Final = frozenset({"n", "t", "hz", "u", "k", "o", "s", "off"})
LARGEST: Final = 1e9
"""Of k and o: beyond it no unit of ours has a meaning."""


@dataclass(slots=True, frozen=True)
class Piece:
    """One lead of one message. time: of the first sample, µs since 1970. physical = k * raw + o, in unit.
    samples: int16 little-endian. off: first and last sample of each stretch with the lead off."""

    lead: int
    time: int
    hz: float
    unit: str
    k: float
    o: float
    samples: bytes
    off: tuple[tuple[int, int], ...] = ()

    @property
    def end(self) -> int:
        """When the sample after the last would be, µs."""
        return self.time + round(len(self.samples) // 2 * SECOND / self.hz)


@dataclass(slots=True)
class Sent:
    """What a message told: the leads that are taken, where each stood in it, and the refused ones."""

    received: int
    seq: int | None = None
    pieces: list[Piece] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def decode(payload: bytes, received: int) -> Sent:
    """Read a message received at `received` (µs since 1970). index counts items as sent, the seq too.

    Raises NotAPack when nothing of it can be read.
    """
    try:
        items = cbor2.loads(payload)
    except Exception as error:  # a decoder's own surprise must not stop the door
        raise NotAPack("not CBOR") from error
    if type(items) is not list:
        raise NotAPack("not an array of leads")
    if len(items) > MOST_ITEMS:
        raise NotAPack(f"more than {MOST_ITEMS} items")
    sent = Sent(received)
    seen: set[tuple[int, int]] = set()
    for index, item in enumerate(items):
        try:
            if type(item) is not dict:
                raise Refused("not a map")
            if "seq" in item and "n" not in item:
                sent.seq = _counter(item["seq"])
                continue
            if len(sent.pieces) >= MOST_LEADS:
                raise Refused(f"a message holds at most {MOST_LEADS} leads")
            piece = _piece(item, received)
            if (piece.lead, piece.time) in seen:
                raise Refused("the same lead and time twice in one message")
        except Refused as refusal:
            sent.refused.append(Refusal(index, str(refusal)))
        else:
            seen.add((piece.lead, piece.time))
            sent.pieces.append(piece)
            sent.places.append(index)
    return sent


def _counter(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise Refused("seq is not a whole number from 0 to 2^63-1")
    return value


def _piece(item: dict[Any, Any], received: int) -> Piece:
    lead = _lead(item.get("n"))
    if not item.keys() <= KNOWN:
        raise Refused("a field that is not known here")
    hz = _finite(item.get("hz"), "hz")
    if not 0 < hz <= MOST_HZ:
        raise Refused(f"hz is not above 0 and at most {MOST_HZ:.0f}")
    unit = item.get("u")
    if type(unit) is not str or unit not in lead.units:
        raise Refused(f"wrong unit: {', '.join(lead.units)} are taken")
    k, o = _finite(item.get("k"), "k"), _finite(item.get("o", 0), "o")
    if not 1 / LARGEST <= k <= LARGEST or abs(o) > LARGEST:
        raise Refused("k is not above 0, or k or o is too large or too small")
    samples = _samples(item.get("s"))
    count = len(samples) // 2
    if not 0 < count <= MOST_SAMPLES or count / hz > MOST_SECONDS:
        raise Refused(f"a lead holds 1 to {MOST_SAMPLES} samples and at most {MOST_SECONDS:.0f} s")
    seconds = _finite(item.get("t"), "the time")
    if abs(seconds) > 1e12:
        raise Refused("the time is not a time")
    time = timely(round(seconds * SECOND), received)
    return Piece(lead.number, time, hz, unit, k, o, samples, _off(item.get("off", []), count))


def _lead(name: Any) -> Lead:
    found = BY_NAME.get(name) if type(name) is str else None
    if found is None:
        raise Refused("unknown lead")
    return found


def _finite(value: Any, what: str) -> float:
    found = number(value, what)
    if not math.isfinite(found):
        raise Refused(f"{what} is not a number")
    return found


def _samples(value: Any) -> bytes:
    if not isinstance(value, cbor2.CBORTag) or value.tag != INT16 or type(value.value) is not bytes:
        raise Refused(f"s is not a typed array of int16, little-endian (tag {INT16})")
    if len(value.value) % 2:
        raise Refused("s ends within a sample")
    return value.value


def _off(value: Any, count: int) -> tuple[tuple[int, int], ...]:
    wrong = Refused(f"off is not at most {MOST_OFF} pairs [first, last] of samples, in order, apart from each other")
    if type(value) is not list or len(value) > MOST_OFF:
        raise wrong
    before, found = -1, []
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or any(type(one) is not int for one in pair):
            raise wrong
        first, last = pair
        if not before < first <= last < count:
            raise wrong
        before = last
        found.append((first, last))
    return tuple(found)
