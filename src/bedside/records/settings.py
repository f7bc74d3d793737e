"""What a site chooses about its record."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Literal, get_args

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
