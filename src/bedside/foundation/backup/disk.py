"""Whether a backup's folder is on the disk that was set up: on none now, or on another that lies in its place.

A disk is known by a word that is written on it once, when somebody names it (`bedside backup init`, `new-disk`), and
kept in the home. Whatever is mounted there without that word is never written to by itself: it may be the empty folder
under a disk that is away, or a disk for something else.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from bedside.foundation.backup import settings
from bedside.foundation.backup.places import Place
from bedside.foundation.backup.settings import Settings
from bedside.foundation.backup.store import MARK, Store
from bedside.foundation.errors import N_, NotFound, Unavailable

README = "README.txt"

Found = Literal["away", "empty", "other"]
"""away: nothing is mounted where the disk was. empty: an empty folder, mostly of a new disk. other: anything else."""

SAID: dict[str, tuple[str, str]] = {
    "away": (
        N_("The backup's disk is away: nothing is mounted at %(mount)s. Nothing is written in its place."),
        N_(
            "Connect it: backups go on by themselves. It is lost? Mount a new one there, then type: bedside backup"
            " new-disk --home %(home)s"
        ),
    ),
    "empty": (
        N_("%(folder)s is empty: it is not on the disk that was set up for backups. Nothing is written there."),
        N_(
            "Is it a new disk, put in on purpose? Type: bedside backup new-disk --home %(home)s. Else connect the one"
            " of before: backups go on by themselves."
        ),
    ),
    "other": (
        N_("%(folder)s is not on the disk that was set up for backups, but on another. Nothing is written there."),
        N_(
            "Was it put in on purpose? Type: bedside backup new-disk --home %(home)s; what lies on it stays. Else"
            " connect the one of before: backups go on by themselves."
        ),
    ),
}


class Elsewhere(Unavailable):
    """The folder is not on the disk that was set up."""

    def __init__(self, found: Found, home: Path, told: Settings) -> None:
        what, remedy = SAID[found]
        super().__init__(what, remedy=remedy, **values(home, told))
        self.found = found


def values(home: Path, told: Settings) -> dict[str, str]:
    """What stands in SAID's words."""
    return {"folder": told.to, "mount": told.mount or told.to, "home": str(home)}


def mount_of(folder: Path) -> str:
    """Where the disk is mounted that a folder is on."""
    return str(next(place for place in (folder, *folder.parents) if place.is_mount()))


def mark(store: Store) -> str:
    """The word by which the disk is known: one that stands there stays, so that several homes may share a disk.

    Raises Unavailable.
    """
    with suppress(NotFound), store.reading(MARK) as there:
        if found := there.read().decode(errors="replace").strip():
            return found
    made = secrets.token_hex(16)
    with store.writing(MARK, over=True) as out:
        out.write(made.encode() + b"\n")
    return made


def look(home: Path, told: Settings) -> None:
    """Raises Elsewhere where the folder is not on the disk that was set up, Unavailable where it cannot be read."""
    store, folder = told.store, Place.typed(told.to).folder
    with suppress(NotFound), store.reading(MARK if told.mark else README) as there:
        if not told.mark or there.read().decode(errors="replace").strip() == told.mark:
            return
    if folder is None:
        raise Unavailable(
            f"{store.place} is not the place that was set up: its {README} is missing.",
            remedy="Look at the bucket. For a new one: bedside backup init --to s3://BUCKET/PREFIX.",
        )
    raise Elsewhere(_found(folder, told.mount), home, told)


def adopted(home: Path, told: Settings) -> Settings:
    """The same with its disk's word, where it was set up before there were words: known by its README so far, the disk
    gets one now. Raises as `look`."""
    look(home, told)
    folder = Place.typed(told.to).folder
    if told.mark or folder is None:
        return told
    found = msgspec.structs.replace(told, mark=mark(told.store), mount=mount_of(folder))
    settings.put(home, found)
    return found


def _found(folder: Path, mount: str) -> Found:
    if mount and not os.path.ismount(mount):
        return "away"
    with suppress(OSError):
        return "empty" if not folder.exists() or not any(folder.iterdir()) else "other"
    return "other"
