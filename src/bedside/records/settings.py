"""What a site chooses about its record."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Invalid

Strictness = Literal["enforce", "warn", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """deletions: of what others refer to. references: to what is not there, in what is written.

    enforce: refused, naming them. warn: done, and the answer names them. off: not looked for.
    many: a conditional delete may meet several resources, and deletes them all.
    """

    deletions: Strictness = "enforce"
    references: Strictness = "off"
    many: bool = False

    @classmethod
    def of_words(cls, deletions: str, references: str, many: str) -> Settings:
        """From an environment's words, "" for the default. Raises Invalid naming the variable."""
        return cls(
            deletions=_strictness("BEDSIDE_DELETIONS", deletions, "enforce"),
            references=_strictness("BEDSIDE_REFERENCES", references, "off"),
            many=_yes("BEDSIDE_CONDITIONAL_DELETE_MANY", many),
        )


def _strictness(name: str, word: str, default: Strictness) -> Strictness:
    if not word:
        return default
    for known in get_args(Strictness):
        if word == known:
            return known  # type: ignore[no-any-return]
    raise Invalid(f"{name} is enforce, warn or off.", where=name)


def _yes(name: str, word: str) -> bool:
    if word.lower() in ("", "no", "false", "0"):
        return False
    if word.lower() in ("yes", "true", "1"):
        return True
    raise Invalid(f"{name} is yes or no.", where=name)


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()
_DEFAULT = Settings()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database."""
    return _SETTINGS.get(database, _DEFAULT)


class Errand(Protocol):
    """A process that works for this one: each message gets one answer."""

    async def ask(self, message: bytes) -> bytes: ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Lanes:
    """Processes over which an import is spread. start: makes one that answers `keep_part` for this ctx."""

    many: int
    start: Callable[[Ctx], Awaitable[Errand]]


_LANES: weakref.WeakKeyDictionary[Database, Lanes] = weakref.WeakKeyDictionary()


def use_lanes(database: Database, lanes: Lanes) -> None:
    """Large imports into this database are spread over these."""
    _LANES[database] = lanes


def lanes_of(database: Database) -> Lanes | None:
    """The lanes for imports into a database; None where imports stay in this process."""
    return _LANES.get(database)
