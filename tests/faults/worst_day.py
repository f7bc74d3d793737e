"""Thirty bad days: what strikes a running clinic, how it is made good, and what it must look like meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tools.clinic import Clinic

from bedside.foundation.home import Home

PROCESSES = ("web", "worker", "ingest", "PostgreSQL", "NATS")
ANSWERS = 15.0
"""Seconds within which whoever asks must be told something, whatever has happened."""
WORDS = ("traceback", "exception", "asyncpg", "psycopg", "connection refused", "errno")
"""What nobody is shown."""

Strike = Callable[[Clinic], AbstractContextManager[None]]


@dataclass(frozen=True)
class Case:
    """strike: a context: it holds until it is left. quick: also in `make test`. hold: seconds in the long run."""

    name: str
    strike: Strike
    hold: float = 20.0
    quick: bool = False
    away: bool = False
    """Whether nobody is there meanwhile who could tell anything: the program, or its one web process."""


def pids(clinic: Clinic) -> dict[str, int]:
    found = Home(clinic.home).running()
    assert found is not None
    return dict(found["processes"])


def family(pid: int) -> list[int]:
    """A process and all that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def signalled(number: signal.Signals, *names: str) -> Strike:
    """All of these at once."""

    @contextmanager
    def strike(clinic: Clinic) -> Iterator[None]:
        known = pids(clinic)
        for name in names:
            _send(known[name], number)
        yield

    return strike


def frozen(*names: str) -> Strike:
    """They stand still with all their children: a disk that does not answer, a machine that swaps."""

    @contextmanager
    def strike(clinic: Clinic) -> Iterator[None]:
        known = pids(clinic)
        held = [one for name in names for one in family(known[name])]
        for one in held:
            _send(one, signal.SIGSTOP)
        try:
            yield
        finally:
            for one in held:
                _send(one, signal.SIGCONT)

    return strike


@contextmanager
def full_disk(clinic: Clinic) -> Iterator[None]:
    """Somebody's film lies on the disk of the home."""
    filler = clinic.home.parent / "filler"
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 20))
            file.flush()
    try:
        yield
    finally:
        filler.unlink()


class Database:
    """Somebody else at the server, in a thread of the event loop of their own."""

    def __init__(self, clinic: Clinic) -> None:
        self.dsn = Home(clinic.home).postgres.dsn()
        self.loop = asyncio.new_event_loop()
        self.open: list[Any] = []

    def connect(self) -> Any:
        made = self.loop.run_until_complete(asyncpg.connect(self.dsn))
        self.open.append(made)
        return made

    def run(self, sql: str) -> Any:
        return self.loop.run_until_complete((self.open[0] if self.open else self.connect()).fetchval(sql))

    def close(self) -> None:
        for one in self.open:
            one.terminate()
        self.loop.run_until_complete(asyncio.sleep(0.05))
        self.loop.close()


def connections_left(left: int) -> Strike:
    @contextmanager
    def strike(clinic: Clinic) -> Iterator[None]:
        other = Database(clinic)
        try:
            free = other.run(
                "select current_setting('max_connections')::int"
                " - current_setting('superuser_reserved_connections')::int"
                " - (select count(*) from pg_stat_activity where backend_type = 'client backend')"
            )
            with contextlib.suppress(asyncpg.PostgresError):
                for _ in range(free - left):
                    other.connect()
            yield
        finally:
            other.close()

    return strike


