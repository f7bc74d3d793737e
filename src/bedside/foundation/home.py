"""The home directory: everything an installation on one machine keeps, and who may use it.

    bedside.json      what made this home: layout, version, whether it is a demo
    lock              held by the running program
    running.json      the running program's pid and ports
    started.json      the words by which it was started last (`bedside doctor` judges by them)
    postgres/ nats/   the embedded engines
    keys/             secrets of rooms, outside the database
    logs/             JSON lines of each process
    metrics/          counters shared by the processes, where there is no memory for them (foundation.counters)
    backup/           what backups were set up, how they stand (the backups themselves are elsewhere)

Nothing outside it is written, but counters in memory.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

import bedside
from bedside.foundation import private
from bedside.foundation.counters import counters
from bedside.foundation.engines import Nats, Postgres
from bedside.foundation.engines.postgres import buffers, sized
from bedside.foundation.errors import Conflict, Forbidden, Unavailable

LAYOUT = 1
RESTORING = "restoring"
"""Stands in a home from the first to the last moment of its restore: nothing starts on it."""
OURS = {"lock", "keys"}
"""What may stand in a home that is not made yet: a start that was broken off, keys made for engines of others."""
ROOM_FIRST = 250 * 1024 * 1024
"""Bytes that must be free where a new home is made: the empty cluster, its log and the demo's clinic."""
ROOM_AGAIN = 48 * 1024 * 1024
"""Bytes that must be free to start again: PostgreSQL needs some to recover."""


