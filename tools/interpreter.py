"""The Python that .venv is made with: the one that runs the set-up, or the system's own where that is much faster.

A Python compiled without profile-guided optimisation (a version manager's default) runs Bedside about a third slower
than a distribution's; nothing it says of itself tells which it is, so both are timed. Standard library only.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SYSTEM = Path("/usr/bin/python3")
WORTH = 1.25
"""How many times faster the system's own must be to be taken in place of the one asked for."""

_WORK = """
import sys, time
assert sys.version_info >= (3, 11)
import ensurepip, venv
def entry(number):
    return {"number": number, "text": str(number)}
def work():
    begun = time.process_time()
    for number in range(100_000):
        entry(number).get("text")
    return time.process_time() - begun
print(min(work() for _ in range(5)))
"""


def seconds(python: Path) -> float | None:
    """Processor seconds for a fixed piece of work, the best of five; None where it can make no .venv for Bedside."""
    try:
        ran = subprocess.run([python, "-c", _WORK], check=True, capture_output=True, text=True, timeout=60)
        return float(ran.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def choose(mine: Path = Path(sys.executable), other: Path = SYSTEM) -> tuple[Path, str]:
    """The Python to make .venv with, and a word on why, empty where there was nothing to choose."""
    if not other.exists() or other.resolve() == mine.resolve():
        return mine, ""
    here, there = seconds(mine), seconds(other)
    if here is None or there is None or here < there * WORTH:
        return mine, ""
    return other, f" with {other}, {here / there:.1f} times as fast as {mine} (PYTHON=… chooses another)"
