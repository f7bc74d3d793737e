"""What a site chooses about its devices."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from bedside.foundation.database import Database
from bedside.foundation.errors import Invalid

MOST: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """messages: how many a second each device may send (messages, not readings). A device above it is cut off, refused
    for a minute at every door, and named. Each process that takes readings counts for itself."""

    messages: int = 2000
    functions: bool = True
    """Whether functions that would need clearance begin switched on; app says no for a real clinic."""

    @classmethod
    def of_words(cls, messages: str, *, functions: bool = True) -> Settings:
        """From an environment's word, "" for the default. Raises Invalid naming the variable."""
        if not messages:
            return cls(functions=functions)
        if not (messages.isascii() and messages.isdigit() and 1 <= int(messages) <= MOST):
            raise Invalid(f"BEDSIDE_DEVICE_MESSAGES is a number from 1 to {MOST}.", where="BEDSIDE_DEVICE_MESSAGES")
        return cls(messages=int(messages), functions=functions)


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()
_DEFAULT = Settings()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database."""
    return _SETTINGS.get(database, _DEFAULT)
