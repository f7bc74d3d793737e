"""Search by looking at every resource, one condition after the other, as the standard words it: slow, easy to check.

hl7.org/fhir/R4/search.html. It shares with the store what a resource says (bedside.fhir.index), and nothing else.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bedside.fhir.grammar import (
    DateValue,
    Filter,
    Has,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from bedside.fhir.index import Index, extract

_KINDS = {
    "token": "tokens",
    "string": "strings",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "reference": "references",
    "uri": "uris",
}


class Shelf:
    """Resources in memory, searched naively."""

    def __init__(self, resources: Iterable[dict[str, Any]]) -> None:
        self.resources = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        self.indexes: dict[str, Index] = {name: extract(one) for name, one in self.resources.items()}

    def search(self, type_: str, filters: Iterable[Filter | Has]) -> set[str]:
        """Ids of the resources of the type that satisfy every filter."""
        wanted = list(filters)
        names = [name for name in self.resources if name.startswith(f"{type_}/")]
        return {name.partition("/")[2] for name in names if all(self.satisfies(name, one) for one in wanted)}

    def values(self, name: str, code: str, kind: str) -> list[Any]:
        """What a resource says under a parameter."""
        return [one for one in getattr(self.indexes[name], _KINDS[kind]) if one.param == code]

    def satisfies(self, name: str, filter_: Filter | Has) -> bool:
        """Whether a resource satisfies a filter."""
        if isinstance(filter_, Has):
            return any(
                f"{link.type}/{link.id}" == name
                for other in self.resources
                if other.startswith(f"{filter_.type}/") and self.satisfies(other, filter_.filter)
                for link in self.values(other, filter_.reference.code, "reference")
            )
        found = self.values(name, filter_.parameter.code, filter_.parameter.type)
        if filter_.missing is not None:
            return (not found) is filter_.missing
        if filter_.chain is not None:
            return any(
                link.type in filter_.targets
                and f"{link.type}/{link.id}" in self.resources
                and self.satisfies(f"{link.type}/{link.id}", filter_.chain)
                for link in found
            )
        hit = any(matches(value, sought, filter_.modifier) for value in found for sought in filter_.values)
        return not hit if filter_.modifier == "not" else hit


def matches(value: Any, sought: Any, modifier: str | None) -> bool:
    """Whether one value of a resource is what is sought."""
    match sought:
        case TokenValue(system, code, type_):
            if type_ is not None:
                return bool(value.code == code and value.type == f"{type_[0] or ''}|{type_[1]}")
            return (code is None or value.code == code) and (system is None or (value.system or "") == system)
        case StringValue(text, folded):
            if modifier == "exact":
                return bool(value.exact == text)
            return bool(folded in value.folded) if modifier == "contains" else value.folded.startswith(folded) is True
        case UriValue(uri):
            if modifier == "below":
                return value.uri.startswith(uri) is True
            return bool(value.uri == uri)
        case ReferenceValue(type_, id_, url, identifier):
            if identifier is not None:
                return value.identifier_value == identifier.code and (
                    identifier.system is None or (value.identifier_system or "") == identifier.system
                )
            if url is not None:
                return bool(value.url == url)
            return bool(value.id == id_ and type_ in (None, value.type))
        case DateValue(prefix, low, high):
            return _date(prefix, value, low, high)
        case QuantityValue():
            return _quantity(value, sought)
        case NumberValue(prefix, number, low, high):
            return _number(prefix, value.value, number, low, high)
    raise AssertionError(sought)


def _date(prefix: str, value: Any, low: Any, high: Any) -> bool:
    within = low <= value.low and value.high <= high
    return bool(
        {
            "eq": within,
            "ne": not within,
            "gt": value.high > high,
            "ge": value.high > high or within,
            "lt": value.low < low,
            "le": value.low < low or within,
            "sa": value.low >= high,
            "eb": value.high <= low,
            "ap": value.low < high and value.high > low,
        }[prefix]
    )


def _number(prefix: str, value: Decimal, number: Decimal, low: Decimal, high: Decimal) -> bool:
    near = sorted((number * Decimal("0.9"), number * Decimal("1.1")))
    return {
        "eq": low <= value < high,
        "ne": not low <= value < high,
        "gt": value > number,
        "ge": value >= number,
        "lt": value < number,
        "le": value <= number,
        "sa": value >= high,
        "eb": value < low,
        "ap": near[0] <= value <= near[1],
    }[prefix]


def _quantity(value: Any, sought: QuantityValue) -> bool:
    ends = {value.low, value.high} - {None}
    plain = any(_number(sought.prefix, end, sought.value, sought.low, sought.high) for end in ends)
    if sought.code is None:
        return plain
    if sought.system is None:
        return plain and sought.code in (value.code, value.unit)
    if plain and (value.system, value.code) == (sought.system, sought.code):
        return True
    if sought.canonical_unit is None or sought.canonical_unit != value.canonical_unit:
        return False
    low, high = sought.canonical_low, sought.canonical_high
    assert low is not None
    assert high is not None
    ends = {value.canonical_low, value.canonical_high} - {None}
    return any(_number(sought.prefix, end, (low + high) / 2, low, high) for end in ends)
