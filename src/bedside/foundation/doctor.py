"""What is wrong with a machine or an installation, in plain words, each with what to do."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bedside.foundation import certificates, jobs
from bedside.foundation.database import Database
from bedside.foundation.engines.nats import binary
from bedside.foundation.engines.postgres import binaries
from bedside.foundation.errors import BedsideError
from bedside.foundation.home import ROOM_AGAIN, ROOM_FIRST, Home
from bedside.foundation.migrate import standing
from bedside.foundation.settings import Settings

GB = 1 << 30
CERTIFICATE_SOON = timedelta(days=14)
"""Who renews by itself does so a month before the end: with less left, that does not work."""
CLOCK_UNSYNCHRONISED = 5
"""adjtimex(2)'s TIME_ERROR: the kernel knows of nothing that keeps its clock right."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. note: works, but a person should know; bad: something does not work."""

    state: Literal["good", "note", "bad"]
    what: str
    remedy: str = ""


def good(what: str) -> Finding:
    """All is well."""
    return Finding("good", what)


def machine(home: Path, ports: dict[str, int], *, running: bool) -> Iterator[Finding]:
    """What can be seen without a database. ports: option to number; running: whether this home's program has them."""
    yield good(f"Python {platform.python_version()}.")
    if sys.platform != "linux":
        yield Finding("bad", f"The system is {sys.platform}.", "Bedside's embedded engines are tried on Linux alone.")
    yield _disk(home)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if memory < GB:
        yield Finding("note", f"The machine has {memory / GB:.1f} GB of memory.", "1 GB is the least to run well.")
    else:
        yield good(f"{memory / GB:.1f} GB of memory.")
    for find, name in ((binaries, "PostgreSQL"), (binary, "NATS")):
        try:
            find()
            yield good(f"{name}'s program is there.")
        except BedsideError as error:
            yield Finding("bad", error.message, error.remedy or "")
    for option, port in ports.items():
        yield _port(option, port, running=running)
    yield _clock()
    if shutil.which("turnserver"):
        yield good("coturn is installed: visits get through strict firewalls.")
    else:
        yield Finding(
            "note", "coturn is not installed: behind some firewalls a visit will not connect.", "apt install coturn"
        )


def _disk(home: Path) -> Finding:
    place = next(parent for parent in (home, *home.absolute().parents) if parent.is_dir())
    free, needed = shutil.disk_usage(place).free, ROOM_AGAIN if home.is_dir() else ROOM_FIRST
    if free < needed:
        return Finding("bad", f"{free >> 20} MB are free at {place}; {needed >> 20} MB are needed.", "Free some space.")
    if free < 2 * GB:
        return Finding("note", f"{free >> 20} MB are free at {place}.", "A clinic's year of readings wants 2 GB.")
    return good(f"{free / GB:.0f} GB are free at {place}.")


def _port(option: str, port: int, *, running: bool) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            if running:
                return good(f"Port {port} ({option}) is Bedside's own.")
            return Finding("bad", f"Port {port} ({option}) is taken by another program.", f"Choose another: {option}.")
    if running:
        return Finding("bad", f"Port {port} ({option}) does not answer.", "Read the logs in the home's logs/.")
    return good(f"Port {port} ({option}) is free.")


def _clock() -> Finding:
    """Asks the kernel, which every time service tells that it keeps the clock."""
    state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    if state in {-1, CLOCK_UNSYNCHRONISED}:
        return Finding(
            "note",
            "Nothing keeps this machine's clock right: readings would be stamped and alarms timed by a wrong clock.",
            "Install a time service, for example: apt install chrony.",
        )
    return good("The clock is kept right by a time service.")


def certificate(running: dict[str, Any]) -> list[Finding]:
    """When the certificate that the program serves with ends, if it serves TLS itself."""
    file = running.get("certificate")
    if not file:
        return []
    try:
        left = certificates.ends(Path(file)) - datetime.now(UTC)
    except BedsideError as error:
        return [Finding("bad", error.message, error.remedy or "")]
    remedy = f"Put a newer one at {file}: it is taken up within seconds, nothing has to be started again."
    if left < timedelta():
        what = f"The certificate expired {age(-left)} ago: browsers and devices refuse to connect."
        return [Finding("bad", what, remedy)]
    what = f"The certificate ends in {age(left)}."
    return [Finding("note", what, remedy) if left < CERTIFICATE_SOON else good(what)]


