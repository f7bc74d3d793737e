"""Keeps the handbook's folder: the pages that open from a file, written whole, and again only for another program or
clinic. What is in the folder and was not written here is nobody's to replace.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import msgspec

from bedside.foundation.errors import Invalid, Unavailable
from bedside.web.kit import Clinic, folder

MARK = "bedside-handbook.json"


class Mark(msgspec.Struct, frozen=True):
    """FOLDER/bedside-handbook.json. stamp: of what it was made, "" while it is being written; files: what it holds."""

    stamp: str
    files: tuple[str, ...]


def write(to: Path, language: str = "en", clinic: Clinic | None = None) -> int:
    """All pages, pictures and style sheets; how many pages. clinic: whose name and telephones stand on each.

    Raises Invalid for a folder that holds something else, Unavailable where it cannot be written.
    """
    clinic = clinic or Clinic()
    before = _mark(to)
    if before is None and (to.exists() and not (to.is_dir() and not any(to.iterdir()))):
        raise Invalid(
            f"{to} holds something that is no handbook.",
            remedy="Name a folder that is empty, is not there yet, or was written by this command before.",
        )
    made = dict(folder.files(language, clinic))
    old = before.files if before is not None else ()
    try:
        to.mkdir(parents=True, exist_ok=True)
        # Said first: who is interrupted may go on in the same folder.
        _put(to / MARK, msgspec.json.encode(Mark("", tuple({*made, *old}))))
        for name, holds in made.items():
            _put(to / name, holds)
        for name in set(old) - set(made):
            gone = to / name
            if gone.resolve().is_relative_to(to.resolve()):
                gone.unlink(missing_ok=True)
                with suppress(OSError):  # not empty
                    gone.parent.rmdir()
        _put(to / MARK, msgspec.json.encode(Mark(folder.stamp(language, clinic), tuple(sorted(made)))))
    except OSError as error:
        raise Unavailable(
            f"{to} cannot be written: {error.strerror or 'refused'}.",
            remedy="Name a folder that you may write, on a disk with some megabytes free, with --to.",
        ) from error
    return sum(name.endswith(".html") for name in made)


def keep(to: Path, language: str, clinic: Clinic) -> bool:
    """The same, where what stands there is not of this program and this clinic; whether it was written."""
    found = _mark(to)
    if found is not None and found.stamp == folder.stamp(language, clinic):
        return False
    write(to, language, clinic)
    return True


def stands(to: Path) -> bool:
    """Whether a whole handbook is there, of whichever version."""
    found = _mark(to)
    return found is not None and bool(found.stamp)


def _mark(to: Path) -> Mark | None:
    try:
        return msgspec.json.decode((to / MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None


def _put(path: Path, holds: bytes) -> None:
    """Whole or not at all: somebody may have the page open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_bytes(holds)
        fresh.replace(path)
    except OSError:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise
