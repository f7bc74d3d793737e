"""Memory of every process of a running demo, engines and simulated devices included, over a minute (PSS)."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tools.clinic import running

from bench.figure import Figure

SPAN, EVERY, SETTLE = 60.0, 5.0, 20.0


def family(pid: int) -> dict[int, str]:
    """A process and all below it: process id to a short name, found through the parents in /proc."""
    parent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # After the command in brackets, which may hold anything: state, then the parent.
                parent[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {pid}
    grown = True
    while grown:
        more = {child for child, of in parent.items() if of in found} - found
        found |= more
        grown = bool(more)
    return {each: name(each) for each in found}


def name(pid: int) -> str:
    """What it calls itself: postgres, nats-server, or one of ours (a forked child names itself)."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"


def pss(pid: int) -> float:
    """Proportional set size in MB: memory shared by n processes counts 1/n in each."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1000
    except OSError:
        pass
    return 0.0


def measure() -> Iterator[Figure]:
    """The mean by kind of process, and the highest sum, which is judged."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder, running(Path(folder) / "home") as clinic:
        time.sleep(SETTLE)
        samples: list[dict[str, float]] = []
        until = time.monotonic() + SPAN
        while time.monotonic() < until:
            sample: dict[str, float] = defaultdict(float)
            for pid, kind in family(clinic.pid).items():
                sample[kind] += pss(pid)
            samples.append(sample)
            time.sleep(EVERY)
    for kind in sorted({kind for sample in samples for kind in sample}):
        yield Figure(f"{kind}, mean", sum(sample.get(kind, 0) for sample in samples) / len(samples), "MB")
    yield Figure(
        f"all processes, highest of {len(samples)} sums", max(sum(each.values()) for each in samples), "MB", 450
    )
