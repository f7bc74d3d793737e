"""A running `bedside demo` of one's own: for the journeys, the screenshots and the benchmarks.

It has a home, ports and patients of its own, and nothing of it is left when it has stopped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from tools.ports import free_port
from tools.steps import ROOT

PATIENTS = 40
SEED = 7
FIRST_PAGE = "/sign-in"


class ClinicFailed(Exception):
    """The program ended, or did not answer in time; the message holds its last lines."""


class Clinic:
    """One running demo. address: where its pages are; seconds: from its start to its first page.

    day: the day of its start, from which its patients' ages are counted. before: a folder whose modules are found
    before all others.
    """

    def __init__(
        self,
        home: Path,
        *,
        patients: int = PATIENTS,
        seed: int = SEED,
        options: tuple[str, ...] = (),
        before: Path | None = None,
    ) -> None:
        self.home = home
        self.before = before
        self.port, self.mqtt_port, self.mllp_port = free_port(), free_port(), free_port()
        self.address = f"http://localhost:{self.port}"
        self.seconds = 0.0
        self.day = date.today()  # noqa: DTZ011 - as the seeding counts ages
        self.log = home.with_name(f"{home.name}.log")
        self._command = [
            *(sys.executable, "-m", "bedside", "demo", "--home", str(home)),
            *("--port", str(self.port), "--mqtt-port", str(self.mqtt_port), "--mllp-port", str(self.mllp_port)),
            *("--patients", str(patients), "--seed", str(seed), *options),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, within: float = 120) -> None:
        """Start it and wait for its first page. Raises ClinicFailed."""
        begun, self.day = time.monotonic(), date.today()  # noqa: DTZ011 - as the seeding counts ages
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment(self.before)
            )
        while not self._answers():
            if self._process.poll() is not None:
                raise ClinicFailed(f"bedside demo ended with {self._process.returncode}:\n{self._last_lines()}")
            if time.monotonic() - begun > within:
                self.stop()
                raise ClinicFailed(f"bedside demo did not answer within {within} s:\n{self._last_lines()}")
            time.sleep(0.02)
        self.seconds = time.monotonic() - begun

    def stop(self, *, within: float = 60) -> None:
        """Ctrl-C, and wait until it is gone. Raises ClinicFailed when it had to be killed."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ClinicFailed(f"bedside demo did not stop within {within} s:\n{self._last_lines()}") from None

    def wait_killed(self) -> None:
        """After a SIGKILL of its process: reap it."""
        if self._process is not None:
            self._process.wait(20)

    def command(self, *words: str) -> str:
        """What `bedside WORDS --home …` prints. Raises ClinicFailed when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "bedside", *words, "--home", str(self.home)],
            stdin=subprocess.DEVNULL,
            env=_environment(self.before),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ClinicFailed(f"bedside {' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def _answers(self) -> bool:
        request = urllib.request.Request(f"{self.address}{FIRST_PAGE}", headers={"accept": "text/html"})  # noqa: S310 - ours
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own address
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False

    def _last_lines(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:])


def _environment(before: Path | None) -> dict[str, str]:
    """This checkout's Bedside, also where .venv is another's."""
    folders = [str(folder) for folder in (before, ROOT / "src") if folder is not None]
    return {**os.environ, "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(folders)}


@contextmanager
def running(
    home: Path, *, patients: int = PATIENTS, seed: int = SEED, options: tuple[str, ...] = ()
) -> Iterator[Clinic]:
    """A clinic that answers, stopped at the end."""
    clinic = Clinic(home, patients=patients, seed=seed, options=options)
    clinic.start()
    try:
        yield clinic
    finally:
        clinic.stop()