LATE = timedelta(minutes=2)
"""The log is kept every few seconds: a copy that is older stands still."""
DRILL = timedelta(days=90)
"""After so long nobody can be sure any more that what is kept can be restored."""


def backups(home: Home, *, running: bool) -> list[Finding]:
    """How old the backup is, and when it was last tried. Reads the home's own notes alone."""
    from bedside.foundation.backup import settings

    try:
        told = settings.settings(home.path)
        if told is None:
            demo = (home.made() or {}).get("demo")
            if demo:
                return []
            return [Finding("bad", "There is no backup.", "bedside backup init --to FOLDER (on another disk).")]
        state, drill = settings.state(home.path), settings.drill(home.path)
    except BedsideError as error:
        return [Finding("bad", error.message, error.remedy or "")]
    now = datetime.now(UTC)
    found = []
    if state.until is None:
        found.append(Finding("bad", "No backup was made yet.", state.error or "Start Bedside, or: bedside backup"))
    else:
        old = age(now - state.until)
        what = f"The last backup in {told.to} is {old} old; its base is of {state.set}."
        late = running and now - state.until > LATE
        if late or state.error:
            remedy = f"{state.error or 'It does not go on.'} See logs/backup.log and docs/runbooks/backup.md."
            found.append(Finding("bad", what, remedy))
        else:
            found.append(good(what))
    if drill is None:
        found.append(Finding("note", "No restore was ever tried.", "bedside backup drill --key KEY_FILE"))
    else:
        what = f"The last drill was {age(now - drill.at)} ago and took {drill.seconds:.0f} s"
        if not drill.good:
            found.append(Finding("bad", f"{what}: it FAILED. {' '.join(drill.words)}", "docs/runbooks/backup.md"))
        elif now - drill.at > DRILL:
            found.append(Finding("note", f"{what}.", "Try again: bedside backup drill --key KEY_FILE"))
        else:
            found.append(good(f"{what}: everything came back."))
    return found


def age(span: timedelta) -> str:
    """`40 s`, `12 min`, `5 h`, `3 days`."""
    seconds = max(span.total_seconds(), 0)
    for least, size, unit in ((172800, 86400, "days"), (7200, 3600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


async def installation(settings: Settings, home: Home) -> list[Finding]:
    """What the engines and their contents say. Raises nothing: what cannot be reached is a finding."""
    findings = [_recent_ends(home)]
    try:
        database = await Database.connect(settings.database_url, size=1, name="bedside doctor")
    except BedsideError as error:
        return [*findings, Finding("bad", error.message, error.remedy or "")]
    try:
        findings.append(good("The database answers."))
        unsafe = await database.unsafe_settings()
        findings += [Finding("bad", f"PostgreSQL may lose what it acknowledged: {each}.") for each in unsafe]
        async with database.connection() as sql:
            missing = (await standing(sql)).missing
            if missing:
                findings.append(Finding("bad", f"{missing} migrations are missing.", "Run bedside migrate."))
                return findings
            findings.append(good("The database is up to date."))
            held = await jobs.parked(sql)
            findings += [
                Finding("bad", f"The job {each.name} failed for good: {each.why}", f"bedside jobs release {each.id}")
                for each in held[:10]
            ]
            if not held:
                findings.append(good("No job is parked."))
            late = await sql.fetchval(
                "select count(*) from jobs.pgqueuer where status = 'queued' and execute_after < now() - interval '60 s'"
            )
            if late and home.running():
                findings.append(Finding("bad", f"{late} jobs wait for a minute or more.", "Read logs/worker.log."))
    except BedsideError as error:
        findings.append(Finding("bad", error.message, error.remedy or ""))
    finally:
        await database.close()
    return findings


def _recent_ends(home: Home) -> Finding:
    """How often something had to be started again, by the supervisor's log."""
    path = home.path / "logs" / "supervisor.log"
    ends = path.read_text(errors="replace").count('"event":"ended"') if path.exists() else 0
    if ends:
        return Finding("note", f"{ends} times something ended by itself and was started again.", f"Read {path}.")
    return good("Nothing had to be started again.")
