"""What waits, on disk: kept before it is answered, in the order in which it came, until Bedside has it.

SQLite with a full sync at each commit (PRAGMA synchronous): a process that is killed, or a machine that loses its
power, has everything it said it had. One file, one process. Its threads take turns: what one keeps must never be part
of what another is about to take back.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Final, NamedTuple

PAGE: Final = 4096
TABLES: Final = """
create table if not exists pack (
    n integer primary key autoincrement, device text not null, media text not null, body blob not null, at real not null
);
create index if not exists pack_device on pack (device, n);
create table if not exists refused (
    n integer primary key, device text not null, media text not null, body blob not null, at real not null,
    status integer not null, answer text not null
);
"""


class Full(Exception):
    """There is no room: nothing was kept."""


class Locked(Exception):
    """Another gateway has this journal."""


class Waiting(NamedTuple):
    """One message. n: its place in the order of all; at: Unix time of its receipt."""

    n: int
    device: str
    media: str
    body: bytes


class Standing(NamedTuple):
    """waiting: messages; oldest: Unix time of the receipt of the first, None for none; refused: kept, not wanted."""

    waiting: int
    oldest: float | None
    refused: int


class Journal:
    """Open it once. most: bytes of the file at most."""

    def __init__(self, path: Path, most: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._turn = threading.Lock()
        self._sql = sqlite3.connect(path, isolation_level=None, timeout=0, check_same_thread=False)
        path.chmod(0o600)
        try:
            for text in (
                f"pragma page_size = {PAGE}",
                "pragma locking_mode = exclusive",
                "pragma journal_mode = wal",
                "pragma synchronous = full",
                f"pragma max_page_count = {max(most // PAGE, 64)}",
            ):
                self._sql.execute(text)
            self._sql.executescript(TABLES)
        except sqlite3.OperationalError as error:
            raise Locked(str(error)) from error

    def put(self, device: str, media: str, body: bytes, at: float) -> int:
        """Keep one; its number once it is on disk. Raises Full."""
        return self._do("insert into pack (device, media, body, at) values (?, ?, ?, ?)", device, media, body, at)

    def first(self, device: str, most: int = 1) -> list[Waiting]:
        """The oldest of a device, in order."""
        text = "select n, device, media, body from pack where device = ? order by n limit ?"
        with self._turn:
            return [Waiting(*row) for row in self._sql.execute(text, (device, most))]

    def passed_on(self, device: str, n: int) -> None:
        """Bedside has all of a device's up to this one."""
        self._do("delete from pack where device = ? and n <= ?", device, n)

    def set_aside(self, n: int, status: int, answer: str) -> None:
        """Bedside will not have it, and said why: it is kept for a person, out of the way of what follows."""
        keep = "insert into refused select n, device, media, body, at, ?, ? from pack where n = ?"
        with self._turn:
            self._sql.execute("begin immediate")
            try:
                self._sql.execute(keep, (status, answer, n))
                self._sql.execute("delete from pack where n = ?", (n,))
                self._sql.execute("commit")
            except sqlite3.OperationalError as error:
                self._sql.execute("rollback")
                raise Full from error

    def devices(self) -> list[str]:
        """Those with something waiting."""
        with self._turn:
            return [row[0] for row in self._sql.execute("select distinct device from pack")]

    def standing(self) -> Standing:
        """How much waits, since when, and what was set aside."""
        with self._turn:
            waiting, oldest = self._sql.execute("select count(*), min(at) from pack").fetchone()
            (refused,) = self._sql.execute("select count(*) from refused").fetchone()
        return Standing(waiting, oldest, refused)

    def close(self) -> None:
        """Let go of the file."""
        self._sql.close()

    def _do(self, text: str, *values: object) -> int:
        try:
            with self._turn:
                return int(self._sql.execute(text, values).lastrowid or 0)
        except sqlite3.OperationalError as error:
            # SQLITE_FULL, and what a disk says in other words (SQLITE_IOERR): either way nothing was kept.
            raise Full from error
