"""Runs named steps one after another and says, in plain lines, what is done, how far it is and how long it took.

Standard library only: the first steps run before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
INSTALLED = ROOT / ".venv" / ".stamps"
BUILT = ROOT / "build" / "stamps"
ENDS = 20
"""Lines shown of a failed step's beginning and of its end: npm says what is wrong first, pip last."""
BEAT = 10.0
"""Seconds between two signs of life of a long step, where the output is no terminal."""


class StepFailed(Exception):
    """A step ended badly; the message says how to go on."""


def say(line: str) -> None:
    """One line of what happens, at once."""
    print(line, flush=True)


def fingerprint(paths: Iterable[Path], *words: str) -> str:
    """A hash over the paths' names and contents (folders with all below) and some words: changes when any does."""
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(set(_files(paths))):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if path.is_dir():
            yield from (found for found in path.rglob("*") if found.is_file() and "__pycache__" not in found.parts)
        elif path.is_file():
            yield path


def is_stamped(stamp: Path, mark: str, outputs: Sequence[Path] = ()) -> bool:
    """Whether the step was done from the same inputs and what it made still stands."""
    return stamp.is_file() and stamp.read_text() == mark and all(output.exists() for output in outputs)


def put(stamp: Path, mark: str) -> None:
    """Remember that the step is done for these inputs."""
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(mark)


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    env: dict[str, str] | None = None,
    count: str | None = None,
    of: int | None = None,
    remedy: str = "",
) -> None:
    """Run a command quietly, with a sign of life and its time; its last lines only if it fails.

    count: a pattern of output lines that each mean one more done; of: how many there will be.
    Raises StepFailed with the remedy.
    """
    begun = time.monotonic()
    log: list[str] = []
    done = 0
    live = sys.stdout.isatty()
    over = threading.Event()

    def status() -> str:
        seconds = f"{time.monotonic() - begun:.0f} s"
        return f"  {title} … {f'{min(done, of)} of {of}, ' if of else ''}{seconds}"

    def beat() -> None:
        while not over.wait(0.5 if live else BEAT):
            if live:
                sys.stdout.write(f"\r\033[K{status()}")
                sys.stdout.flush()
            else:
                say(status())

    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    pulse = threading.Thread(target=beat, daemon=True)
    pulse.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            log.append(line)
            if count and re.match(count, line):
                done += 1
        process.wait()
    finally:
        over.set()
        pulse.join()
        if process.poll() is None:
            process.terminate()
            process.wait()
    clear = "\r\033[K" if live else ""
    seconds = time.monotonic() - begun
    if process.returncode:
        say(f"{clear}✗ {title}: failed after {seconds:.1f} s")
        shown = log if len(log) <= 2 * ENDS else [*log[:ENDS], "  …\n", *log[-ENDS:]]
        sys.stdout.write("".join(shown))
        raise StepFailed(remedy or f"the command was: {' '.join(str(part) for part in command)}")
    say(f"{clear}✓ {title} ({seconds:.1f} s)")
