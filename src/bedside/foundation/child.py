"""A child process made by fork: it shares the memory of everything imported before, and starts in milliseconds.

Fork is safe here because the parent has one thread and runs no event loop; `Child.fork` refuses otherwise.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from bedside.foundation.engines.process import open_log

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15


class Child:
    """A forked child with the same face as engines.Process."""

    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid = name, pid
        self._status: int | None = None

    @classmethod
    def fork(cls, name: str, work: Callable[[], int], *, log: Path | None = None) -> Child:
        """Run work in a child; its return value is the exit code. log: where standard error and output go.

        The child is in its own session, so Ctrl-C does not reach it, and is killed when this process ends.
        Raises RuntimeError when this process has more than one thread.
        """
        if sum(1 for _ in Path("/proc/self/task").iterdir()) != 1:
            raise RuntimeError("only a process with one thread is forked")
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return cls(name, pid)
        code = 1
        try:
            _settle(name, parent, log)
            code = work()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            # Kinds and places only: a message may hold health data.
            error = sys.exc_info()[1]
            frames = "".join(traceback.format_tb(error.__traceback__)) if error else ""
            sys.stderr.write(f"{type(error).__name__}\n{frames}")
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def running(self) -> bool:
        """Whether it still runs; reaps it when it does not."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is None

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        self.running()
        return self._status

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running():
            os.kill(self.pid, number)


def _settle(name: str, parent: int, log: Path | None) -> None:
    """In the child, before its work."""
    os.setsid()
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    libc.prctl(PR_SET_NAME, f"bedside {name}"[:15].encode(), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if log is not None:
        out = open_log(log)
        os.dup2(out, 1)
        os.dup2(out, 2)
