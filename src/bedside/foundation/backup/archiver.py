"""The process that writes the backups while the program runs: the log every few seconds, a base every so many hours."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedside import __version__
from bedside.foundation import telemetry
from bedside.foundation.backup import disk, files, manifest, retention, settings
from bedside.foundation.backup.archive import LEAST_FREE, Archive, alone, explain
from bedside.foundation.backup.basebackup import Base
from bedside.foundation.backup.keys import Signer
from bedside.foundation.backup.manifest import Set
from bedside.foundation.backup.settings import Settings, State
from bedside.foundation.backup.wal import Receiver
from bedside.foundation.errors import BedsideError, Conflict, Unavailable, Unprocessable
from bedside.foundation.home import Home

log = telemetry.logger("backup")

AGAIN = 60.0
"""Seconds from one try of a base to the next."""


def spool_of(home: Path, told: Settings) -> Path:
    """Where the log comes in."""
    return Path(told.spool) if told.spool else settings.folder(home) / "spool"


def receiver_of(home: Home, told: Settings, slot: str = "", spool: Path | None = None) -> Receiver:
    """What brings the log of this home's database."""
    words = settings.folder(home.path) / "receiver.log"
    made = Receiver(home.postgres, spool or spool_of(home.path, told), words, synchronous=told.synchronous)
    if slot:
        made.slot = slot
    return made


class Working:
    """A base in a thread of its own, so that the log goes on being kept."""

    def __init__(self, archive: Archive) -> None:
        self.archive, self.done, self.base = archive, 0, None
        self.failed: Exception | None = None
        self._taking = archive.begin()
        self.increment = archive.increment
        self._thread = threading.Thread(target=self._work, name="base", daemon=True)
        self._thread.start()

    base: Base | None

    def _work(self) -> None:
        try:
            self.base = self.archive.finish(self._taking, self._tell)
        except Exception as error:  # told in the main thread
            self.failed = error

    def _tell(self, many: int) -> None:
        self.done += many

    def running(self) -> bool:
        """Whether it is still under way."""
        return self._thread.is_alive()


class Archiver:
    """See the module. Runs until `stop`, through losses of database and store; tells state.json how it stands."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._read = _stamp(home.path)
        self._told = settings.needed(home.path)
        before = settings.state(home.path)
        self.state = before if before.line in {"", self._told.line} else State()
        self.state.line = self._told.line
        self.stopping = False
        self._receiver = receiver_of(home, self._told)
        self._archive: Archive | None = None
        self._working: Working | None = None
        self._wish = ""
        self._shipped = 0.0
        self._tried = -AGAIN

    def run(self) -> int:
        """Until SIGTERM; then what has come in is kept once more."""
        signal.signal(signal.SIGTERM, self._stop)
        with alone(self.home.path, self._told.to):
            while not self.stopping:
                self._guarded(self._turn)
                time.sleep(0.2)
            self._guarded(self._last)
            self._receiver.stop()
        return 0

    def _stop(self, *_: object) -> None:
        self.stopping = True

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (BedsideError, OSError) as error:
            self._trouble(error)
            if not self.stopping:
                time.sleep(1)

    def _trouble(self, error: Exception) -> None:
        words = error.message if isinstance(error, BedsideError) else str(error)
        log.error("the backup does not go on", why=words, kind=type(error).__name__)
        self.state.error, self.state.tried = words, datetime.now(UTC)
        self.state.remedy = (error.remedy or "") if isinstance(error, BedsideError) else ""
        self.state.place = error.found if isinstance(error, disk.Elsewhere) else ""
        if self._wish:
            self.state.answered, self.state.answer, self._wish = self._wish, words, ""
        self._tell()
        self._relieve()

    def _tell(self) -> None:
        try:
            settings.put(self.home.path, self.state)
        except OSError as error:
            log.warning("how the backup stands cannot be noted", why=error.strerror)

    def _relieve(self) -> None:
        """The clinic goes before its backup: a log that fills the home's disk is given up, and a base follows."""
        if shutil.disk_usage(self.home.path).free < LEAST_FREE and self._receiver.whole():
            log.error("the disk is nearly full: the log that could not be kept is given up")
            self._receiver.forget()
            if self._archive is not None:
                self._archive.gap = True

    def _take_up(self) -> None:
        """What was set up anew meanwhile: a new disk, other days. Another place or spool wants a new start."""
        stamp = _stamp(self.home.path)
        if stamp == self._read or self._working is not None:
            return
        new, old = settings.needed(self.home.path), self._told
        self._read = stamp
        if new == old or (new.to, new.spool, new.synchronous) != (old.to, old.spool, old.synchronous):
            return
        self._told, self._archive, self._shipped, self._tried = new, None, 0.0, -AGAIN
        if new.line != old.line:
            self.state = State(line=new.line)
            self._tell()
        log.info("new settings are taken up", line=new.line)

    def _turn(self) -> None:
        self._take_up()
        if not self._receiver.see():
            return
        if self._archive is None:
            self._told = disk.adopted(self.home.path, self._told)
            self._archive = Archive(self.home, self._told, self._receiver)
        archive, now = self._archive, time.monotonic()
        if self._working is None and self._due(archive):
            self._tried = now
            self._working = Working(archive)
            sizes = "select sum(pg_database_size(oid))::bigint from pg_database"
            self.state.done, self.state.total = 0, int(self.home.postgres.ask(sizes))
        working = self._working
        if working is not None and not working.running():
            self._working = None
            self._finished(archive, working)
        elif now - self._shipped >= self._told.window or (working is None and self._shipped == 0):
            self._shipped = now
            self._noted(archive)
        elif working is not None and working.done != self.state.done:
            self.state.done = working.done
            self._tell()

    def _due(self, archive: Archive) -> bool:
        wish = settings.wanted(self.home.path)
        if wish and wish != self.state.answered:
            self._wish = wish
            return True
        if time.monotonic() - self._tried < AGAIN:
            return False
        if archive.current is None or archive.gap:
            return True
        return datetime.now(UTC) - archive.current.began >= timedelta(hours=self._told.every_hours)

    def _finished(self, archive: Archive, working: Working) -> None:
        self.state.done = self.state.total = 0
        if working.base is None and working.increment:
            log.warning("what changed could not be told: a full base follows", why=str(working.failed))
            self._working = Working(archive)
            return
        if working.failed is not None or working.base is None:
            if isinstance(working.failed, BedsideError | OSError):
                raise working.failed
            raise Unavailable("The base could not be made.") from working.failed
        made = archive.adopt(working.base)
        gone = archive.tidy()
        log.info("a base is kept", set=made.id, kind=made.kind, gone=len(gone))
        self.state.based = datetime.now(UTC)
        if self._wish:
            self.state.answered, self.state.answer, self._wish = self._wish, "", ""
        self._kept(archive)

    def _noted(self, archive: Archive) -> None:
        archive.ship()
        self._kept(archive)

    def _kept(self, archive: Archive) -> None:
        if archive.current is not None:
            self.state.set, self.state.n = archive.current.id, archive.current.n
            self.state.until = archive.current.until
        self.state.error = self.state.remedy = self.state.place = ""
        self._tell()

    def _last(self) -> None:
        if self._archive is not None and self._archive.current is not None:
            self._noted(self._archive)


