"""The home's own files: keys, the signed heads of the audit, what rooms keep there. All but what is named here."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bedside.foundation import telemetry
from bedside.foundation.backup.manifest import Kept
from bedside.foundation.backup.sealed import SUFFIX, Sealed, seal
from bedside.foundation.backup.store import Store
from bedside.foundation.errors import Unavailable

log = telemetry.logger("backup")

LEFT = frozenset(
    {"postgres", "nats", "turn", "logs", "metrics", "backup", "lock", "running.json", "started.json", "restoring"}
)
"""The database is kept by its log; NATS holds moments that Bedside has not acknowledged, so devices send them again,
and its logins are made anew; the rest tells of a running program."""
BESIDE = ("postgres/secret", "backup/settings.json", "backup/drill.json")
"""Kept all the same: the database knows its password only as a hash."""
GROWING = frozenset({"audit/heads"})
"""Only ever appended to, line by line: what is kept of it is kept, and the rest is kept beside it."""
ALSO = "also"
"""Where files from outside the home stand when they are restored: also/etc/…"""
TAIL = 4 << 20
"""Bytes beside from which on a growing file is kept anew with the next base."""


def found(home: Path, also: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Every file that is kept: its path in a home, and where it is."""
    for top in sorted(home.iterdir()):
        if top.name in LEFT:
            continue
        inside = [top] if top.is_file() else [Path(place) / name for place, _, names in os.walk(top) for name in names]
        for path in sorted(inside):
            if path.is_file() and not path.is_symlink() and path.suffix != ".new":
                yield path.relative_to(home).as_posix(), path
    for name in BESIDE:
        if (home / name).is_file():
            yield name, home / name
    for name in also:
        yield f"{ALSO}/{name.lstrip('/')}", Path(name)


def keep(
    store: Store,
    recipient: str,
    under: str,
    home: Path,
    also: tuple[str, ...],
    before: Mapping[str, Kept],
    *,
    anew: bool,
) -> list[Kept]:
    """Seal what is new or changed since `before`; what stands now. anew: growing files whose rest has grown large.

    under: of the names of new objects. A file that goes away meanwhile is left out. Raises Unavailable.
    """
    kept: list[Kept] = []
    for n, (name, path) in enumerate(found(home, also)):
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                mark = f"{stat.st_size}.{stat.st_mtime_ns}"
                old = before.get(name)
                if old is not None and old.mark == mark:
                    kept.append(old)
                    continue
                place = f"{under}-{n}"
                if name in GROWING:
                    parts = _grown(store, recipient, place, file.read(), old, anew=anew)
                else:
                    parts = (seal(store, place + SUFFIX, file, recipient),)
                kept.append(Kept(name, stat.st_mode & 0o777, parts, mark))
        except FileNotFoundError as error:
            if name.startswith(ALSO):
                log.warning("a file outside the home cannot be read", file=name, why=error.strerror)
        except PermissionError as error:
            raise Unavailable(
                f"{path} may not be read by the user that Bedside runs as: the backup would lack it.",
                remedy="Give it to that user (chown).",
            ) from error
    return kept


def _grown(
    store: Store, recipient: str, place: str, whole: bytes, old: Kept | None, *, anew: bool
) -> tuple[Sealed, ...]:
    """Its first part as it was, and the rest; a torn last line belongs to the rest."""
    first = old.parts[0] if old is not None else None
    if first is None or len(whole) < first.plain or (anew and len(whole) - first.plain > TAIL):
        lines = whole[: whole.rfind(b"\n") + 1]
        first = seal(store, f"{place}{SUFFIX}", io.BytesIO(lines), recipient)
    rest = whole[first.plain :]
    return (first, seal(store, f"{place}-rest{SUFFIX}", io.BytesIO(rest), recipient)) if rest else (first,)
