"""What is kept, and whether it is whole: by the signatures and hashes alone, or by the key, every byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bedside.foundation.backup import manifest, sealed
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.manifest import Set
from bedside.foundation.backup.sealed import Sealed, damaged
from bedside.foundation.backup.store import Store
from bedside.foundation.errors import BedsideError, NotFound, Unprocessable


@dataclass(slots=True)
class Listing:
    """The sets that can be read, oldest first, and what is wrong with the others, a sentence each."""

    sets: list[Set] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    public: Ed25519PublicKey | None = None


def listing(store: Store, public: Ed25519PublicKey) -> Listing:
    """Raises NotFound where there is no backup at all."""
    found = Listing(public=public)
    ids = manifest.ids(store)
    if not ids:
        near = manifest.near(store)
        remedy = f"There is one in {near}: name that folder." if near else "Is the right disk connected?"
        raise NotFound(f"There is no Bedside backup in {store.place}.", remedy=remedy)
    for line, id_ in ids:
        try:
            found.sets.append(manifest.read(store, line, id_, public))
        except BedsideError as error:
            found.problems.append(error.message)
    found.sets.sort(key=lambda one: one.began)
    return found


def pick(sets: list[Set], until: datetime | None, line: str | None) -> Set:
    """The set from which to restore the newest state, or the state at `until`.

    Raises Unprocessable naming the moments that can be restored.
    """
    mine = [one for one in sets if (line is None or one.line == line) and one.kind != "files"]
    if not mine and until is None and (rest := [one for one in sets if line is None or one.line == line]):
        return max(rest, key=lambda one: one.until)  # others run the database: the files alone
    if not mine:
        raise NotFound("There is no set of a database that could be restored.")
    if until is None:
        return max(mine, key=lambda one: one.until)
    ready = [one for one in mine if one.ended <= until <= one.until]
    if not ready:
        spans = "; ".join(f"{one.ended:%Y-%m-%d %H:%M:%S} to {one.until:%Y-%m-%d %H:%M:%S}" for one in mine[-10:])
        raise Unprocessable(
            f"{until:%Y-%m-%d %H:%M:%S} UTC cannot be restored.", remedy=f"These moments can be (UTC): {spans}."
        )
    return max(ready, key=lambda one: one.ended)


def needs(sets: list[Set], last: Set) -> list[Sealed]:
    """Every object that restoring this set reads. Raises Conflict: a set of its chain is missing, its log has a gap."""
    if not manifest.whole_log(last):
        raise damaged(last.folder, "has a gap in the database's log")
    before = [one.base for one in manifest.chain(sets, last)[:-1] if one.base is not None]
    return [*before, *last.objects]


def verify(
    store: Store, found: Listing, key: RecoveryKey | None, tell: Callable[[int, int], None]
) -> tuple[int, list[str]]:
    """Look at every object of every set once; how many, and what is wrong. tell: bytes done, of all.

    key: open each too, to its last byte.
    """
    problems = list(found.problems)
    wanted: dict[str, Sealed] = {}
    for one in found.sets:
        try:
            wanted |= {each.name: each for each in needs(found.sets, one)}
        except BedsideError as error:
            problems.append(error.message)
    total = sum(each.size for each in wanted.values())
    for each in wanted.values():

        def done(many: int) -> None:
            tell(many, total)

        try:
            if key is None:
                sealed.look(store, each, done)
            else:
                with sealed.opened(store, each, key, done) as plain:
                    while plain.read(sealed.CHUNK):
                        pass
        except BedsideError as error:
            # A program that runs on may have put a newer one in its place meanwhile.
            if not isinstance(error, NotFound) or _named(store, found, each.name):
                problems.append(error.message)
    return len(wanted), problems


def _named(store: Store, found: Listing, name: str) -> bool:
    """Whether any manifest of now names this object."""
    if found.public is None:
        return True
    return any(each.name == name for one in listing(store, found.public).sets for each in one.objects)
