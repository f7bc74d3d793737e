"""Keeps every process of one installation running, and ends them all together.

The supervisor imports the whole program once, has one thread and no event loop, and forks each Bedside process:
they share its memory and a killed one is back in milliseconds. Engines are started from their binaries.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bedside.foundation import telemetry

STEADY = 10.0
"""Seconds after which a start counts as having succeeded, and the next end as a new trouble."""
BEGUN = 1.0
"""Seconds after which it has begun its work."""
LONGEST_WAIT = 10.0
SETTLED = 4.0
"""Seconds within which what began anew does its work, on a machine that is busy with other things too."""

log = telemetry.logger("supervisor")


class Running(Protocol):
    """A child: engines.Process or Child."""

    @property
    def pid(self) -> int: ...

    @property
    def code(self) -> int | None: ...

    def running(self) -> bool: ...

    def send(self, number: signal.Signals) -> None: ...


@dataclass(slots=True)
class Service:
    """One thing that must always run. stage: those of a lower stage are started first and stopped last."""

    name: str
    start: Callable[[], Running]
    stage: float = 2
    stops: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 4.0),)
    """Signals to end it by, each with the seconds it gets; SIGKILL follows."""
    last_words: Callable[[], str] = field(default=lambda: "")
    reloads: signal.Signals | None = None
    """What makes it take up new files while it goes on; None: it has to begin again."""
    child: Running | None = None
    began: float = 0.0
    ends: int = 0
    again_at: float | None = None
    asked: bool = False
    """To end, so that it begins again with what is new."""


class Stopped(Exception):
    """Somebody asked the program to stop while it was starting."""


class Supervisor:
    """See the module. say: tells a person at the terminal, one line at a time. changed: called after every start."""

    def __init__(self, say: Callable[[str], None], changed: Callable[[], None] = lambda: None) -> None:
        self.say, self._changed = say, changed
        self.services: list[Service] = []
        self.stopping = False
        self._untold = False
        self._woken, self._wake = os.pipe()
        for end in (self._woken, self._wake):
            os.set_blocking(end, False)

    def listen(self) -> None:
        """Take the signals: SIGINT, SIGTERM, SIGHUP stop everything; SIGCHLD wakes."""
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _asked(self, number: int, _: object) -> None:
        self.stopping = True

    def add(self, service: Service) -> None:
        """Start it now and keep it running from now on."""
        self.services.append(service)
        self._begin(service)

    def _begin(self, service: Service) -> None:
        service.again_at = None
        service.began = time.monotonic()
        service.child = service.start()
        log.info("started", service=service.name, pid=service.child.pid)
        self._untold = True
        self._tell()

    def _tell(self) -> None:
        """Say that something changed; on a full disk again and again until it is said."""
        try:
            self._changed()
            self._untold = False
        except OSError as error:
            log.warning("could not note what runs", why=error.strerror)

    def pause(self, seconds: float) -> None:
        """Sleep until something happens, at most so long."""
        readable, _, _ = select.select([self._woken], [], [], max(seconds, 0))
        if readable:
            os.read(self._woken, 4096)

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        """Whether it became true in time. Raises Stopped when asked to stop meanwhile."""
        until = time.monotonic() + seconds
        while not true():
            if self.stopping:
                raise Stopped
            if time.monotonic() > until:
                return False
            self.pause(0.02)
        return True

    def run(self, hourly: Callable[[], None] = lambda: None, often: Callable[[], None] = lambda: None) -> None:
        """Keep everything running until asked to stop. hourly: done at once and every hour; often: every second."""
        due = time.monotonic()
        while not self.stopping:
            self.tend()
            often()
            if time.monotonic() >= due:
                try:
                    hourly()
                except OSError as error:
                    log.warning("what is done every hour failed", why=error.strerror)
                due += 3600
            waits = [service.again_at - time.monotonic() for service in self.services if service.again_at is not None]
            self.pause(min([1.0, *waits]))

    def tend(self) -> None:
        """Look once after every service: report what ended, start again what is due."""
        if self._untold:
            self._tell()
        for service in self.services:
            if service.again_at is not None:
                if time.monotonic() >= service.again_at:
                    self._again(service)
                continue
            if service.child is not None and not service.child.running():
                self._ended(service)

    def refresh(self, name: str) -> None:
        """End one in good order; it begins again at once. Others that do the same work go on meanwhile. Look at
        `settled` before the next."""
        for service, child in self._living(name):
            service.asked = True
            child.send(service.stops[0][0])

    def renew(self, name: str) -> None:
        """Let one take up new files: as it runs where it can, else as `refresh` does."""
        for service, child in self._living(name):
            if service.reloads is None:
                self.refresh(name)
            else:
                child.send(service.reloads)
                log.info("reloads", service=service.name, pid=child.pid)

    def _living(self, name: str) -> list[tuple[Service, Running]]:
        found = [(one, one.child) for one in self.services if one.name == name]
        return [(one, child) for one, child in found if child is not None and child.running()]

    @property
    def settled(self) -> bool:
        """Whether everything runs, and has for a while."""
        now = time.monotonic()
        return all(not one.asked and one.again_at is None and now - one.began > SETTLED for one in self.services)

    def _again(self, service: Service) -> None:
        try:
            self._begin(service)
        except OSError as error:  # a full disk, no memory: the others go on, and so does the trying
            service.child = None
            service.ends += 1
            wait = min(0.25 * 2**service.ends, LONGEST_WAIT)
            service.again_at = time.monotonic() + wait
            self.say(f"{service.name} cannot be started again ({error.strerror}); trying in {wait:g} s")
            return
        self.say(f"{service.name} runs again")

    def _ended(self, service: Service) -> None:
        assert service.child is not None  # noqa: S101 - tend looked
        code = service.child.code
        if service.asked:
            service.asked, service.again_at = False, time.monotonic()
            log.info("refreshed", service=service.name, pid=service.child.pid)
            return
        lasted = time.monotonic() - service.began
        # One that was killed after it had begun its work has no fault of its own that waiting would mend.
        steady = lasted > STEADY or (code is not None and code < 0 and lasted > BEGUN)
        service.ends = 1 if steady else service.ends + 1
        wait = 0.0 if service.ends == 1 else min(0.25 * 2**service.ends, LONGEST_WAIT)
        service.again_at = time.monotonic() + wait
        how = f"was killed by {signal.Signals(-code).name}" if code is not None and code < 0 else f"ended with {code}"
        words = service.last_words() if code is not None and code > 0 else ""
        again = "starting it again" if not wait else f"starting it again in {wait:g} s"
        self.say(f"{service.name} {how}; {again}" + (f": {words}" if words else ""))
        log.error("ended", service=service.name, pid=service.child.pid, code=code, again_in=wait)

    def stop(self) -> None:
        """End everything, the highest stage first; within a stage all at once. Never raises."""
        for stage in sorted({service.stage for service in self.services}, reverse=True):
            living = [s.child for s in self.services if s.stage == stage and s.child is not None and s.child.running()]
            steps = max((s.stops for s in self.services if s.stage == stage), key=len, default=())
            for number, seconds in steps:
                for child in living:
                    child.send(number)
                until = time.monotonic() + seconds
                while (living := [child for child in living if child.running()]) and time.monotonic() < until:
                    self.pause(0.02)
            for child in living:
                child.send(signal.SIGKILL)
            while any(child.running() for child in living):
                self.pause(0.02)
        log.info("stopped")


def memory(pids: Sequence[int]) -> dict[int, int]:
    """Proportional set size of each process and its children in bytes (smaps_rollup); who is gone is left out."""
    return {pid: size for pid in pids if (size := sum(_size(one) for one in _family(pid)))}


def _family(pid: int) -> list[int]:
    """It and its children, as they are at this moment."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
