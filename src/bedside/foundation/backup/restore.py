"""Into an empty home: bases put together, the log played back, files laid down; nothing starts on it before it is done.

The marker `restoring` stands in the home from the first moment to the last. A restore that was killed begins anew: what
it had laid down is deleted, and nothing else ever is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bedside import __version__
from bedside.foundation import private
from bedside.foundation.backup import check, manifest, sealed, settings
from bedside.foundation.backup.basebackup import MEMBER
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.manifest import Set
from bedside.foundation.backup.store import Store, told
from bedside.foundation.engines import Postgres
from bedside.foundation.engines.postgres import binaries
from bedside.foundation.errors import Conflict, Unavailable
from bedside.foundation.home import RESTORING, Home, version_key

WORK = "restoring.work"
"""Bases before they are put together, and the log while it is played back."""
ROOM = 256 << 20
"""Bytes beyond the backup's own that must be free."""
PLAYING = 24 * 3600.0

Say = Callable[[str], None]
Step = Callable[[str, int, int], None]
"""What is done, bytes done, of how many."""


@dataclass(slots=True)
class Wish:
    """What to restore. until: the state at that moment; None: all. also_wal: a spool that outlived the rest."""

    store: Store
    key: RecoveryKey
    until: datetime | None = None
    line: str | None = None
    also_wal: Path | None = None


@dataclass(slots=True)
class Plan:
    """What will be read, known to be there before anything is written."""

    wish: Wish
    last: Set
    chain: list[Set]
    size: int
    plain: int

    @property
    def until(self) -> datetime:
        """Up to when what was acknowledged comes back."""
        return self.wish.until or self.last.until


def plan(wish: Wish) -> Plan:
    """Raises BedsideError: no backup there, not this moment, something missing."""
    found = check.listing(wish.store, wish.key.signer().public)
    if not found.sets:
        if all(each.endswith(manifest.FOREIGN) for each in found.problems):
            raise Conflict(
                f"This recovery key is not the one of the backups in {wish.store.place}.",
                remedy="Look for the sheet that names this place. If it is that one, somebody changed them all: take "
                "another copy.",
            )
        raise Conflict(found.problems[0], remedy="Check the recovery key and the folder.")
    last = check.pick(found.sets, wish.until, wish.line)
    if version_key(last.version) > version_key(__version__):
        raise Conflict(
            f"This backup was made by a newer Bedside ({last.version}; this is {__version__}).",
            remedy="Install that version, then type the same line. Nothing was written.",
        )
    objects = check.needs(found.sets, last)
    chain = manifest.chain(found.sets, last)
    return Plan(wish, last, chain, sum(each.size for each in objects), sum(each.plain for each in objects))


@contextmanager
def taken(home: Home, plan: Plan) -> Iterator[None]:
    """Hold an empty home for the restore, marked. Raises Conflict for one that holds anything, Unavailable: no room."""
    path = home.path
    marked = (path / RESTORING).exists()
    if path.exists() and not marked and {each.name for each in path.iterdir()} - {"lock"}:
        raise Conflict(f"{path} is not empty.", remedy="Name a new folder with --home: a restore overwrites nothing.")
    # Bases are put together beside each other, then the log is played back.
    needed, free = 2 * plan.plain + ROOM, settings.free(path)
    if free < needed:
        raise Unavailable(
            f"{free >> 20} MB are free at {path}, {needed >> 20} MB are needed.", remedy="Name a home on a larger disk."
        )
    home.hold()
    for each in path.iterdir() if marked else ():
        if each.name in {"lock", RESTORING}:
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
    private.write(path / RESTORING, f"since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, of {plan.last.folder}\n")
    try:
        yield
    except OSError as error:
        raise told(error, str(path)) from error


def lay_down(home: Home, plan: Plan, step: Step) -> None:
    """Bases, log and files into the marked home. Raises BedsideError."""
    work = home.path / WORK
    work.mkdir(mode=0o700)
    done = 0

    def tell(what: str) -> Callable[[int], None]:
        def more(many: int) -> None:
            nonlocal done
            done += many
            step(what, done, plan.size)

        return more

    # The log and the files first: a program that runs on will have replaced the newest of them in ten minutes.
    log = work / "wal"
    log.mkdir(mode=0o700)
    for piece in plan.last.wal:
        with sealed.opened(plan.wish.store, piece.sealed, plan.wish.key, tell("Log")) as plain:
            (log / piece.segment).write_bytes(_all(plain))
        if not piece.whole:
            # Sets of before kept one that was being laid out, as far as it was: zeros, and zeros were to come.
            os.truncate(log / piece.segment, manifest.SEGMENT)
    if plan.wish.also_wal is not None and plan.wish.until is None:
        _more_log(plan.wish.also_wal, log)
    for file in plan.last.files:
        where = home.path / file.path
        where.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if file.path == "bedside.json":
            where = home.path / WORK / "bedside.json"  # what makes a folder a home comes last
        with os.fdopen(os.open(where, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, file.mode), "wb") as out:
            for part in file.parts:
                with sealed.opened(plan.wish.store, part, plan.wish.key, tell("Files")) as plain:
                    shutil.copyfileobj(plain, out)
    bases = []
    for one in plan.chain:
        if one.base is None:
            continue
        where = work / one.id
        with sealed.opened(plan.wish.store, one.base, plan.wish.key, tell("Database")) as plain:
            _unpack(plain, where)
        bases.append(where)
    cluster = home.path / "postgres"
    cluster.mkdir(mode=0o700, exist_ok=True)  # its password may stand there by now
    step("Putting together", done, plan.size)
    if len(bases) == 1:
        bases[0].rename(cluster / "data")
    elif bases:
        _run("pg_combinebackup", "--link", "--manifest-checksums=NONE", "-o", str(cluster / "data"), *map(str, bases))
        for each in bases:
            shutil.rmtree(each)


