"""Whose clinic this is: what every page, notice and rule of place goes by, and how each fact is read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from babel.core import get_global

from bedside.foundation.errors import Invalid
from bedside.foundation.tables import table_of

FIELDS = ("name", "country", "zone", "language", "units", "telephone", "emergency")
UNITS = ("metric", "us")
LONGEST = 80


class Clinic(msgspec.Struct, frozen=True):
    """zone: IANA. country: ISO 3166-1 alpha-2, where the clinic is established: licences are judged from there.

    language: of notices and pages for who has chosen none. units: metric or us, likewise. emergency: as dialled. n: how
    often it was said before and now; by_name, at: by whom and when, empty until it is kept. self_registration: whether
    people may ask at /register to be taken in; a member of staff answers each.
    """

    name: str
    country: str
    zone: str
    language: str
    units: str
    telephone: str
    emergency: str
    n: int = 0
    by_name: str = ""
    at: datetime | None = None
    self_registration: bool = False


def read(typed: Mapping[str, str]) -> Clinic:
    """Every field as it was typed, checked in the order of FIELDS. Raises Invalid (where: the field)."""
    return msgspec.convert({name: checked(name, typed.get(name, "")) for name in FIELDS}, Clinic)


def checked(field: str, typed: str) -> str:
    """One field as it is kept. Raises Invalid saying what is wrong and how it should read (where: the field)."""
    text = " ".join(typed.split())
    if not text:
        raise Invalid("This is missing.", where=field)
    if len(text) > LONGEST:
        raise Invalid("This is longer than %(most)s characters.", where=field, most=LONGEST)
    match field:
        case "country":
            text = text.upper()
            if text not in countries():
                raise Invalid("There is no such country.", where=field, remedy="Write its two letters: ES, US.")
        case "zone":
            if text not in available_timezones():
                raise Invalid("There is no such time zone.", where=field, remedy="Write it as Europe/Madrid.")
        case "language":
            text = text.lower()
            if len(text) != 2 or not text.isalpha():
                raise Invalid("A language is written as two letters.", where=field, remedy="Write it as en or es.")
        case "units":
            text = text.lower()
            if text not in UNITS:
                raise Invalid("Units are metric or us.", where=field)
        case "telephone":
            if not _dialled(text) or sum(one.isdigit() for one in text) < 5:
                raise Invalid(
                    "This is no telephone number.", where=field, remedy="Digits, spaces and a plus: +34 910 000 000."
                )
        case "emergency":
            if not _dialled(text) or sum(one.isdigit() for one in text) < 2:
                raise Invalid("This is no number to dial.", where=field, remedy="As it is dialled: 112, 911.")
        case _:
            pass
    return text


def _dialled(text: str) -> bool:
    return all(one.isascii() and (one.isdigit() or one in " +-()") for one in text)


NO_COUNTRY = frozenset("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split())
"""Of CLDR's those that ISO 3166-1 gives to no country: reserved, groups of countries, trials of software."""


@cache
def countries() -> dict[str, str]:
    """Two letters to the English name, of every country: ISO 3166-1, and Kosovo by the code that is usual (XK)."""
    found = Locale("en").territories
    two = {code: str(name) for code, name in found.items() if len(code) == 2 and code.isalpha()}
    return {code: name for code, name in two.items() if code not in NO_COUNTRY}


def country_of(zone: str) -> str | None:
    """The country that a time zone lies in."""
    found = get_global("zone_territories").get(zone)
    return str(found) if found in countries() else None


class _Number(msgspec.Struct):
    number: str
    country: list[str]
    source: str


class _Table(msgspec.Struct):
    version: str
    number: list[_Number]


def emergency_of(country: str) -> str | None:
    """The emergency number to offer for a country: a row of emergency.toml."""
    return next((row.number for row in _table().number if country in row.country), None)


@cache
def _table() -> _Table:
    return table_of(__package__, "emergency.toml", _Table)
