"""A search, taken apart: the typed values that grammar.py makes of a query string."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from bedside.fhir.definitions import SearchParameter, compartment
from bedside.fhir.issues import Issue

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Total = Literal["none", "estimate", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]


class TokenValue(NamedTuple):
    """`code` (system None), `|code` (system ""), `system|code`, `system|` (code None)."""

    system: str | None
    code: str | None
    type: tuple[str | None, str] | None = None  # for :of-type: the identifier type's system and code


class StringValue(NamedTuple):
    """A text as written and folded as the index folds it."""

    text: str
    folded: str


class DateValue(NamedTuple):
    """The span [low, high) in UTC that the written date means."""

    prefix: Prefix
    low: datetime
    high: datetime


class NumberValue(NamedTuple):
    """value and the range [low, high) its precision means."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal


class QuantityValue(NamedTuple):
    """As NumberValue, with unit. canonical_*: in the canonical unit of its kind, where UCUM knows it."""

    prefix: Prefix
    value: Decimal
    low: Decimal
    high: Decimal
    system: str | None
    code: str | None
    canonical_low: Decimal | None = None
    canonical_high: Decimal | None = None
    canonical_unit: str | None = None


class ReferenceValue(NamedTuple):
    """A sought target: type and id, or a bare id (type None), or a URL without version; or an identifier."""

    type: str | None
    id: str | None
    url: str | None = None
    identifier: TokenValue | None = None


class UriValue(NamedTuple):
    """A URI as written."""

    uri: str


class CompositeValue(NamedTuple):
    """One value for each component."""

    parts: tuple["Value", ...]


Value = TokenValue | StringValue | DateValue | NumberValue | QuantityValue | ReferenceValue | UriValue | CompositeValue


class Filter(msgspec.Struct, frozen=True):
    """One condition: any of values must match; several filters all must.

    missing: for :missing, whether the value must be absent; values is then empty.
    chain: the condition on the referred resource, whose type is one of targets; values is then empty.
    """

    parameter: SearchParameter
    modifier: str | None = None
    values: tuple[Value, ...] = ()
    missing: bool | None = None
    targets: tuple[str, ...] = ()
    chain: "Condition | None" = None


class Has(msgspec.Struct, frozen=True):
    """`_has:type:reference:…`: some resource of type refers here by reference and satisfies filter."""

    type: str
    reference: SearchParameter
    filter: "Filter | Has"


class Compartment(msgspec.Struct, frozen=True):
    """Being in a compartment (hl7.org/fhir/R4/compartmentdefinition.html): of a Patient, an Encounter, …, by id."""

    name: str
    id: str

    def codes(self, type_: str) -> tuple[str, ...]:
        """The reference parameters that place a type in it; () where a type is not in such a compartment."""
        return compartment(self.name).get(type_, ())


class Group(msgspec.Struct, frozen=True):
    """Conditions of which all hold (and), any (or), or none (not): what `_filter` makes."""

    how: Literal["and", "or", "not"]
    parts: "tuple[Condition, ...]"


Condition = Filter | Has | Compartment | Group


class Include(msgspec.Struct, frozen=True):
    """`_include` and `_revinclude`. source None: of every type (`_include=*`). parameter None: all references (`*`).
    target: restricts the type referred to."""

    source: str | None
    parameter: SearchParameter | None
    target: str | None = None
    iterate: bool = False


class Sort(msgspec.Struct, frozen=True):
    """One key of `_sort`."""

    parameter: SearchParameter
    descending: bool = False


class Query(msgspec.Struct, frozen=True):
    """A parsed search.

    types: the resource types searched (several only for a search across types). named: whether the caller named them.
    count: page size asked for, None for the server's default. cursor: the opaque `_cursor` of a page link.
    ignored: under lenient handling what was not understood, to be reported in the answer.
    """

    types: tuple[str, ...]
    named: bool = True
    filters: tuple[Condition, ...] = ()
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    cursor: str | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    ignored: tuple[Issue, ...] = ()
