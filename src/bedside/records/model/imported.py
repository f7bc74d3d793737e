"""What an import reads and what it makes of it, as it goes to a process that works at it and comes back."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec


class Found(NamedTuple):
    """A resource in a file. at: its line or entry, from 1. id: it is kept under; empty where it cannot be read.

    place: the same for all that are kept under one type and id.
    """

    at: int
    raw: bytes
    id: str
    place: int


class Part(msgspec.Struct, array_like=True):
    """Some of a file's resources, in their order. type: that all must have; None for any.

    last: what leads to what is not there is refused; else it is handed back, to be tried when all before it is kept.
    """

    file: str
    found: list[Found]
    type: str | None = None
    last: bool = False


class RefusedResource(msgspec.Struct, frozen=True):
    """A resource that was not kept. at: the line or entry, from 1. issues: `element: what` each."""

    file: str
    at: int
    what: str
    issues: list[str]


class Report(msgspec.Struct):
    """What an import did. made, changed, same: resources by type. elsewhere: those that a room of Bedside keeps already
    as the file has them. refused: each with its reasons."""

    files: int = 0
    made: Counter[str] = msgspec.field(default_factory=Counter)
    changed: Counter[str] = msgspec.field(default_factory=Counter)
    same: Counter[str] = msgspec.field(default_factory=Counter)
    elsewhere: Counter[str] = msgspec.field(default_factory=Counter)
    refused: list[RefusedResource] = []

    @property
    def kept(self) -> int:
        """All that stands in the record now."""
        return self.made.total() + self.changed.total() + self.same.total() + self.elsewhere.total()

    def add(self, other: Report) -> None:
        """Count in what another did."""
        self.made.update(other.made)
        self.changed.update(other.changed)
        self.same.update(other.same)
        self.elsewhere.update(other.elsewhere)
        self.refused += other.refused


class Kept(msgspec.Struct):
    """What became of a part. waiting: what leads to what is not there yet."""

    report: Report = msgspec.field(default_factory=Report)
    waiting: list[Found] = []


class _Wire(msgspec.Struct, array_like=True):
    counts: list[dict[str, int]]
    refused: list[RefusedResource]
    waiting: list[Found]


def pack(kept: Kept) -> bytes:
    """As it travels."""
    report = kept.report
    counts = [dict(each) for each in (report.made, report.changed, report.same, report.elsewhere)]
    return msgspec.msgpack.encode(_Wire(counts, report.refused, kept.waiting))


def unpack(raw: bytes) -> Kept:
    """What `pack` made."""
    wire = msgspec.msgpack.decode(raw, type=_Wire)
    made, changed, same, elsewhere = map(Counter, wire.counts)
    return Kept(Report(0, made, changed, same, elsewhere, wire.refused), wire.waiting)
