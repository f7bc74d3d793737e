"""Countries a patient can say they are in, with the emergency number of each: places.toml beside this file."""

from __future__ import annotations

from functools import cache

import msgspec

from bedside.foundation.tables import table_of


class Country(msgspec.Struct, frozen=True):
    """code: ISO 3166-1 alpha-2. emergency: "" where it is not known. subdivisions: ISO 3166-2 code after the hyphen to
    its name."""

    code: str
    name: str
    emergency: str
    subdivisions: dict[str, str] = {}


class _Table(msgspec.Struct):
    version: str
    others: str
    country: list[Country]


@cache
def countries() -> tuple[Country, ...]:
    """Every country, those whose emergency number is known first."""
    table = table_of(__package__, "places.toml", _Table)
    return *table.country, *(Country(code, code, "") for code in table.others.split())


def country(code: str) -> Country | None:
    """The country with this code, if the table has it."""
    return next((c for c in countries() if c.code == code), None)
