"""What a site chooses about its devices."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from bedside.foundation.database import Database
from bedside.foundation.errors import Invalid
from bedside.monitoring.rules.model.pressure import schemes

MOST: int = 100_000
MOST_DAYS: int = 3650
MOST_COPIES: int = 5
DEFAULT_MESSAGES: int = 2000
DEFAULT_DAYS: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """messages: how many a second each device may send (messages, not readings). A device above it is cut off, refused
    for a minute at every door, and named. Each process that takes readings counts for itself.
    wave_days: for how long waveforms are kept."""

    messages: int = DEFAULT_MESSAGES
    wave_days: int = DEFAULT_DAYS
    pressure: str = ""
    """The scheme by which blood pressure is put into categories (rules/tables/pressure.toml); "" for its first."""
    copies: int = 1
    """Servers of a NATS cluster that each keep what waits to land (JetStream's replicas)."""
    functions: bool = True
    """Whether functions that would need clearance begin switched on; app says no for a real clinic."""

    @classmethod
    def of_words(
        cls, messages: str, wave_days: str = "", pressure: str = "", copies: str = "", *, functions: bool = True
    ) -> Settings:
        """From the environment's words, "" for the default. Raises Invalid naming the variable."""
        return cls(
            messages=_whole("BEDSIDE_DEVICE_MESSAGES", messages, MOST, DEFAULT_MESSAGES),
            wave_days=_whole("BEDSIDE_WAVEFORM_DAYS", wave_days, MOST_DAYS, DEFAULT_DAYS),
            pressure=_one_of("BEDSIDE_PRESSURE_SCHEME", pressure, schemes()),
            copies=_whole("BEDSIDE_NATS_COPIES", copies, MOST_COPIES, 1),
            functions=functions,
        )


def _whole(name: str, word: str, most: int, default: int) -> int:
    if not word:
        return default
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= most):
        raise Invalid(f"{name} is a number from 1 to {most}.", where=name)
    return int(word)


def _one_of(name: str, word: str, those: tuple[str, ...]) -> str:
    if word and word not in those:
        raise Invalid(f"{name} is one of {', '.join(those)}.", where=name)
    return word or those[0]


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()
_DEFAULT = Settings()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database."""
    return _SETTINGS.get(database, _DEFAULT)
