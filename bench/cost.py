"""Where a benchmark's processor time went: seconds of each process of a program, read from /proc.

On two cores a rate depends on what else runs; the processor time of a request hardly does.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

from bench.bench_memory import family

_TICK = os.sysconf("SC_CLK_TCK")


def _seconds(pid: int) -> float:
    """Its own, and those of its children that have ended: a connection's backend may come and go."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / _TICK


class Meter:
    """Processor seconds by name of process, from its making to each `spent`."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._before = self._now()
        self._own = sum(os.times()[:2])

    def _now(self) -> dict[str, float]:
        found: dict[str, float] = defaultdict(float)
        for pid, kind in family(self._root).items():
            found[kind.rstrip("-0123456789")] += _seconds(pid)
        return found

    def spent(self) -> dict[str, float]:
        """Seconds by name, those of one kind together (`web` and `web-2`); `client` is this process."""
        found = {kind: seconds - self._before.get(kind, 0.0) for kind, seconds in self._now().items()}
        return {**found, "client": sum(os.times()[:2]) - self._own}
