"""One program that Bedside runs: in its own session, ending with its parent, its words in a log file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")
LOG_LIMIT = 8 * 1024 * 1024


class Process:
    """A running child. It gets no signal from the terminal: whoever made it stops it."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes]) -> None:
        self.name = name
        self._popen = popen

    @classmethod
    def start(
        cls,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
        own: Path | None = None,
        out: int | None = None,
        keep: Sequence[int] = (),
    ) -> Process:
        """Start it. log: where its output is appended; None leaves it on the terminal. out: an open file for its
        standard output alone. keep: open files that it inherits.

        own: for a program that refuses to be root, the directory it must own (see launch.py).
        Raises RuntimeError outside the main thread: the kernel ties the parent-death signal to the thread that
        forked, and any other thread may end before the program does.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("engines are started from the main thread")
        launcher = [
            sys.executable,
            "-I",
            "-S",
            LAUNCH,
            str(int(on_parent_death)),
            str(os.getpid()),
            own or "-",
            *command,
        ]
        words = open_log(log) if log else None
        try:
            popen = subprocess.Popen(
                [os.fspath(part) for part in launcher],
                stdin=subprocess.DEVNULL,
                stdout=words if out is None else out,
                stderr=words,
                env=dict(os.environ if env is None else env),
                cwd=cwd,
                start_new_session=True,
                pass_fds=keep,
            )
        finally:
            if words is not None:
                os.close(words)
        return cls(name, popen)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    def running(self) -> bool:
        """Whether it still runs; reaps it when it does not."""
        return self._popen.poll() is None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._popen.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running():
            self._popen.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it came."""
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn, waiting so many seconds after each, until it ends; SIGKILL at last."""
        for number, seconds in steps:
            self.send(number)
            if self.wait(seconds):
                return
        self.send(signal.SIGKILL)
        self._popen.wait()


def open_log(path: Path) -> int:
    """The log file, opened for appending."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def turn_logs(root: Path, limit: int = LOG_LIMIT) -> None:
    """Put aside every log below root that has grown large, as NAME.log.1, and begin it anew.

    Its writers go on: they append to the file that is emptied under them.
    """
    for path in root.rglob("*.log"):
        with suppress(OSError):
            if path.stat().st_size > limit:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                os.truncate(path, 0)
