"""`make check`: format, lint, types, import contracts, house rules, dead code, in under a minute.

Runs them all even when one fails, so that one run shows everything, and exits 1 if any did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.steps import ROOT, say

BIN = ROOT / ".venv" / "bin"
PYTHON = ["src", "tests", "tools", "bench", "migrations"]

CHECKS: list[tuple[str, list[str]]] = [
    ("types", ["mypy", "--no-error-summary"]),
    ("types of the scripts", ["npm", "run", "--silent", "types"]),
    ("format", ["ruff", "format", "--check", "--quiet", *PYTHON]),
    ("lint", ["ruff", "check", "--quiet", *PYTHON]),
    ("import contracts", ["lint-imports", "--no-logo"]),
    ("house rules", ["python", "-m", "tools.house"]),
    ("words of the pages", ["python", "-m", "tools.messages", "--check"]),
    ("dead code", ["python", "-m", "tools.dead"]),
]


def check(name: str, command: list[str]) -> bool:
    """Run one; say its time, and what it printed if it failed."""
    begun = time.monotonic()
    paths = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": f"src{os.pathsep}."}
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env={**os.environ, **paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    spent = f"{time.monotonic() - begun:.1f} s"
    if done.returncode:
        say(f"✗ {name} ({spent})\n{done.stdout.rstrip()}")
    else:
        say(f"✓ {name} ({spent})")
    return done.returncode == 0


def main() -> int:
    """All of them, two at a time."""
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        good = list(pool.map(lambda each: check(*each), CHECKS))
    bad = good.count(False)
    verdict = f"{bad} of {len(good)} checks failed" if bad else "All checks passed"
    say(f"{verdict} in {time.monotonic() - begun:.0f} s.")
    return 1 if bad else 0


if __name__ == "__main__":
    os.chdir(Path(ROOT))
    sys.exit(main())
