"""One line of sets while it is written. One process at a time writes a line: it holds a lock in HOME/backup."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bedside import __version__
from bedside.foundation import telemetry
from bedside.foundation.backup import disk, files, manifest, retention, settings
from bedside.foundation.backup.basebackup import Base, Taking
from bedside.foundation.backup.disk import README
from bedside.foundation.backup.keys import Signer
from bedside.foundation.backup.manifest import Piece, Set
from bedside.foundation.backup.rows import rows
from bedside.foundation.backup.sealed import SUFFIX, Tell, seal
from bedside.foundation.backup.settings import Settings
from bedside.foundation.backup.store import Store
from bedside.foundation.backup.wal import Receiver
from bedside.foundation.errors import Conflict, NotFound, Unavailable, Unprocessable
from bedside.foundation.home import Home

log = telemetry.logger("backup")

LEAST_FREE = 1 << 30
"""Bytes that stay free on the home's disk: below, a log that cannot be taken away is given up, not the clinic."""
LATER = 600.0
"""Seconds for which an object stays after a newer one has taken its place."""


@contextmanager
def alone(home: Path, to: str) -> Iterator[None]:
    """Hold the right to write this home's line in this place. Raises Conflict."""
    path = settings.folder(home) / f"lock.{_short(to)}"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict("Another backup of this home is under way.", remedy="Wait until it is done.") from error
        yield
    finally:
        os.close(number)