def _more_log(spool: Path, log: Path) -> None:
    """A synchronous receiver's folder goes further than what was encrypted from it."""
    for path in spool.iterdir():
        segment = path.name.removesuffix(".partial")
        if len(segment) == 24 and path.stat().st_size == manifest.SEGMENT:
            shutil.copyfile(path, log / segment)


def _all(plain: sealed.Readable) -> bytes:
    parts = []
    while chunk := plain.read(1 << 20):
        parts.append(chunk)
    return b"".join(parts)


def _unpack(plain: sealed.Readable, where: Path) -> None:
    """A base as pg_basebackup streamed it, complete by the list that the server made of it."""
    where.mkdir(mode=0o700)
    sizes: dict[str, int] = {}
    with tarfile.open(fileobj=plain, mode="r|", bufsize=1 << 20) as tar:  # type: ignore[call-overload]
        for member in tar:
            path = where / member.name
            if ".." in path.parts or Path(member.name).is_absolute() or not (member.isfile() or member.isdir()):
                raise sealed.damaged(member.name, "is no file of a database")
            if member.isdir():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            source = tar.extractfile(member)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                while source is not None and (chunk := source.read(1 << 20)):
                    out.write(chunk)
            sizes[member.name] = member.size
    # pg_verifybackup would do this; in the wheel it does not run.
    for each in msgspec.json.decode((where / MEMBER).read_bytes())["Files"]:
        if sizes.get(each.get("Path", "")) != each["Size"]:
            raise sealed.damaged(str(each.get("Path")), "is not what the database had written")


def _run(name: str, *arguments: str) -> None:
    done = subprocess.run(
        [str(binaries() / name), *arguments], capture_output=True, text=True, check=False, env={"LC_ALL": "C"}
    )
    if done.returncode:
        raise Conflict(
            f"The bases could not be put together ({name}).",
            remedy=(done.stderr or done.stdout).strip().splitlines()[-1] if done.stderr or done.stdout else None,
        )


@contextmanager
def played_back(home: Home, plan: Plan, step: Step) -> Iterator[tuple[Postgres, datetime | None]]:
    """The database, running, its log played back to the end or to `until`; and the time of its last commit.

    It is stopped at the end. From the main thread. Raises BedsideError.
    """
    until = plan.wish.until
    postgres = _recover(home, plan, until, step)
    if postgres is None:
        # The log ends before the moment: all of it is from before, so all of it belongs.
        postgres = _recover(home, plan, None, step)
    if postgres is None:
        raise Unavailable("The database could not be restored.", remedy=home.postgres.last_words())
    try:
        newest = postgres.ask("select extract(epoch from pg_last_xact_replay_timestamp())")
        yield postgres, datetime.fromtimestamp(float(newest), UTC) if newest else None
    finally:
        postgres.stop()


def _recover(home: Home, plan: Plan, until: datetime | None, step: Step) -> Postgres | None:
    postgres = home.postgres
    postgres.settings |= {
        "restore_command": f'cp "../../{WORK}/wal/%f" "%p"',
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
        "hot_standby": "on",
        "archive_mode": "off",
        "summarize_wal": "off",
    }
    if until is not None:
        postgres.settings["recovery_target_time"] = until.astimezone(UTC).isoformat()
    (postgres.data / "recovery.signal").touch(0o600)
    postgres.log.unlink(missing_ok=True)
    process = postgres.launch()
    first = manifest.number(plan.last.start) * manifest.SEGMENT
    total = max(manifest.lsn_value(plan.last.reached) - first, 1)
    end = time.monotonic() + PLAYING
    while (lsn := _played(postgres)) != DONE:
        if not process.running() or time.monotonic() > end:
            words = postgres.log.read_text(errors="replace")
            postgres.stop()
            if until is not None and "before configured recovery target was reached" in words:
                return None
            raise Unavailable("The database could not be restored.", remedy=postgres.last_words())
        time.sleep(0.1)
        step("Playing back", max(manifest.lsn_value(lsn) - first, 0), total)
    return postgres


DONE = "done"


def _played(postgres: Postgres) -> str:
    """The LSN up to which the log is played back, or DONE once the database takes writes."""
    if not postgres.ready:  # it says so too when it only reads
        return "0/0"
    sql = f"select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text else '{DONE}' end"
    try:
        return postgres.ask(sql) or "0/0"
    except (Unavailable, subprocess.TimeoutExpired):
        return "0/0"


def page_faults(home: Home) -> str:
    """What pg_checksums says of the stopped cluster; "" when every page is what it was."""
    done = subprocess.run(
        [str(binaries() / "pg_checksums"), "--check", "-D", str(home.path / "postgres" / "data")],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


def complete(home: Home) -> None:
    """It may start from now on. Its backups begin a line of their own: the old home may still be alive somewhere."""
    told_ = settings.settings(home.path)
    if told_ is not None:
        settings.put(home.path, msgspec.structs.replace(told_, line=settings.new_line(), spool="", synchronous=False))
    (home.path / WORK / "bedside.json").replace(home.path / "bedside.json")
    shutil.rmtree(home.path / WORK)
    (home.path / RESTORING).unlink()


__all__ = ["Plan", "Wish", "complete", "lay_down", "page_faults", "plan", "played_back", "taken"]
