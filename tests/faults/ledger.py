"""What was sent and what was acknowledged, kept outside Bedside, fsynced before each send: the judge of every fault."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One thing that was sent, or is held: who it belongs to, what identifies it, what it says."""

    owner: str
    key: str
    value: str


@dataclass
class Verdict:
    """The comparison, in counts. Everything but `sent` must be 0."""

    sent: int = 0
    lost: int = 0
    corrupt: int = 0
    duplicate: int = 0
    phantom: int = 0
    wrong_owner: int = 0
    unresolved: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost + self.corrupt + self.duplicate + self.phantom + self.wrong_owner + self.unresolved)

    def __str__(self) -> str:
        return (
            f"sent {self.sent}, lost {self.lost}, corrupt {self.corrupt}, duplicate {self.duplicate}, "
            f"phantom {self.phantom}, wrong owner {self.wrong_owner}, unresolved {self.unresolved}"
        )


class Ledger:
    """Append-only. `sending` returns after its line is on the disk; `acked` notes the answer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.entries: dict[str, Entry] = {}
        self.answered: dict[str, float] = {}

    def sending(self, entry: Entry) -> None:
        """Before the first try of each."""
        with self._lock:
            self.entries[entry.key] = entry
            self._write({"sending": entry.key, "owner": entry.owner, "value": entry.value})

    def acked(self, key: str) -> None:
        """At its acknowledgement; a second one changes nothing."""
        with self._lock:
            if key not in self.answered:
                self.answered[key] = time.monotonic()
                self._write({"acked": key})

    def _write(self, line: dict[str, str]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fdatasync(file.fileno())

    def compare(self, stored: Iterable[Entry]) -> Verdict:
        """The ledger beside what Bedside holds now. Everything must have been acknowledged by then."""
        verdict = Verdict(sent=len(self.entries), unresolved=len(self.entries) - len(self.answered))
        times: Counter[str] = Counter()
        for entry in stored:
            times[entry.key] += 1
            sent = self.entries.get(entry.key)
            if sent is None:
                self._count(verdict, "phantom", entry)
            elif sent.owner != entry.owner:
                self._count(verdict, "wrong_owner", entry)
            elif sent.value != entry.value:
                self._count(verdict, "corrupt", entry)
        for key, entry in self.entries.items():
            if key in self.answered and not times[key]:
                self._count(verdict, "lost", entry)
            if times[key] > 1:
                self._count(verdict, "duplicate", entry)
        return verdict

    @staticmethod
    def _count(verdict: Verdict, what: str, entry: Entry) -> None:
        setattr(verdict, what, getattr(verdict, what) + 1)
        if len(verdict.examples) < 10:
            verdict.examples.append(f"{what}: {entry}")