def version_key(version: str) -> tuple[int, ...]:
    """`1.10.2` sorts after `1.9.0`; what is not a number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _named(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _as_owner(owner: int, path: Path) -> str:
    if owner == 0:
        return f"Give it to the user that Bedside runs as: chown -R {_named(os.geteuid())}: {path}"
    return f"Type the same line as that user, with this before it: sudo -u {_named(owner)}"


@dataclass(slots=True)
class Home:
    """A home directory, there or not yet. Reading it takes no lock."""

    path: Path
    _lock: int | None = None

    @property
    def postgres(self) -> Postgres:
        """The embedded PostgreSQL of this home: small for a demo, sized to the machine for a clinic; or as
        BEDSIDE_DATABASE_BUFFERS says (MB). Raises Invalid."""
        made = self.made()
        passing = made is None or made.get("demo")
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        chosen = buffers(os.environ.get("BEDSIDE_DATABASE_BUFFERS", ""))
        return Postgres(self.path / "postgres", settings=chosen or ({} if passing else sized(memory)))

    def nats(self, *, port: int = 0, mqtt_port: int = 0, mqtt_host: str = "127.0.0.1") -> Nats:
        """The embedded NATS of this home."""
        return Nats(self.path / "nats", port=port, mqtt_port=mqtt_port, mqtt_host=mqtt_host)

    def mine(self) -> None:
        """Refuse another user's home: what root writes there its own program cannot read, and does not start.

        Raises Forbidden naming the user.
        """
        me = os.geteuid()
        for path in (self.path / "bedside.json", self.path, *self.path.absolute().parents):
            try:
                owner = path.stat().st_uid
            except PermissionError:
                continue  # whose it is the folder above tells
            except OSError:
                return
            if owner != me and (path.name == "bedside.json" or not os.access(path, os.X_OK)):
                raise Forbidden(f"{self.path} belongs to the user {_named(owner)}.", remedy=_as_owner(owner, self.path))
            return

    def made(self) -> dict[str, Any] | None:
        """bedside.json, or None for a home that is not made yet.

        Raises Conflict for what is no home of Bedside, Forbidden for another user's.
        """
        self.mine()
        try:
            read: dict[str, Any] = orjson.loads((self.path / "bedside.json").read_bytes())
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, NotADirectoryError) as error:
            raise Conflict(f"{self.path} is not a home of Bedside.", remedy="Name another with --home.") from error
        return read

    def check(self, *, demo: bool) -> None:
        """Refuse a home that this program may not touch. Nothing is written.

        Raises Conflict (a newer version made it, a demo's home for a real clinic and the reverse, not a home),
        Unavailable (no space, no permission).
        """
        self.whole()
        made = self.made()
        self.refuse_newer()
        foreign = made is None and self.path.is_dir() and {entry.name for entry in self.path.iterdir()} - OURS
        if foreign:
            raise Conflict(f"{self.path} holds other files.", remedy="Name an empty or new directory with --home.")
        if made is not None and bool(made.get("demo")) != demo:
            raise Conflict(
                f"{self.path} holds a {'demo' if made.get('demo') else 'real'} clinic.",
                remedy="Name another home with --home: invented and real patients are never mixed.",
            )
        place = next(parent for parent in (self.path, *self.path.absolute().parents) if parent.is_dir())
        if not os.access(place, os.W_OK):
            raise Unavailable(f"{place} cannot be written.", remedy="Name another home with --home.")
        free, needed = shutil.disk_usage(place).free, ROOM_FIRST if made is None else ROOM_AGAIN
        if free < needed:
            raise Unavailable(
                f"The disk of {self.path} is full: {free >> 20} MB are free, {needed >> 20} MB are needed.",
                remedy="Free some space and start again; nothing was changed.",
            )

    def whole(self) -> None:
        """Refuse a home whose restore was broken off. Raises Conflict."""
        if (self.path / RESTORING).exists():
            raise Conflict(
                f"{self.path} is half restored.", remedy="Run the same `bedside restore` again: it begins anew."
            )

    def refuse_newer(self) -> None:
        """Raises Conflict for a home that a newer version made, naming it."""
        made = self.made() or {}
        newer = version_key(str(made.get("version", "0"))) > version_key(bedside.__version__)
        if made.get("layout", 0) > LAYOUT or newer:
            raise Conflict(
                f"{self.path} was made by a newer Bedside ({made.get('version')}; this is {bedside.__version__}).",
                remedy="Start it with that version, or name another home with --home.",
            )

    def free(self) -> None:
        """Refuse a home that a running Bedside holds, before anything is changed. Raises Conflict."""
        if (running := self.running()) is not None:
            raise self._in_use(running)

    def take(self, *, demo: bool) -> None:
        """Make the home if need be and hold it until this process ends. Raises Conflict when another holds it."""
        self.check(demo=demo)
        self.hold()
        if self.made() is None:
            self._write({"layout": LAYOUT, "version": bedside.__version__, "demo": demo})
        shutil.rmtree(counters(self.path), ignore_errors=True)

    def hold(self) -> None:
        """Lock it until this process ends. Raises Conflict when another holds it."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A POSIX lock: children made by fork do not inherit it, so it ends with this process alone.
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = None
            raise self._in_use(self.running() or {}) from error

    def _in_use(self, running: dict[str, Any]) -> Conflict:
        who = f" (process {running['pid']}, port {running['port']})" if "port" in running else ""
        return Conflict(
            f"{self.path} is in use by a running Bedside{who}.",
            remedy="Stop that one first, or name another home with --home.",
        )

    def settled(self, version: str = bedside.__version__) -> None:
        """After the migrations: from now on a program older than version refuses this home."""
        self._write({**(self.made() or {}), "layout": LAYOUT, "version": version})

    def forget(self) -> None:
        """Delete everything but the lock. The home must be taken; raises Conflict when it is not."""
        if self._lock is None:
            raise Conflict("Only a home that is held can be reset.")
        demo = bool((self.made() or {}).get("demo"))
        for entry in self.path.iterdir():
            if entry.name == "lock":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self._write({"layout": LAYOUT, "version": bedside.__version__, "demo": demo})

    def announce(self, **facts: Any) -> None:
        """Tell other commands on this home how to reach the running program."""
        private.write(self.path / "running.json", orjson.dumps({"pid": os.getpid(), **facts}).decode())

    def remember(self, words: tuple[str, ...]) -> None:
        """Keep how it was started; nothing in a home that is not made yet, or that cannot be written."""
        if self.made() is not None:
            with suppress(OSError):
                private.write(self.path / "started.json", orjson.dumps(words).decode())

    def remembered(self) -> list[str]:
        """How it was started last: none for one that never was."""
        try:
            read = orjson.loads((self.path / "started.json").read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return []
        return [str(word) for word in read] if isinstance(read, list) else []

    def running(self) -> dict[str, Any] | None:
        """What the program that holds this home announced; None when none holds it."""
        if self._lock is not None:
            return None
        try:
            probe = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            try:
                found: dict[str, Any] = orjson.loads((self.path / "running.json").read_bytes())
            except (FileNotFoundError, orjson.JSONDecodeError):
                return {}
            return found
        finally:
            os.close(probe)
        return None

    def _write(self, facts: dict[str, Any]) -> None:
        private.write(self.path / "bedside.json", orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode() + "\n")
