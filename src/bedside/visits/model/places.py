"""Countries a patient can say they are in, with the emergency number of each: places.toml beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec


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
    text = resources.files(__package__).joinpath("places.toml").read_text(encoding="utf-8")
    table = msgspec.convert(tomllib.loads(text), _Table)
    return *table.country, *(Country(code, code, "") for code in table.others.split())


def country(code: str) -> Country | None:
    """The country with this code, if the table has it."""
    return next((c for c in countries() if c.code == code), None)
