"""What a home was told about its backups, and how they stand: small files in HOME/backup/."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from bedside.foundation import private
from bedside.foundation.backup.keys import Signer
from bedside.foundation.backup.places import Place
from bedside.foundation.backup.store import Store
from bedside.foundation.errors import Conflict, NotFound
from bedside.foundation.home import Home

FOLDER = "backup"
WINDOW = 15
"""Seconds between two looks at the log."""
MOST_WINDOW = 40
"""With this, and the seconds that a look takes, what is lost at the worst is less than a minute."""

T = TypeVar("T", bound=msgspec.Struct)


class Settings(msgspec.Struct, frozen=True):
    """backup/settings.json."""

    to: str
    recipient: str
    line: str
    every_hours: float = 24
    full_days: float = 7
    keep_days: float = 30
    window: float = WINDOW
    synchronous: bool = False
    """A commit is acknowledged only once the log's copy is on the disk of `spool` too."""
    spool: str = ""
    """Where the log comes in before it is encrypted: another disk, for `synchronous`; else in the home."""
    also: tuple[str, ...] = ()
    """Files outside the home that are kept with it: certificates, serve's configuration."""
    endpoint: str = ""
    """Of an S3-like store; "" is Amazon's. Its access key stands nowhere here: in keys_file, or the environment."""
    region: str = ""
    keys_file: str = ""
    conditional: bool = True
    """Whether that store refuses to write over what another wrote."""

    mark: str = ""
    """Of the disk that a folder is on (see disk); "" of a store, and of what was set up before there were marks."""
    mount: str = ""
    """Where that disk was mounted."""

    @property
    def store(self) -> Store:
        """Where to."""
        place = Place(self.to, self.endpoint, self.region, self.keys_file)
        return place.store(conditional=self.conditional, mark=self.mark)


class State(msgspec.Struct):
    """backup/state.json: how it went, for doctor and for commands that wait."""

    line: str = ""
    """Of which this is said: another place that was set up since has a line of its own."""
    set: str = ""
    n: int = 0
    until: datetime | None = None
    based: datetime | None = None
    tried: datetime | None = None
    error: str = ""
    remedy: str = ""
    place: str = ""
    """Where the folder is not on the disk that was set up: disk.Found."""
    done: int = 0
    """Bytes of the base under way."""
    total: int = 0
    answered: str = ""
    """The newest wish that was fulfilled or failed (see ask)."""
    answer: str = ""


class Drill(msgspec.Struct):
    """backup/drill.json: the newest drill."""

    at: datetime
    good: bool
    set: str
    until: datetime
    seconds: float
    bytes: int
    words: list[str]


def folder(home: Path) -> Path:
    """HOME/backup."""
    return home / FOLDER


def settings(home: Path) -> Settings | None:
    """None where no backups were set up. Raises Conflict for a file that is none."""
    return _read(folder(home) / "settings.json", Settings)


def needed(home: Path) -> Settings:
    """Raises NotFound where no backups were set up."""
    Home(home).mine()
    found = settings(home)
    if found is None:
        raise NotFound(
            f"No backups are set up for {home}.", remedy="Run: bedside backup init --to FOLDER (on another disk)."
        )
    return found


def state(home: Path) -> State:
    """An empty one where nothing was done yet."""
    return _read(folder(home) / "state.json", State) or State()


def drill(home: Path) -> Drill | None:
    """None where none was made."""
    return _read(folder(home) / "drill.json", Drill)


def put(home: Path, what: Settings | State | Drill) -> None:
    """Write it, whole."""
    name = type(what).__name__.lower()
    private.write(folder(home) / f"{name}.json", msgspec.json.encode(what).decode())


def signer(home: Path) -> Signer:
    """The home's half of the recovery key. Raises NotFound."""
    path = home / "keys" / "backup.pem"
    if not path.exists():
        raise NotFound(f"{path} is missing.", remedy="Set the backups up again: bedside backup init.")
    return Signer.of_pem(path.read_text())


def new_line() -> str:
    """The name of a line of sets: one home, from its start or its restore on."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def ask(home: Path) -> str:
    """Ask the running program for a backup now; the wish's name, which state.answered will tell."""
    wish = secrets.token_hex(8)
    private.write(folder(home) / "wanted", wish)
    return wish


def wanted(home: Path) -> str:
    """The wish that stands, "" for none."""
    path = folder(home) / "wanted"
    return path.read_text() if path.exists() else ""


def _read(path: Path, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise Conflict(
            f"{path} is another user's, and Bedside may not read it.",
            remedy="Give the whole home to Bedside's user: chown -R.",
        ) from error
    except (msgspec.DecodeError, OSError) as error:
        raise Conflict(f"{path} cannot be read.", remedy="Set the backups up again: bedside backup init.") from error


def free(path: Path) -> int:
    """Bytes free where path is or will be."""
    place = next(parent for parent in (path, *path.absolute().parents) if parent.is_dir())
    stat = os.statvfs(place)
    return stat.f_bavail * stat.f_frsize
