"""What an installation decides about access. app makes one for its database; nothing here is read from the air."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bedside.foundation.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """home: where keys and the audit's head file stand, outside the database. demo: shows one button a person.

    public_url: the address people type; passkeys are bound to its host, cookies are Secure when it is https.
    """

    home: Path
    public_url: str = "http://localhost:8000"
    demo: bool = False
    idle_staff: timedelta = timedelta(minutes=15)
    idle_patient: timedelta = timedelta(minutes=30)
    life_staff: timedelta = timedelta(hours=13)
    """One long shift."""
    life_patient: timedelta = timedelta(days=1)
    warning: timedelta = timedelta(seconds=60)
    """Told this long before the idle limit; WCAG 2.2 SC 2.2.1 asks for at least 20 s."""
    emergency: timedelta = timedelta(hours=4)
    """How long emergency access lasts (site choice)."""
    answer_after: float = 0.35
    """Seconds that every answer of the sign-in page takes at least, so that its time tells nothing."""

    @property
    def secure(self) -> bool:
        """Whether cookies are Secure and carry the __Host- prefix."""
        return self.public_url.startswith("https://")


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database. Raises RuntimeError before `use`."""
    try:
        return _SETTINGS[database]
    except KeyError:
        raise RuntimeError("access has no settings for this database: call access.settings.use first") from None
