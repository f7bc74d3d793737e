"""Writes the downtime copies: every five minutes one of each ward and programme and one of the clinic, sealed, into the
folder that `bedside downtime init` named, and beside them the handbook, once for each version. It lies best on a disk
that the ward's own machines reach without this one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from bedside import access
from bedside.app import handbook
from bedside.foundation import private, sealed, telemetry
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import BedsideError, Invalid, NotFound, Unavailable
from bedside.foundation.settings import Ground
from bedside.web.admin import shown
from bedside.web.downtime import sheet
from bedside.web.kit import Clinic

EVERY = 300.0
LOOK = 15.0
"""Seconds between looks at whether copies are asked for and due."""
BOOK = "handbook"
"""The folder beside the copies: what to do while nothing runs."""
README = "README.txt"
"""Beside the copies: what they are; and that this is the folder that was named, not the empty one under a share that is
away."""
WORDS = """\
Downtime copies of a Bedside: what a ward needs while nothing runs.

Open the file of your ward in Firefox, Chromium, Edge or Safari and type the words that stand on the ward's paper.
What to do then stands in handbook/index.html. Bedside writes the copies anew every five minutes.
"""
AGAIN = 60.0
"""Seconds after which a failed one is tried again."""

log = telemetry.logger("downtime")


class Told(msgspec.Struct, frozen=True):
    """HOME/downtime/settings.json. to: an absolute folder. The key lies apart, in keys/."""

    to: str
    salt: str
    rounds: int


class Wrote(msgspec.Struct, frozen=True):
    """HOME/downtime/state.json: when the last copies were written, and of how many patients. error: why not since."""

    at: datetime | None
    files: int
    patients: int
    error: str = ""


def _key(home: Path) -> Path:
    return home / "keys" / "downtime.key"


def init(home: Path, to: Path) -> str:
    """Where copies go from now on; returns the words that open them, which are kept nowhere. Raises Invalid."""
    to = to.absolute()
    if to == home or home in to.parents:
        raise Invalid(
            "The copies would lie in the home: with its disk they are gone too.",
            remedy="Name a folder that the wards reach without this machine, with --to.",
        )
    try:
        to.mkdir(mode=0o700, parents=True, exist_ok=True)
        private.write(to / README, WORDS, _open_to(to))
    except OSError as error:
        raise Invalid(
            "%(folder)s cannot be written: %(why)s.",
            remedy="Name a folder that Bedside may write, with --to.",
            folder=str(to),
            why=error.strerror or "refused",
        ) from error
    words = sealed.new_words()
    made = sealed.lock(words)
    private.write(_key(home), made.key.hex())
    told = Told(str(to), base64.b64encode(made.salt).decode(), made.rounds)
    private.write(home / "downtime" / "settings.json", msgspec.json.encode(told).decode())
    (home / "downtime" / "state.json").unlink(missing_ok=True)  # the first of them are due now
    return words


def told(home: Path) -> Told | None:
    """None where nobody has asked for copies."""
    try:
        return msgspec.json.decode((home / "downtime" / "settings.json").read_bytes(), type=Told)
    except FileNotFoundError:
        return None


def wrote(home: Path) -> Wrote | None:
    """None before the first."""
    try:
        return msgspec.json.decode((home / "downtime" / "state.json").read_bytes(), type=Wrote)
    except FileNotFoundError:
        return None


async def write(ctx: Ctx, home: Path) -> Wrote:
    """All copies as they stand now.

    Raises NotFound where none are asked for, Unavailable or OSError where the folder is away.
    """
    asked = told(home)
    if asked is None:
        raise NotFound("Nobody has asked for downtime copies.", remedy="bedside downtime init --to FOLDER")
    _there(Path(asked.to))
    mode = _open_to(Path(asked.to))
    lock = sealed.Lock(base64.b64decode(asked.salt), bytes.fromhex(_key(home).read_text()), asked.rounds)
    found = await access.clinics.known(ctx.database)
    clinic = shown(found) if found is not None else Clinic()
    async with access.work(ctx, "read the list of wards for the downtime copies", readonly=True) as inner:
        places = [place for place in await access.places(inner) if place.kind in {"ward", "programme"}]
    book = BOOK if handbook.stands(Path(asked.to) / BOOK) else None
    patients, names = 0, set[str]()
    for place in (None, *places):
        async with access.work(ctx, "wrote the downtime copy", readonly=True) as inner:
            copy = await sheet.gather(inner, place, clinic)
        page = await asyncio.to_thread(sheet.sealed, copy, clinic, lock, book)
        names.add(name := f"{copy.key}.html")
        await asyncio.to_thread(private.write, Path(asked.to) / name, page, mode)
        patients += len(copy.sheets) if place is not None else 0
    _forget(Path(asked.to), names)
    await asyncio.to_thread(_book, Path(asked.to) / BOOK, clinic)
    done = Wrote(ctx.clock.now(), len(names), patients)
    private.write(home / "downtime" / "state.json", msgspec.json.encode(done).decode())
    return done


def _there(folder: Path) -> None:
    """It is the folder that was named: written into the empty one under a share that is away, the copies would reach
    nobody, and nobody would know. Raises Unavailable."""
    if (folder / README).exists():
        return
    if not any(_copies(folder)):
        raise Unavailable(
            "%(folder)s is not the folder that was named: its README.txt is missing.",
            remedy="Is the share connected? For another folder: bedside downtime init --to FOLDER.",
            folder=str(folder),
        )
    private.write(folder / README, WORDS, _open_to(folder))  # copies of before there was one


def _open_to(folder: Path) -> int:
    """The mode of what lies there: whoever may read the folder may read the copies, which are sealed."""
    return 0o600 | (folder.stat().st_mode & 0o044)


def _book(to: Path, clinic: Clinic) -> None:
    """Once for each version and clinic, and after the copies: they come first where the disk is nearly full."""
    try:
        handbook.keep(to, clinic.language or "en", clinic)
        _open_as(to, _open_to(to.parent))
    except Exception as error:  # whatever hinders it must not keep the wards from their copies
        log.warning("the handbook could not be written beside the downtime copies", exc_info=error)


def _open_as(folder: Path, mode: int) -> None:
    """Whatever the process's umask made of it."""
    for place, _, names in os.walk(folder):
        inside = 0o100 | mode | (mode & 0o044) >> 2
        for path, wanted in ((Path(place), inside), *((Path(place) / name, mode) for name in names)):
            if path.stat().st_mode & 0o777 != wanted:
                path.chmod(wanted)


