"""Where a backup's objects are kept: names with slashes, bytes that appear whole or not at all. Here: in a folder."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from bedside.foundation.errors import NotFound, Unavailable

FRESH = ".new"
MARK = "DISK"
"""Holds the word by which a folder's disk is known (see disk)."""


class Store(Protocol):
    """The small interface. Names are relative, with slashes."""

    @property
    def place(self) -> str:
        """For people."""
        ...

    def writing(self, name: str, *, over: bool = False) -> AbstractContextManager[BinaryIO]:
        """A file to write; under its name, durable, once the block ends well; nothing of it when it does not.

        Names are new, but with `over`: then it may replace what this very writer last saw there. A store that can tell
        refuses all else with Conflict.
        """
        ...

    def reading(self, name: str) -> BinaryIO:
        """Raises NotFound."""
        ...

    def names(self, under: str) -> list[str]:
        """Every object whose name begins so, sorted."""
        ...

    def drop(self, name: str) -> None:
        """Delete it; nothing when it is not there."""
        ...

    def sweep(self, under: str) -> None:
        """Delete what a writer that was killed left behind. Only its successor may."""
        ...


def told(error: OSError, place: str) -> Unavailable:
    """An OSError of the store in words."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Unavailable(
            f"The disk of {place} is full. The backups that stood there before are whole.",
            remedy="Free some space there, or keep fewer days (bedside backup init --keep-days N), and begin again.",
        )
    return Unavailable(f"{place}: {error.strerror or error}.", remedy="Is the disk there, and may Bedside write to it?")


class Folder:
    """A folder: a disk of its own, a share, a stick. mark: of the only disk that is written to; "" for any."""

    def __init__(self, root: Path, mark: str = "") -> None:
        self.root, self.mark = root, mark

    @property
    def place(self) -> str:
        """Its path."""
        return str(self.root)

    @contextmanager
    def writing(self, name: str, *, over: bool = False) -> Iterator[BinaryIO]:
        """See Store; a folder cannot tell who wrote. Raises Unavailable: full, away, not allowed."""
        path = self.root / name
        fresh = path.with_name(path.name + FRESH)
        try:
            self._same()
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            _sync(path.parent)
        except OSError as error:
            raise told(error, self.place) from error
        finally:
            with suppress(OSError):  # the store itself may have gone
                fresh.unlink(missing_ok=True)

    def _same(self) -> None:
        """The disk may go in the midst of a backup: the next object would be written under it."""
        if self.mark and (self.root / MARK).read_text(errors="replace").strip() != self.mark:
            raise OSError(errno.ENODEV, "its disk was taken away")

    def reading(self, name: str) -> BinaryIO:
        """See Store."""
        try:
            return (self.root / name).open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"{name} is missing from {self.place}.") from error
        except OSError as error:
            raise told(error, self.place) from error

    def names(self, under: str) -> list[str]:
        """See Store."""
        top = self.root / under
        found = (Path(place) / name for place, _, names in os.walk(top) for name in names)
        return sorted(path.relative_to(self.root).as_posix() for path in found if not path.name.endswith(FRESH))

    def drop(self, name: str) -> None:
        """See Store."""
        path = self.root / name
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()  # the last of its folder takes it along

    def sweep(self, under: str) -> None:
        """See Store."""
        for path in (self.root / under).rglob(f"*{FRESH}"):
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