@contextmanager
def cut_off(clinic: Clinic) -> Iterator[None]:
    """Every connection to the database is ended at once."""
    other = Database(clinic)
    try:
        other.run(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        yield
    finally:
        other.close()


@contextmanager
def locked(clinic: Clinic) -> Iterator[None]:
    """Somebody's maintenance holds the tables that everything is written to."""
    other = Database(clinic)
    try:
        other.run("begin")
        with contextlib.suppress(asyncpg.PostgresError):
            other.run("set lock_timeout = '5s'")
            other.loop.run_until_complete(
                other.open[0].execute("lock table records.resource, monitoring.head in access exclusive mode")
            )
        yield
    finally:
        other.close()


def folder_gone(name: str) -> Strike:
    """The disk with the backups, or the wards' share, is pulled out."""

    @contextmanager
    def strike(clinic: Clinic) -> Iterator[None]:
        place = clinic.home.parent / name
        away = place.with_name(f"{name}-away")
        if place.exists():
            place.rename(away)
        try:
            yield
        finally:
            if away.exists():
                shutil.rmtree(place, ignore_errors=True)
                away.rename(place)

    return strike


@contextmanager
def supervisor_killed(clinic: Clinic) -> Iterator[None]:
    """The whole program; somebody starts it again."""
    os.kill(clinic.pid, signal.SIGKILL)
    clinic.wait_killed()
    yield
    clinic.start()


FAKETIME = "libfaketimeMT.so.1"


def faketime() -> Path | None:
    """Debian's libfaketime (apt-get install libfaketime), where it is; BEDSIDE_FAKETIME says where else."""
    places = [Path(os.environ["BEDSIDE_FAKETIME"])] if os.environ.get("BEDSIDE_FAKETIME") else []
    places += Path("/usr/lib").glob(f"*/faketime/{FAKETIME}")
    return next((place for place in places if place.exists()), None)


def clock_of(clinic: Clinic) -> Path:
    """What says how far the clock of that clinic's machine is off."""
    return clinic.home.parent / "clock"


def clock_jumps(seconds: int) -> Strike:
    """The machine's clock is set wrong, for whoever reads it next, and later put right."""

    @contextmanager
    def strike(clinic: Clinic) -> Iterator[None]:
        file = clock_of(clinic)
        fresh = file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(file)  # never read half written
        try:
            yield
        finally:
            fresh.write_text("+0\n")
            fresh.replace(file)

    return strike


KILL, TERM, INT, QUIT = signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT
CASES = [
    Case("the database is frozen", frozen("PostgreSQL"), quick=True),
    Case("NATS is frozen", frozen("NATS"), quick=True),
    Case("the disk is full", full_disk, quick=True),
    Case("five connections are left", connections_left(5), quick=True),
    Case("every connection is cut", cut_off, hold=2, quick=True),
    Case("somebody holds the tables", locked, quick=True),
    Case("the backups' disk is pulled out", folder_gone("backups"), quick=True),
    *(Case(f"{name} is killed", signalled(KILL, name), hold=2) for name in PROCESSES),
    *(Case(f"{name} is asked to end", signalled(TERM, name), hold=2) for name in PROCESSES),
    Case("web is frozen", frozen("web"), away=True),
    *(Case(f"{name} is frozen", frozen(name)) for name in ("worker", "ingest")),
    Case("the database is ended by its operator", signalled(INT, "PostgreSQL"), hold=2),
    Case("the database ends at once", signalled(QUIT, "PostgreSQL"), hold=2),
    Case("no connection is left", connections_left(0)),
    Case("both engines are killed", signalled(KILL, "PostgreSQL", "NATS"), hold=2),
    Case("database and web are killed", signalled(KILL, "PostgreSQL", "web"), hold=2),
    Case("everything is killed", signalled(KILL, *PROCESSES), hold=2),
    Case("both engines are frozen", frozen("PostgreSQL", "NATS")),
    Case("the wards' share is pulled out", folder_gone("share")),
    Case("the program is killed and started again", supervisor_killed, hold=1, away=True),
    Case("the database is gone for ten minutes", frozen("PostgreSQL"), hold=600),
]

CLOCKS = [
    Case("the clock jumps two hours ahead", clock_jumps(7200), quick=True),
    Case("the clock jumps two hours back", clock_jumps(-7200), quick=True),
    Case("the clock jumps a day ahead", clock_jumps(86400)),
    Case("the clock jumps a day back", clock_jumps(-86400)),
]
"""In a clinic of their own, whose clock can be set."""


@dataclass
class Face:
    """What whoever asks is told meanwhile: by page and by FHIR, how long it took."""

    clinic: Clinic
    headers: dict[str, str]
    slowest: float = 0.0
    told: dict[str, set[int]] = field(default_factory=dict)

    def look(self) -> None:
        base = f"http://127.0.0.1:{self.clinic.port}"
        for name, path, headers in (
            ("page", "/sign-in", {"accept": "text/html", "host": f"localhost:{self.clinic.port}"}),
            ("record", "/fhir/R4/Patient?_count=1", self.headers),
            ("ready", "/readyz", {}),
        ):
            begun = time.monotonic()
            try:
                answer = httpx.get(f"{base}{path}", headers=headers, timeout=ANSWERS)
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
                continue  # the process that would answer is just being started
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.told.setdefault(name, set()).add(answer.status_code)
            if answer.status_code >= 500:
                said = answer.text.lower()
                assert answer.status_code == 503, (name, answer.status_code, said[:400])
                assert not [word for word in WORDS if word in said], said[:400]
                assert name != "record" or answer.json()["resourceType"] == "OperationOutcome"
                assert name != "page" or "<h1" in said
