"""What a resource says under each search parameter of its type: the values a store keeps to find it again."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec


class Token(NamedTuple):
    """A coded value. system: None where none is stated. code: None where only display or text stands."""

    param: str
    system: str | None
    code: str | None
    text: str | None = None  # display or CodeableConcept.text, as written: for :text
    type: str | None = None  # Identifier.type as `system|code`: for :of-type


class String(NamedTuple):
    """A text. folded: without accents, case or punctuation runs, for plain search; exact: as written."""

    param: str
    folded: str
    exact: str


class Date(NamedTuple):
    """A span of time [low, high) in UTC."""

    param: str
    low: datetime
    high: datetime


class Number(NamedTuple):
    """A number and the range [low, high) its written precision means."""

    param: str
    value: Decimal
    low: Decimal
    high: Decimal


class Quantity(NamedTuple):
    """A quantity as written and, where its UCUM unit is known, in the canonical unit of its kind.

    low and high: range of the written precision; None for an open end (a Range, or a comparator).
    """

    param: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    system: str | None
    code: str | None
    unit: str | None
    canonical_low: Decimal | None = None
    canonical_high: Decimal | None = None
    canonical_unit: str | None = None


class ReferenceTo(NamedTuple):
    """A reference. type and id for a relative one; url for all as written; identifier for a logical one."""

    param: str
    type: str | None
    id: str | None
    url: str | None
    identifier_system: str | None = None
    identifier_value: str | None = None


class Uri(NamedTuple):
    """A URI or canonical, as written without its version."""

    param: str
    uri: str
    version: str | None = None


class Composite(NamedTuple):
    """One tuple of component values that stand together; parts in the order of the parameter's components."""

    param: str
    parts: tuple[tuple[Any, ...], ...]  # per component the values (Token, Quantity, …) found there


class Index(msgspec.Struct):
    """Everything to be found in one resource, by kind."""

    tokens: list[Token] = []
    strings: list[String] = []
    dates: list[Date] = []
    numbers: list[Number] = []
    quantities: list[Quantity] = []
    references: list[ReferenceTo] = []
    uris: list[Uri] = []
    composites: list[Composite] = []


def extract(resource: Mapping[str, Any]) -> Index:
    """The index values of every search parameter of the resource's type, `_id`, `_tag` and such included."""
    raise NotImplementedError(resource)
