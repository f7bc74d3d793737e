"""A pack of readings as the wire brought it, judged reading by reading, before it has a patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

MOST_READINGS: Final = 1000
"""In one pack."""
MOST_RECORDS: Final = 2000
"""In one message, those without a reading too: each that is refused is told, and what is told must fit an answer."""
AHEAD_TOLERANCE: Final = 60
"""Seconds by which a device's clock may lead before its reading is flagged (site choice)."""
HORIZON: Final = 48 * 3600
"""Seconds ahead of now from which a device time is no time (DESIGN: Time)."""
SECOND: Final = 1_000_000
MILLENNIUM: Final = 946_684_800 * SECOND
"""2000-01-01 in µs: no device of ours measured before it."""


class Flag:
    """What is to be known of a stored reading, as bits. They stand in packs: never change one.

    Plain numbers: the columns go to PostgreSQL by the thousand, and an enum's members are slow there.
    """

    LATE: Final = 1
    """Older on arrival than its live limit: never alarmed as fresh."""
    CLOCK: Final = 2
    """Its device time lies ahead of its receipt: never shown as newest, never alarmed as fresh."""
    IMPLAUSIBLE: Final = 4
    """Outside the plausible range, not impossible."""
    DISORDER: Final = 8
    """Arrived after a later one of its device."""
    CONVERTED: Final = 16
    """Sent in another unit; the value as sent is kept beside it."""


WORDS: Final = {
    Flag.LATE: "late",
    Flag.CLOCK: "clock",
    Flag.IMPLAUSIBLE: "implausible",
    Flag.DISORDER: "disorder",
    Flag.CONVERTED: "converted",
}


@lru_cache(maxsize=64)
def words(flags: int) -> frozenset[str]:
    """The flags by name: late, clock, implausible, disorder, converted."""
    return frozenset(word for bit, word in WORDS.items() if bit & flags)


@dataclass(slots=True, frozen=True)
class Refusal:
    """One reading not taken. index: its place in the pack as sent, from 0. reason: without values."""

    index: int
    reason: str


@dataclass(slots=True)
class Pack:
    """The accepted readings as columns (all of one length), and the refused ones.

    time: device time in µs since 1970 UTC. sent: position in the columns to (value, unit) as sent, where converted.
    relative: some time was given relative to the receipt, so only seq and digest can tell a repeat.
    """

    received: int
    """µs since 1970 UTC, the broker's clock: the same at each redelivery."""
    digest: bytes
    seq: int | None = None
    metric: list[int] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    sent: dict[int, tuple[float, str]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)
    relative: bool = False