class Archive:
    """See the module. slot: under which the server keeps its log for this archive."""

    def __init__(self, home: Home, told: Settings, receiver: Receiver | None) -> None:
        self.home, self.told, self.receiver = home, told, receiver
        self.store = told.store
        self.signer: Signer = settings.signer(home.path)
        self.postgres = home.postgres
        self.gap = False
        """The log has a hole: a new base is needed."""
        self.unread = False
        """A manifest of this line cannot be read: only sets that can be are ever deleted, and the next base is full."""
        self._later: list[tuple[float, str]] = []
        # Names are never used twice, nor by a writer before this one that was killed before it had noted them.
        self._token, self._named = secrets.token_hex(3), 0
        self.there()
        self.store.sweep(told.line)
        self.sets = self._mine()
        self.current: Set | None = self.sets[-1] if self.sets else None
        self.pieces: dict[str, Piece] = {piece.segment: piece for piece in (self.current.wal if self.current else ())}

    def _mine(self) -> list[Set]:
        found = []
        for line, id_ in manifest.ids(self.store):
            if line == self.told.line:
                try:
                    found.append(manifest.read(self.store, line, id_, self.signer.public))
                except (Conflict, Unprocessable) as error:
                    self.gap = self.unread = True
                    log.warning("a set cannot be read", set=id_, why=error.message)
        return found

    def there(self) -> None:
        """The place is the one that was set up, not the empty folder under a disk that is away, nor another disk.

        Raises Unavailable.
        """
        disk.look(self.home.path, self.told)

    def _fresh(self) -> str:
        """For names."""
        self._named += 1
        return f"{self._token}{self._named}"

    def _manifests(self) -> Path:
        return settings.folder(self.home.path) / "bases" / _short(self.told.to)

    def begin(self) -> Taking:
        """A base, from the main thread: what changed after the newest, or all where that is too old or unknown.

        Raises Unavailable: the place is away. A base would else be written under it, on the clinic's own disk.
        """
        self.there()
        if self.postgres.ask("show summarize_wal") != "on":
            # From now on the server notes what changes, for increments.
            self.postgres.ask("alter system set summarize_wal = on")
            self.postgres.ask("select pg_reload_conf()")
        self._id, self._began = manifest.named({one.id for one in self.sets})
        full = [one for one in self.sets if one.kind == "full"]
        after = self._manifests() / self.current.id if self.current else None
        young = bool(full) and self._began - full[-1].began < timedelta(days=self.told.full_days)
        self._after = after if young and after is not None and after.exists() and not self.gap else None
        where = f"{self.told.line}/sets/{self._id}/base.tar{SUFFIX}"
        words = settings.folder(self.home.path) / "base.log"
        return Taking.begin(self.postgres, self.store, where, self.told.recipient, words, self._after)

    @property
    def increment(self) -> bool:
        """Whether the base under way is what changed since another."""
        return self._after is not None

    def finish(self, taking: Taking, tell: Tell) -> Base:
        """Seal the base, in any thread. Raises Unavailable; after a failure the next one is full."""
        try:
            return taking.finish(tell)
        except BaseException:
            if self.current is not None:
                (self._manifests() / self.current.id).unlink(missing_ok=True)
            raise

    def adopt(self, base: Base) -> Set:
        """The base and the log after it become the set that is written from now on. Raises Unavailable."""
        if self.receiver is None:
            raise RuntimeError("no log comes in")
        ended = datetime.now(UTC)
        try:
            self.receiver.wait(self.receiver.flushed())
            if self.current is not None and not self.gap:
                self.ship()  # beyond the new base's end, so that no moment falls between the two
        except BaseException:
            self.store.drop(base.sealed.name)
            raise
        before, self.gap = self.current, False
        first = manifest.number(base.start)
        self.pieces = {name: piece for name, piece in self.pieces.items() if manifest.number(name) >= first}
        parent = before if self._after is not None else None
        self.current = Set(
            format=manifest.FORMAT,
            line=self.told.line,
            id=self._id,
            kind="incremental" if parent else "full",
            n=before.n if before else 0,
            version=__version__,
            began=self._began,
            ended=ended,
            until=self._began,
            parent=parent.id if parent else "",
            parent_base=parent.base.sha256 if parent and parent.base else "",
            base=base.sealed,
            start=base.start,
            stop=base.stop,
            files=before.files if before else (),
            counts=rows(self.postgres),
            demo=bool((self.home.made() or {}).get("demo")),
        )
        try:
            self.ship(anew=True)
        except BaseException:
            self.current = before
            self.store.drop(base.sealed.name)
            raise
        self._manifests().mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._manifests().iterdir():
            old.unlink()
        (self._manifests() / self._id).write_bytes(base.manifest)
        self.sets.append(self.current)
        return self.current

    def ship(self, *, anew: bool = False) -> datetime:
        """Keep what came in since; up to when everything that was acknowledged is kept now. Raises Unavailable."""
        receiver = self.receiver
        if receiver is None:
            raise RuntimeError("no log comes in")
        self.there()
        at = datetime.now(UTC)
        reached = receiver.flushed()
        receiver.wait(reached)
        if self.current is None:
            return at
        one, gone = self.current, list[str]()
        while not self._took_in(receiver, one, gone):
            pass
        first = manifest.number(one.start)
        have = {manifest.number(name): piece for name, piece in self.pieces.items()}
        wal = list[Piece]()
        while first + len(wal) in have:
            wal.append(have[first + len(wal)])
        # An LSN at a segment's very end belongs to the one before.
        last = manifest.lsn_value(reached) - 1
        short = not wal or manifest.number(wal[-1].segment) < last // manifest.SEGMENT
        if short or not all(piece.whole for piece in wal[:-1]):
            self.gap = True
            raise Unavailable("The copy of the database's log has a gap.", remedy="A new base is made at once.")
        kept = self._files(one, anew=anew)
        names = {part.name for file in kept for part in file.parts}
        gone += [part.name for file in one.files for part in file.parts if part.name not in names]
        fresh = _with(one, n=one.n + 1, until=at, reached=reached, wal=tuple(wal), files=tuple(kept))
        manifest.write(self.store, fresh, self.signer)
        self.current = fresh
        self.sets = [fresh if each.id == fresh.id else each for each in self.sets]
        needed = {each.name for other in self.sets for each in other.objects} | {each.name for each in fresh.objects}
        # Whoever restores or verifies now has read the manifest before this one: what it names stays for a while.
        now = time.monotonic()
        self._later += [(now + LATER, each) for each in gone]
        while self._later and self._later[0][0] <= now:
            _, old = self._later.pop(0)
            if old not in needed:
                self.store.drop(old)
        # The newest full segment stays: by it the receiver knows where to go on.
        for path in receiver.whole()[:-1]:
            if path.name in self.pieces and self.pieces[path.name].whole:
                path.unlink()
        return at

    def _took_in(self, receiver: Receiver, one: Set, gone: list[str]) -> bool:
        """Seal segments: those that are full once, the growing one again. False where one was filled meanwhile, and has
        another name: what was kept of it before ends too soon, and would pass for all of it.
        """
        growing = receiver.growing()
        for path in [*receiver.whole(), *([growing] if growing else [])]:
            whole = path != growing
            name = path.name if whole else path.stem
            old = self.pieces.get(name)
            if (old is not None and old.whole) or manifest.number(name) < manifest.number(one.start):
                continue
            where = f"{self.told.line}/wal/{name}{'' if whole else '.part'}-{self._fresh()}{SUFFIX}"
            if shutil.disk_usage(self.home.path).free < LEAST_FREE:
                raise Unavailable(f"{self.store.place} takes the log more slowly than it grows: the disk fills up.")
            try:
                with path.open("rb") as file:
                    sealed = seal(self.store, where, file, self.told.recipient)
            except FileNotFoundError:
                return False
            if old is not None and old.sealed.name != sealed.name:
                gone.append(old.sealed.name)
            self.pieces[name] = Piece(name, sealed, whole)
        return True

    def _files(self, one: Set, *, anew: bool) -> list[manifest.Kept]:
        under = f"{self.told.line}/files/{one.id}-{self._fresh()}"
        before = {each.path: each for each in one.files}
        home, also = self.home.path, self.told.also
        return files.keep(self.store, self.told.recipient, under, home, also, before, anew=anew)

    def tidy(self) -> list[Set]:
        """Delete the sets that have outlived their days, and objects that nothing names; those that went.

        Only ever called when a new set is whole.
        """
        keep = timedelta(days=self.told.keep_days)
        old = retention.outlived(self.sets, datetime.now(UTC), keep)
        for one in old:
            # The manifest first: what is broken off leaves objects that nothing names.
            self.store.drop(manifest.name(one.line, one.id))
        self.sets = [one for one in self.sets if one not in old]
        named = {each.name for one in self.sets for each in one.objects}
        named |= {piece.sealed.name for piece in self.pieces.values()}
        named |= {name for _, name in self._later}
        named |= {manifest.name(one.line, one.id) for one in self.sets}
        for name in self.store.names(self.told.line):
            if name not in named and not self.unread:
                self.store.drop(name)
        return old


def explain(store: Store) -> None:
    """The words beside the sets, for whoever finds the place; they also say that it is the one."""
    with suppress(NotFound), store.reading(README) as there:
        if there.read() == WORDS.encode():
            return
    with store.writing(README, over=True) as out:
        out.write(WORDS.encode())


def _short(to: str) -> str:
    return manifest.fingerprint(to.encode())[:12]


def _with(one: Set, **changes: object) -> Set:
    return msgspec.structs.replace(one, **changes)


WORDS = """\
Backups of a Bedside. They are encrypted: without the recovery key nobody reads them.

To restore, install Bedside on any machine and run
    bedside restore --from THIS_FOLDER --key KEY_FILE --home NEW_FOLDER

Without Bedside: each object ending in .zst.age opens by standard tools,
    age -d -i KEY_FILE FILE | zstd -d > PLAIN
A set (LINE/sets/ID) holds base.tar.zst.age, a base backup of PostgreSQL 18 as pg_basebackup makes it; its manifest is
JSON and names the set it was made after (parent; pg_combinebackup puts them together), the log it needs (wal) and the
files of the home (files).
"""
