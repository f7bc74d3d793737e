"""The kinds of values by which a resource is found; index.py fills them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec


class Token(NamedTuple):
    """A coded value. system: None where none is stated. code: None where only a text stands.

    text: display or CodeableConcept.text, as written, for :text. type: Identifier.type as `system|code`, for :of-type.
    """

    param: str
    system: str | None
    code: str | None
    text: str | None = None
    type: str | None = None


class String(NamedTuple):
    """A text. folded: as texts.fold makes it, for plain search; exact: as written."""

    param: str
    folded: str
    exact: str


class Date(NamedTuple):
    """A span of time [low, high) in UTC; an open end is dates.EARLIEST or dates.LATEST."""

    param: str
    low: datetime
    high: datetime


class Number(NamedTuple):
    """A number."""

    param: str
    value: Decimal


class Quantity(NamedTuple):
    """A quantity, from low to high (the same for all but a Range or a comparator; None for an open end).

    canonical_*: the same in the canonical unit of its kind (quantities.canonical), None where UCUM does not know it.
    """

    param: str
    low: Decimal | None
    high: Decimal | None
    system: str | None
    code: str | None
    unit: str | None
    canonical_low: Decimal | None = None
    canonical_high: Decimal | None = None
    canonical_unit: str | None = None


class ReferenceTo(NamedTuple):
    """A reference. type and id: of a relative one (id also tells it apart: None for all others).

    url: of an absolute, canonical or urn reference, without version. identifier_*: of a logical reference.
    """

    param: str
    type: str | None
    id: str | None
    url: str | None = None
    identifier_system: str | None = None
    identifier_value: str | None = None


class Uri(NamedTuple):
    """A URI as written; a canonical without its version, which stands beside it."""

    param: str
    uri: str
    version: str | None = None


class Composite(NamedTuple):
    """Component values that stand together: per component, in the parameter's order, the values found there."""

    param: str
    parts: tuple[tuple[Any, ...], ...]


class Index(msgspec.Struct):
    """Everything to be found in one resource, by kind. Repeats of one value are left out by `extract`.

    parts: where asked for, what stands in each item of an array that a composite parameter looks into
    (`Observation.component`), in order; it is then not in the lists above.
    """

    tokens: list[Token] = []
    strings: list[String] = []
    dates: list[Date] = []
    numbers: list[Number] = []
    quantities: list[Quantity] = []
    references: list[ReferenceTo] = []
    uris: list[Uri] = []
    composites: list[Composite] = []
    parts: list["Index"] = []
