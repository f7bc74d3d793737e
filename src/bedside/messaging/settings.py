"""How notices leave this installation."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from bedside.foundation.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """demo: notices go to the outbox that anybody can read, and nowhere else.

    smtp: smtp://user:password@host:port or smtps://…, for e-mail; None: e-mail is held. sender: its From address.
    """

    demo: bool = False
    smtp: str | None = None
    sender: str = "bedside@localhost"


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database; without any, nothing leaves."""
    return _SETTINGS.get(database, Settings())
