"""Where Bulk Data files stand: under the home, one folder a job, readable by the program alone."""

from __future__ import annotations

import asyncio
import os
import shutil
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from bedside.foundation.database import Database
from bedside.foundation.errors import NotFound, Unavailable

_HOMES: weakref.WeakKeyDictionary[Database, Path] = weakref.WeakKeyDictionary()
CHUNK = 256 * 1024
"""Bytes read at once when a file is sent."""


def use(database: Database, home: Path) -> None:
    """Files of this database stand under this home, in this process."""
    _HOMES[database] = home


def _home(database: Database) -> Path:
    try:
        return _HOMES[database]
    except KeyError:
        raise Unavailable("There is no place for bulk files here.", remedy="Start it with a home.") from None


def folder(database: Database, job: str) -> Path:
    """The folder of a job's files, made if need be."""
    path = _home(database) / "bulk" / job
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def inbox(database: Database) -> Path:
    """Where an operator puts the files that a client may name in $import."""
    return _home(database) / "imports"


def create(path: Path) -> BinaryIO:
    """A new file for writing, mode 0600. What a killed run left under the name goes: it counts for nothing."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


async def secure(files: list[BinaryIO]) -> None:
    """Everything written so far outlives a loss of power."""

    def flush() -> None:
        for file in files:
            file.flush()
            os.fsync(file.fileno())

    await asyncio.to_thread(flush)


def finish(file: BinaryIO) -> None:
    """Secure and close a file that is full."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def secure_folder(path: Path) -> None:
    """The names in a folder outlive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(database: Database, job: str) -> None:
    """A job's files go."""
    shutil.rmtree(_home(database) / "bulk" / job, ignore_errors=True)


def jobs(database: Database) -> list[str]:
    """The jobs that have a folder."""
    place = _home(database) / "bulk"
    return sorted(one.name for one in place.iterdir()) if place.is_dir() else []


def opened(database: Database, job: str, name: str) -> BinaryIO:
    """A file to send. Raises NotFound when it is not on this machine."""
    try:
        return (_home(database) / "bulk" / job / name).open("rb")
    except FileNotFoundError:
        raise NotFound("The file is not here any more.", remedy="Ask for a new export.") from None


async def chunks(file: BinaryIO, start: int, length: int) -> AsyncIterator[bytes]:
    """Part of an open file, a piece at a time; it is closed at the end."""
    with file:
        file.seek(start)
        while length > 0:
            part = await asyncio.to_thread(file.read, min(CHUNK, length))
            if not part:
                return
            length -= len(part)
            yield part
