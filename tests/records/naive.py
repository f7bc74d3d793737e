"""Search by looking at every resource, one condition after the other, as the standard words it: slow, easy to check.

hl7.org/fhir/R4/search.html. It shares with the store what a resource says (bedside.fhir.index), and nothing else.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bedside.fhir import terminology
from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import (
    CompositeValue,
    DateValue,
    Has,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
)
from bedside.fhir.index import Index, Uri, extract
from bedside.fhir.query import Compartment, Condition, Group, Include, Sort
from bedside.fhir.texts import fold

_KINDS = {
    "token": "tokens",
    "string": "strings",
    "date": "dates",
    "number": "numbers",
    "quantity": "quantities",
    "reference": "references",
    "uri": "uris",
    "composite": "composites",
}


class Shelf:
    """Resources in memory, searched naively."""

    def __init__(self, resources: Iterable[dict[str, Any]]) -> None:
        self.resources = {f"{one['resourceType']}/{one['id']}": one for one in resources}
        self.indexes: dict[str, Index] = {name: extract(one) for name, one in self.resources.items()}

    def search(self, type_: str, filters: Iterable[Condition]) -> set[str]:
        """Ids of the resources of the type that satisfy every filter."""
        wanted = list(filters)
        names = [name for name in self.resources if name.startswith(f"{type_}/")]
        return {name.partition("/")[2] for name in names if all(self.satisfies(name, one) for one in wanted)}

    def values(self, name: str, code: str, kind: str) -> list[Any]:
        """What a resource says under a parameter."""
        return [one for one in getattr(self.indexes[name], _KINDS[kind]) if one.param == code]

    def ends(self, link: Any, targets: Iterable[str]) -> list[str]:
        """The resources of the types that a reference leads to: the one it names, or those that have its URL."""
        if link.id is not None:
            return (
                [f"{link.type}/{link.id}"]
                if link.type in targets and f"{link.type}/{link.id}" in self.resources
                else []
            )
        return [
            name
            for name in self.resources
            if name.partition("/")[0] in targets
            for one in (self.values(name, "url", "uri") if "url" in search_parameters(name.partition("/")[0]) else ())
            if link.url is not None and link.type is None and isinstance(one, Uri) and one.uri == link.url
        ]

    def satisfies(self, name: str, filter_: Condition) -> bool:
        """Whether a resource satisfies a filter."""
        type_ = name.partition("/")[0]
        if isinstance(filter_, Group):
            each = [self.satisfies(name, one) for one in filter_.parts]
            return {"and": all(each), "or": any(each), "not": not any(each)}[filter_.how]
        if isinstance(filter_, Compartment):
            end = f"{filter_.name}/{filter_.id}"
            links = [v for code in filter_.codes(type_) for v in self.values(name, code, "reference")]
            return name == end or any(f"{v.type}/{v.id}" == end for v in links)
        if isinstance(filter_, Has):
            return any(
                name in self.ends(link, [type_])
                for other in self.resources
                if other.startswith(f"{filter_.type}/") and self.satisfies(other, filter_.filter)
                for link in self.values(other, filter_.reference.code, "reference")
            )
        if filter_.parameter.code == "_id":
            return any(name == f"{type_}/{value.code}" for value in filter_.values if isinstance(value, TokenValue))
        found = self.values(name, filter_.parameter.code, filter_.parameter.type)
        if filter_.missing is not None:
            return (not found) is filter_.missing
        if filter_.chain is not None:
            return any(self.satisfies(end, filter_.chain) for link in found for end in self.ends(link, filter_.targets))
        hit = any(matches(value, sought, filter_.modifier) for value in found for sought in filter_.values)
        return not hit if filter_.modifier in ("not", "not-in") else hit

    def place(self, name: str, key: Sort) -> Any:
        """What a resource is sorted by: its lowest value going up, its highest going down; None where it has none."""
        if key.parameter.code == "_id":
            return name.partition("/")[2]
        values = [value for one in self.values(name, key.parameter.code, key.parameter.type) for value in plain(one)]
        return (max if key.descending else min)(values, default=None)

    def included(self, names: Iterable[str], includes: Iterable[Include], revincludes: Iterable[Include]) -> set[str]:
        """What belongs beside the resources."""
        have, fresh, turn = set(names), set(names), 0
        while fresh:
            found: set[str] = set()
            for one in includes:
                for name in fresh if turn == 0 or one.iterate else ():
                    found |= {end for link in self.links(name, one) for end in self.ends(link, _types(one, self))}
            for one in revincludes:
                targets = {n for n in fresh if one.target in (None, n.partition("/")[0])}
                for name in self.resources if turn == 0 or one.iterate else ():
                    types = {n.partition("/")[0] for n in targets}
                    if any(end in targets for link in self.links(name, one) for end in self.ends(link, types)):
                        found.add(name)
            fresh, turn = found - have, turn + 1
            have |= fresh
        return have - set(names)

    def links(self, name: str, one: Include) -> list[Any]:
        """The references of a resource that an include follows."""
        if one.source not in (None, name.partition("/")[0]):
            return []
        code = None if one.parameter is None else one.parameter.code
        return [link for link in self.indexes[name].references if code in (None, link.param)]


def _types(one: Include, shelf: Shelf) -> set[str]:
    return {one.target} if one.target else {name.partition("/")[0] for name in shelf.resources}


def plain(value: Any) -> list[Any]:
    """What a value of a resource is sorted by."""
    match type(value).__name__:
        case "Token":
            return [] if value.code is None else [value.code]
        case "String":
            return [value.folded[:250]]
        case "Uri":
            return [value.uri]
        case "Date":
            return [value.low]
        case "Number":
            return [float(value.value)]
        case "Quantity":
            return [float(end) for end in (value.low, value.high) if end is not None]
        case "ReferenceTo":
            return [f"{value.type}/{value.id}"] if value.id else [value.url] if value.url else []
    raise AssertionError(value)


def matches(value: Any, sought: Any, modifier: str | None) -> bool:
    """Whether one value of a resource is what is sought."""
    match sought:
        case CompositeValue(parts):
            return all(
                any(matches(one, part, None) for one in found) for found, part in zip(value.parts, parts, strict=True)
            )
        case UriValue(url) if modifier in ("in", "not-in"):
            return value.code in terminology.expand(url).get(value.system or "", ())
        case TokenValue(system, code) if modifier in ("above", "below"):
            known = terminology.code_system(system or "")
            assert known is not None
            related = known.below(code or "") if modifier == "below" else known.above(code or "")
            return value.system == system and value.code in related
        case StringValue(_, folded) if modifier == "text":
            return value.text is not None and fold(value.text).startswith(folded)
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