def _stamp(home: Path) -> int:
    """Of the settings' file: another when it was written anew."""
    try:
        return (settings.folder(home) / "settings.json").stat().st_mtime_ns
    except OSError:
        return 0


def once(home: Home, told: Settings, *, other: bool, tell: Callable[[int], None]) -> Set:
    """One set now, in this process, the database running. other: into a folder that is not the home's own.

    From the main thread. Raises BedsideError.
    """
    spool = settings.folder(home.path) / "spool.once" if other else None
    receiver = receiver_of(home, told, "bedside_backup_once" if other else "", spool)
    receiver.synchronous = told.synchronous and not other
    if other:
        explain(told.store)
    with alone(home.path, told.to):
        try:
            while not receiver.see():
                time.sleep(0.1)
            archive = Archive(home, told, receiver)
            working = _worked(Working(archive), receiver, tell)
            if working.base is None and working.increment:
                working = _worked(Working(archive), receiver, tell)  # what changed could not be told: all of it
            if working.base is None:
                raise working.failed or Unavailable("The base could not be made.")
            made = archive.adopt(working.base)
            archive.tidy()
            if not other:
                settings.put(
                    home.path, State(line=told.line, set=made.id, n=made.n, until=made.until, based=made.ended)
                )
            return made
        finally:
            if other:
                receiver.forget()
            else:
                receiver.stop()


def _worked(working: Working, receiver: Receiver, tell: Callable[[int], None]) -> Working:
    before = 0
    while working.running():
        time.sleep(0.1)
        receiver.see()
        tell(working.done - before)
        before = working.done
    return working


def files_alone(home: Home, told: Settings) -> Set:
    """The home's files, where others run the database. Raises BedsideError."""
    store, signer = told.store, settings.signer(home.path)
    if settings.needed(home.path).to == told.to:
        disk.look(home.path, told)
    else:
        explain(store)
    id_, began = manifest.named({id_ for line, id_ in manifest.ids(store) if line == told.line})
    kept = files.keep(store, told.recipient, f"{told.line}/files/{id_}-1", home.path, told.also, {}, anew=True)
    made = Set(
        format=manifest.FORMAT,
        line=told.line,
        id=id_,
        kind="files",
        n=1,
        version=__version__,
        began=began,
        ended=datetime.now(UTC),
        until=began,
        files=tuple(kept),
    )
    manifest.write(store, made, signer)
    _outlived_files(told, signer)
    if settings.needed(home.path).to == told.to:
        settings.put(home.path, State(line=told.line, set=made.id, n=made.n, until=made.until, based=made.ended))
    return made


def _outlived_files(told: Settings, signer: Signer) -> None:
    """Sets of files alone that have outlived their days go, and with them what they alone named."""
    store, sets = told.store, list[Set]()
    for line, id_ in manifest.ids(store):
        if line == told.line:
            with suppress(Conflict, Unprocessable):  # one that cannot be read is nobody's to delete
                sets.append(manifest.read(store, line, id_, signer.public))
    keep = timedelta(days=told.keep_days)
    old = retention.outlived([one for one in sets if one.kind == "files"], datetime.now(UTC), keep)
    needed = {each.name for one in sets if one not in old for each in one.objects}
    for one in old:
        store.drop(manifest.name(one.line, one.id))
        for each in one.objects:
            if each.name not in needed:
                store.drop(each.name)