def _forget(folder: Path, names: set[str]) -> None:
    """A copy of a ward that there is no more would grow old for ever: who opened it would be misled."""
    for file in _copies(folder):
        if file.name not in names:
            file.unlink(missing_ok=True)


def _copies(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob("*.html") if b'data-box="' in file.read_bytes()[:8192])


@contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Whether this process is the one that writes: several workers may stand on one home."""
    (home / "downtime").mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(home / "downtime" / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _due(at: datetime, now: datetime) -> bool:
    return (now - at).total_seconds() >= EVERY - LOOK / 2


def _why(error: Exception) -> str:
    """For doctor and the status page: never what a foreign error quotes."""
    if isinstance(error, BedsideError):
        return f"{error.message} {error.remedy or ''}".strip()
    if isinstance(error, OSError):
        return f"{error.filename or 'The folder'}: {error.strerror}."
    return type(error).__name__


async def _keep_writing(ground: Ground) -> None:
    home = ground.settings.home
    ctx = ground.ctx(Actor("job", "downtime", "downtime copy", roles=frozenset({"system"})), origin="downtime")
    while True:
        wait = LOOK
        try:
            if told(home) is not None:
                last = wrote(home)
                with _alone(home) as mine:
                    if mine and (last is None or last.at is None or last.error or _due(last.at, ground.clock.now())):
                        await write(ctx, home)
        except Exception as error:  # the engines may be away: what lies there stands, and grows old in plain sight
            log.warning("the downtime copies could not be written", exc_info=error)
            with contextlib.suppress(OSError, msgspec.DecodeError):
                last = wrote(home) or Wrote(None, 0, 0)
                failed = msgspec.structs.replace(last, error=_why(error))
                private.write(home / "downtime" / "state.json", msgspec.json.encode(failed).decode())
            wait = AGAIN
        await asyncio.sleep(wait)


@asynccontextmanager
async def writing(ground: Ground) -> AsyncIterator[None]:
    """The worker: for as long as it runs."""
    task = asyncio.create_task(_keep_writing(ground))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
