"""What belongs to one set: a base of the database, the log after it, the home's files; signed: nothing can be swapped.

A set's manifest is written anew whenever more of the log is kept, whole or not at all. Its first line is JSON, its
second the Ed25519 signature of the first in base64.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bedside.foundation.backup.keys import Signer, vouched
from bedside.foundation.backup.sealed import Sealed, damaged
from bedside.foundation.backup.store import Store
from bedside.foundation.errors import Conflict, Unprocessable

FORMAT = 1
MANIFEST = "manifest"
SEGMENT = 16 * 1024 * 1024
"""Bytes in a piece of PostgreSQL's log."""

FOREIGN = "was changed, or is of another clinic: its signature does not hold."

_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder


class Piece(msgspec.Struct, frozen=True):
    """One segment of the log. whole: False for the newest, which is kept again as it grows."""

    segment: str
    sealed: Sealed
    whole: bool = True


class Kept(msgspec.Struct, frozen=True):
    """A file of the home, by its path there; in parts where it only grows."""

    path: str
    mode: int
    parts: tuple[Sealed, ...]
    mark: str = ""
    """Size and time of change: whether it must be kept again."""


class Set(msgspec.Struct, frozen=True):
    """See the module. Times are UTC.

    parent: the set whose base this one's was made after, "" for a full one; parent_base: the hash of that base.
    until: whatever was acknowledged up to then can be restored. n: grows with every writing.
    """

    format: int
    line: str
    id: str
    kind: Literal["full", "incremental", "files"]
    n: int
    version: str
    began: datetime
    ended: datetime
    until: datetime
    parent: str = ""
    parent_base: str = ""
    base: Sealed | None = None
    start: str = ""
    """First segment that is needed to restore."""
    stop: str = ""
    """LSN from which on the base is consistent."""
    reached: str = ""
    """LSN up to which the log is kept."""
    wal: tuple[Piece, ...] = ()
    files: tuple[Kept, ...] = ()
    counts: dict[str, int] = {}
    """Rows of each table soon after the base."""
    demo: bool = False

    @property
    def folder(self) -> str:
        """Where it stands in the store."""
        return f"{self.line}/sets/{self.id}"

    @property
    def objects(self) -> list[Sealed]:
        """Everything it needs of its own."""
        files = [part for file in self.files for part in file.parts]
        return [*([self.base] if self.base else []), *(piece.sealed for piece in self.wal), *files]


def name(line: str, id_: str) -> str:
    """The object that holds a set's manifest."""
    return f"{line}/sets/{id_}/{MANIFEST}"


def write(store: Store, one: Set, signer: Signer) -> None:
    """Raises Unavailable."""
    said = _encoder.encode(one)
    with store.writing(name(one.line, one.id), over=True) as out:
        out.write(said + b"\n" + base64.b64encode(signer.sign(said)) + b"\n")


def read(store: Store, line: str, id_: str, public: Ed25519PublicKey) -> Set:
    """Raises NotFound; Conflict for one that was changed, moved or signed by another; Unprocessable: a newer form."""
    place = name(line, id_)
    with store.reading(place) as kept:
        said, _, rest = kept.read().partition(b"\n")
    try:
        signature = base64.b64decode(rest.strip(), validate=True)
    except ValueError:
        raise damaged(place, "has no signature") from None
    if not vouched(public, said, signature):
        raise Conflict(
            f"{place} {FOREIGN}",
            remedy="Check the recovery key. If it is the right one, somebody changed this backup: take another copy.",
        )
    if msgspec.json.decode(said).get("format") != FORMAT:
        raise Unprocessable(f"{place} was written by a newer Bedside.", remedy="Restore with that version.")
    one = _decoder(Set).decode(said)
    if (one.line, one.id) != (line, id_):
        raise damaged(place, f"is the manifest of {one.line}/{one.id}, put under another name")
    return one


def named(taken: Collection[str]) -> tuple[str, datetime]:
    """The id of a set that begins now, and when. By the second: where that is taken, the next one is waited for, since
    a set of the same name would be written over the one before.
    """
    while (id_ := f"{(now := datetime.now(UTC)):%Y%m%dT%H%M%SZ}") in taken:
        time.sleep(0.05)
    return id_, now


def ids(store: Store) -> list[tuple[str, str]]:
    """(line, id) of every set there, oldest first within a line, whole or not."""
    parts = [each.split("/") for each in store.names("")]
    return sorted((p[0], p[2]) for p in parts if len(p) == 4 and p[1] == "sets" and p[3] == MANIFEST)


def near(store: Store) -> str:
    """Where sets stand instead, when there are none here: in a folder below or the one above; "" for neither."""
    for each in store.names(""):
        *above, sets, _, last = ["", "", *each.split("/")]
        if (sets, last) == ("sets", MANIFEST):
            below = "/".join(above[2:-1])
            return f"{store.place}/{below}" if below else store.place.rpartition("/")[0]
    return ""


def chain(sets: list[Set], last: Set) -> list[Set]:
    """What must be put together to restore `last`: a full set, then each made after the one before.

    Raises Conflict when one is missing or is not the one it was made after.
    """
    by_id = {(one.line, one.id): one for one in sets}
    found = [last]
    while found[0].kind == "incremental":
        before = by_id.get((last.line, found[0].parent))
        if before is None or before.base is None:
            raise damaged(found[0].folder, f"was made after {found[0].parent}, which is missing")
        if before.base.sha256 != found[0].parent_base:
            raise damaged(found[0].folder, f"was not made after the {found[0].parent} that is there")
        found.insert(0, before)
    return found


def number(segment: str) -> int:
    """Which segment of its timeline: 000000010000000000000003 is 3."""
    return int(segment[8:16], 16) * 256 + int(segment[16:24], 16)


def segment_of(timeline: int, lsn: str) -> str:
    """The segment that holds this LSN (`0/3000028`)."""
    high, _, low = lsn.partition("/")
    at = (int(high, 16) << 32) + int(low, 16)
    count = at // SEGMENT
    return f"{timeline:08X}{count // 256:08X}{count % 256:08X}"


def lsn_value(lsn: str) -> int:
    """As a number of bytes."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low or "0", 16)


def whole_log(one: Set) -> bool:
    """Whether the log is there without a gap, from where the base needs it to where it is consistent."""
    if one.kind == "files":
        return True
    there = [number(piece.segment) for piece in one.wal]
    first = number(one.start)
    gapless = there == list(range(first, first + len(there)))
    return gapless and bool(there) and lsn_value(one.reached) >= lsn_value(one.stop)


def fingerprint(text: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text).hexdigest()
