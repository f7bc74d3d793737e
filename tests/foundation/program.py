"""The `bedside` program as a person runs it: started, asked, killed, stopped."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tools.ports import free_port

WITHOUT_NAMESPACES = """
import ctypes, os, sys
from pathlib import Path
child_in, parent_out = os.pipe()
parent_in, child_out = os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(child_out, b"1"), os.read(child_in, 1)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(parent_in, 1)
for name in ("uid_map", "gid_map"):
    Path(f"/proc/{child}/{name}").write_text("0 0 65536")
os.write(parent_out, b"1")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) % 256)
"""
"""Runs a command as a root that may make no user namespace, as in many containers."""

IDENTITIES = {
    "self": [],
    # Not root, though root's files seem its own: the program cannot tell it from any other ordinary user.
    "ordinary": ["unshare", "-U", "--map-user=65534", "--map-group=65534"],
    "nameless": ["unshare", "-U", "--map-user=51234", "--map-group=51234"],
    "contained root": [sys.executable, "-c", WITHOUT_NAMESPACES],
}


class Program:
    """One `bedside serve` on a home, or `demo`, whose clinic takes seconds to invent."""

    def __init__(
        self,
        home: Path,
        *,
        identity: str = "self",
        verb: str = "serve",
        options: tuple[str, ...] = (),
        web_processes: int = 1,
    ) -> None:
        self.home = home
        self.port, self.mqtt_port, self.mllp_port = free_port(), free_port(), free_port()
        self.command = [*IDENTITIES[identity], sys.executable, "-m", "bedside", verb, "--home", str(home)]
        self.command += ["--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        self.command += ["--mllp-port", str(self.mllp_port), *options]
        self.command += ["--patients", "1"] if verb == "demo" else ["--web-processes", str(web_processes)]
        self.out = home.parent / f"{home.name[:40]}.out"
        self.process: subprocess.Popen[bytes] | None = None
        self.scheme = "http"
        self.trust: ssl.SSLContext | None = None

    def start(self, *, within: float = 120) -> float:
        """Start and wait until ready; seconds it took."""
        begun = time.monotonic()
        self.launch()
        self.await_ready(within)
        return time.monotonic() - begun

    def launch(self) -> None:
        """Start, and wait for nothing."""
        with self.out.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, process_group=0
            )

    def await_ready(self, within: float = 60) -> None:
        """Until /readyz says so. Raises AssertionError with what was printed."""
        until = time.monotonic() + within
        while not self.ready():
            assert self.process is not None
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.told()}"
            assert time.monotonic() < until, f"not ready in {within} s: {self.told()}"
            time.sleep(0.1)

    def refused(self, code: int = 1) -> str:
        """Run it to its end, which must be a refusal; what it said."""
        done = subprocess.run(
            self.command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        try:
            address = f"{self.scheme}://localhost:{self.port}{path}"
            with urllib.request.urlopen(address, timeout=30, context=self.trust) as answer:  # noqa: S310 - our own
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def ready(self) -> bool:
        """What /readyz says."""
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def told(self) -> str:
        """What it printed."""
        return self.out.read_text() if self.out.exists() else ""

    def running(self) -> dict[str, Any]:
        """running.json."""
        found: dict[str, Any] = json.loads((self.home / "running.json").read_text())
        return found

    def await_processes(self, names: set[str], within: float = 60) -> None:
        """Until exactly these run: pages answer before the last process has been started."""
        until = time.monotonic() + within
        while set(self.running()["processes"]) != names:
            assert time.monotonic() < until, self.running()
            time.sleep(0.02)

    def alive(self) -> list[int]:
        """Every process that works on this home: in its command line, its open files or its directory."""
        found = []
        home = os.fsencode(str(self.home.resolve()))
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                names = [(entry / "cmdline").read_bytes(), os.fsencode((entry / "cwd").readlink())]
                names += [os.fsencode(link.readlink()) for link in (entry / "fd").iterdir()]
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and any(home in name for name in names):
                found.append(int(entry.name))
        return found

    def send(self, number: signal.Signals) -> None:
        """A signal to the supervisor alone."""
        os.kill(self.running()["pid"], number)

    def stop(self, number: signal.Signals = signal.SIGINT, *, within: float = 60) -> float:
        """Signal and wait for its end, which must be clean; seconds it took."""
        assert self.process is not None
        begun = time.monotonic()
        if self.process.poll() is None:
            self.send(number)
            assert self.process.wait(within) == 0, self.told()
        return time.monotonic() - begun

    def end(self) -> None:
        """Whatever its state: nothing of it runs afterwards."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.alive():
            with contextlib.suppress(ProcessLookupError):  # it was just ending
                os.kill(pid, signal.SIGKILL)
