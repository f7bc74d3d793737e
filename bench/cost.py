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
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK


class Meter:
    """Processor seconds by name of process, from its making to each `spent`."""

    def __init__(self, root: int) -> None:
        self._family = family(root)
        self._before = {pid: _seconds(pid) for pid in self._family}
        self._own = sum(os.times()[:2])

    def spent(self) -> dict[str, float]:
        """Seconds by name, those of one kind together (`web` and `web-2`); `client` is this process."""
        found: dict[str, float] = defaultdict(float)
        for pid, kind in self._family.items():
            found[kind.rstrip("-0123456789")] += _seconds(pid) - self._before[pid]
        found["client"] = sum(os.times()[:2]) - self._own
        return dict(found)
