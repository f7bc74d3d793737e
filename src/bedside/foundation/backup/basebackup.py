"""A base: the database's files as pg_basebackup streams them, sealed on their way, whole or what changed since another.

Nothing is laid down in the clear. PostgreSQL's own manifest of the base is read out of the stream and kept in the home:
the next base is made of what changed after it (PostgreSQL 18's incremental base backups, by its summaries of the log).
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import msgspec

from bedside.foundation.backup.manifest import segment_of
from bedside.foundation.backup.sealed import Sealed, Tell, seal
from bedside.foundation.backup.store import Store
from bedside.foundation.engines import Postgres, Process
from bedside.foundation.engines.postgres import last_words
from bedside.foundation.errors import Unavailable

MEMBER = "backup_manifest"


@dataclass(slots=True)
class Watched:
    """A tar stream while it is read: keeps the member `backup_manifest`. PostgreSQL writes plain ustar headers."""

    source: BinaryIO
    manifest: bytearray = field(default_factory=bytearray)
    _header: bytearray = field(default_factory=bytearray)
    _body: int = 0
    _padding: int = 0
    _mine: bool = False

    def read(self, size: int = -1) -> bytes:
        """The next bytes, unchanged."""
        chunk = self.source.read(size)
        self._see(memoryview(chunk))
        return chunk

    def _see(self, rest: memoryview) -> None:
        while rest:
            if self._body:
                here = rest[: self._body]
                if self._mine:
                    self.manifest += here
                self._body -= len(here)
                rest = rest[len(here) :]
            elif self._padding:
                here = rest[: self._padding]
                self._padding -= len(here)
                rest = rest[len(here) :]
            else:
                here = rest[: tarfile.BLOCKSIZE - len(self._header)]
                self._header += here
                rest = rest[len(here) :]
                if len(self._header) == tarfile.BLOCKSIZE:
                    self._member(bytes(self._header))
                    self._header.clear()

    def _member(self, header: bytes) -> None:
        if header == tarfile.NUL * tarfile.BLOCKSIZE:
            return
        member = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
        self._mine = member.name == MEMBER
        self._body = member.size if member.isreg() else 0
        self._padding = -self._body % tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class Base:
    """What was made. start: the first segment it needs; stop: consistent from there on. manifest: PostgreSQL's own."""

    sealed: Sealed
    timeline: int
    start: str
    stop: str
    manifest: bytes


@dataclass(slots=True)
class Taking:
    """A base under way: begun in the main thread, read to its end in any."""

    store: Store
    name: str
    recipient: str
    log: Path
    process: Process
    stream: BinaryIO

    @classmethod
    def begin(
        cls, postgres: Postgres, store: Store, name: str, recipient: str, log: Path, after: Path | None = None
    ) -> Taking:
        """after: PostgreSQL's manifest of the base that this one is made after. From the main thread alone."""
        tool = postgres.tool("pg_basebackup")
        command: list[str | Path] = [*tool.command, "-D", "-", "-F", "tar", "-X", "none", "-c", "fast"]
        # The wheel's SHA-256 is a fifth as fast as its disk; the object's own hash and the pages' checksums stand in.
        command += ["--manifest-checksums=CRC32C", "--label=bedside", "--no-sync"]
        if after is not None:
            command.append(f"--incremental={after}")
        log.unlink(missing_ok=True)
        come, go = os.pipe()
        try:
            process = Process.start("pg_basebackup", command, log=log, env=tool.env, out=go, keep=tool.keep)
        except BaseException:
            os.close(come)
            raise
        finally:
            os.close(go)
        return cls(store, name, recipient, log, process, os.fdopen(come, "rb", 1 << 20))

    def finish(self, tell: Tell) -> Base:
        """Seal it. tell: bytes done, before compression. Raises Unavailable; then nothing of it is kept."""
        watched = Watched(self.stream)
        try:
            sealed = seal(self.store, self.name, watched, self.recipient, tell)
        finally:
            self.stream.close()
            if not self.process.wait(30):
                self.process.stop()
        if self.process.code != 0 or not watched.manifest:
            self.store.drop(self.name)
            raise Unavailable("The database could not be copied.", remedy=last_words(self.log))
        read = msgspec.json.decode(bytes(watched.manifest))
        [log] = read["WAL-Ranges"][-1:]
        start = segment_of(log["Timeline"], log["Start-LSN"])
        return Base(sealed, log["Timeline"], start, log["End-LSN"], bytes(watched.manifest))
