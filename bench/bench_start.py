"""From the command to the first page: a new clinic, and the same one started again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.clinic import running

from bench.figure import Figure

AGAIN = 5


def measure() -> Iterator[Figure]:
    """The first start once, the second several times: the median is judged."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder:
        home = Path(folder) / "home"
        with running(home) as clinic:
            yield Figure("first start to first page (40 patients)", clinic.seconds, "s")
        again = []
        for _ in range(AGAIN):
            with running(home) as clinic:
                again.append(clinic.seconds)
        yield Figure(f"second start to first page, median of {AGAIN}", sorted(again)[AGAIN // 2], "s", 4)
        yield Figure(f"second start to first page, worst of {AGAIN}", max(again), "s")
