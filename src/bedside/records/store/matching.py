"""One index row against the values of a filter, by the parameter's type.

Values are bound, never written into the text.
"""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from bedside.fhir.grammar import (
    DateValue,
    Filter,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)
from bedside.records.model import rows
from bedside.records.model.refusals import refuse
from bedside.records.store.statement import Statement, one_of, params


def matches(s: Statement, filter_: Filter, type_: str, x: str) -> str:
    """SQL that is true where the index row `x` is of the filter's parameter and has one of its values."""
    modifier, kind = filter_.modifier, filter_.parameter.type
    suffix = f":{modifier}" if modifier in ("identifier", "of-type", "text") else ""
    if kind in ("number", "quantity"):
        return f"({either(_number(s, filter_, type_, value, x) for value in filter_.values)})"
    which = one_of(s, f"{x}.param", params(type_, filter_.parameter.code, suffix), "int")
    if kind == "token":
        if modifier == "text":
            return f"{which} and ({either(_text(s, value, which, x) for value in filter_.values)})"
        return f"{which} and ({_tokens(s, filter_, x)})"
    if kind == "reference":
        return f"{which} and ({_references(s, filter_, type_, x)})"
    makers: dict[str, Callable[[Statement, Filter, Any, str], str]] = {
        "date": _date,
        "string": _string,
        "uri": _uri,
    }
    if kind not in makers:
        raise unsupported(filter_)
    ways = " or ".join(makers[kind](s, filter_, value, x) for value in filter_.values)
    return f"{which} and ({ways})"


def unsupported(filter_: Filter) -> Exception:
    """The refusal of what is not answered yet: said, never silently left out."""
    code = filter_.parameter.code + (f":{filter_.modifier}" if filter_.modifier else "")
    return refuse("not-supported", code, "This search is not supported here.", status=400)


def either(parts: Iterable[str]) -> str:
    """Any of the conditions; false where there is none."""
    return " or ".join(parts) or "false"


def _tokens(s: Statement, filter_: Filter, x: str) -> str:
    values = [v for v in filter_.values if isinstance(v, TokenValue)]
    if filter_.modifier == "of-type":
        kinds = ["|".join((v.type[0] or "", v.type[1])) if v.type else "" for v in values]
        return either(
            f"({x}.key = {s.bind(rows.key(v.code or ''))} and {x}.extra = {s.bind(rows.known_key(kind))})"
            for v, kind in zip(values, kinds, strict=True)
        )
    bare = [rows.key(v.code) for v in values if v.code is not None and v.system is None]
    ways = [one_of(s, f"{x}.key", bare)] if bare else []
    whole = {rows.system_key(v.system) for v in values if v.system is not None and v.code is None}
    if whole:
        ways.append(one_of(s, f"{x}.extra", sorted(whole)))
    by_system: dict[int, list[int]] = {}
    for v in values:
        if v.system is not None and v.code is not None:
            by_system.setdefault(rows.system_key(v.system), []).append(rows.key(v.code))
    for system, keys in by_system.items():
        ways.append(f"{one_of(s, f'{x}.key', keys)} and {x}.extra = {s.bind(system)}")
    return ways[0] if len(ways) == 1 else either(f"({way})" for way in ways)


def _text(s: Statement, value: Value, which: str, x: str) -> str:
    """A text beside a code that begins with what is sought: the texts are few, and found first."""
    if not isinstance(value, StringValue):
        raise TypeError(value)
    folded = value.folded[: rows.WORD_LIMIT]
    p = s.alias()
    same = which.replace(f"{x}.param", f"{p}.param")
    return (
        f"{x}.key = any(array(select {p}.key from records.phrase {p} where {p}.tenant = $1 and {same}"
        f" and {p}.folded >= {s.bind(folded)} and {p}.folded < {s.bind(folded + _LAST)}))"
    )


def reference_keys(filter_: Filter) -> list[int]:
    """The keys under which the sought targets stand."""
    found: dict[int, None] = {}
    for v in filter_.values:
        if not isinstance(v, ReferenceValue):
            continue
        if v.id is not None:
            for target in (v.type,) if v.type else filter_.targets or filter_.parameter.targets:
                found[rows.rid(target, v.id)] = None
        if v.url is not None:
            found[rows.key(v.url)] = None
    return list(found)


def _references(s: Statement, filter_: Filter, type_: str, x: str) -> str:
    if filter_.modifier == "identifier":
        ways = []
        for v in filter_.values:
            token = v.identifier if isinstance(v, ReferenceValue) else v if isinstance(v, TokenValue) else None
            if token is None:
                continue
            parts = [f"{x}.key = {s.bind(rows.key(token.code))}"] if token.code is not None else []
            if token.system is not None:
                parts.append(f"{x}.extra = {s.bind(rows.known_key(token.system))}")
            ways.append(f"({' and '.join(parts)})")
        return f"({either(ways)})" + _narrowed(s, filter_, type_, x)
    return one_of(s, f"{x}.key", reference_keys(filter_))


def _narrowed(s: Statement, filter_: Filter, type_: str, x: str) -> str:
    """Where another parameter answers that has more targets: only logical references to this one's."""
    code = filter_.parameter.code
    if code not in rows.shape(type_).stands_for:
        return ""
    t = s.alias()
    which = one_of(s, f"{t}.param", params(type_, code, ":logical"), "int")
    kinds = one_of(s, f"{t}.key", [rows.known_key(target) for target in filter_.parameter.targets])
    same = f"{t}.tenant = $1 and {t}.rid = {x}.rid and {t}.extra = {x}.key"
    return f" and exists (select from records.entry {t} where {same} and {which} and {kinds})"


def _date(s: Statement, filter_: Filter, value: Value, x: str) -> str:
    if not isinstance(value, DateValue):
        raise unsupported(filter_)
    a, b = rows.microseconds(value.low), rows.microseconds(value.high)
    low, high = f"{x}.key", f"{x}.extra"

    def within() -> str:
        stop = s.bind(b)  # twice, since the first bounds the walk through the index
        return f"({low} >= {s.bind(a)} and {low} < {stop} and {high} <= {stop})"

    match value.prefix:
        case "eq":
            return within()
        case "ne":
            return f"not {within()}"
        case "gt":
            return f"{high} > {s.bind(b)}"
        case "lt":
            return f"{low} < {s.bind(a)}"
        case "ge":
            return f"({high} > {s.bind(b)} or {within()})"
        case "le":
            return f"({low} < {s.bind(a)} or {within()})"
        case "sa":
            return f"{low} >= {s.bind(b)}"
        case "eb":
            return f"{high} <= {s.bind(a)}"
        case "ap":
            # The standard suggests widening by a tenth of the way from now; the span itself, overlapped, is what can
            # be explained to a person.
            return f"({low} < {s.bind(b)} and {high} > {s.bind(a)})"


def _number(s: Statement, filter_: Filter, type_: str, value: Value, x: str) -> str:
    if not isinstance(value, NumberValue | QuantityValue):
        raise unsupported(filter_)
    which = one_of(s, f"{x}.param", params(type_, filter_.parameter.code), "int")
    way = f"{which} and {_range(s, value.prefix, value.value, value.low, value.high, x)}"
    if not isinstance(value, QuantityValue) or not value.code:
        return f"({way})"
    if not value.system:
        return f"({way} and {x}.extra & 4294967295 = {s.bind(rows.half_key(value.code))})"
    way = f"({way} and {x}.extra = {s.bind(rows.unit_key(value.system, value.code))})"
    low, high = value.canonical_low, value.canonical_high
    if value.system == rows.UCUM and value.canonical_unit and low is not None and high is not None:
        which = one_of(s, f"{x}.param", params(type_, filter_.parameter.code, ":canonical"), "int")
        there = _range(s, value.prefix, (low + high) / 2, low, high, x)
        unit = s.bind(rows.unit_key(rows.UCUM, value.canonical_unit))
        way = f"({way} or ({which} and {there} and {x}.extra = {unit}))"
    return way


def _range(s: Statement, prefix: str, value: Decimal, low: Decimal, high: Decimal, x: str) -> str:
    """The row's number against a sought one. low and high: what its written precision means, half open."""
    key = f"{x}.key"

    def bind(number: Decimal) -> str:
        return s.bind(rows.in_order(float(number)))

    match prefix:
        case "eq":
            return f"({key} >= {bind(low)} and {key} < {bind(high)})"
        case "ne":
            return f"not ({key} >= {bind(low)} and {key} < {bind(high)})"
        case "gt":
            return f"{key} > {bind(value)}"
        case "ge":
            return f"{key} >= {bind(value)}"
        case "lt":
            return f"{key} < {bind(value)}"
        case "le":
            return f"{key} <= {bind(value)}"
        case "sa":
            return f"{key} >= {bind(high)}"
        case "eb":
            return f"{key} < {bind(low)}"
    near, far = sorted((value * Decimal("0.9"), value * Decimal("1.1")))
    return f"{key} between {bind(near)} and {bind(far)}"


_LAST = "\U0010ffff"


def _string(s: Statement, filter_: Filter, value: Value, x: str) -> str:
    if not isinstance(value, StringValue):
        raise unsupported(filter_)
    folded = value.folded[: rows.WORD_LIMIT]
    match filter_.modifier:
        case None:
            return f"({x}.folded >= {s.bind(folded)} and {x}.folded < {s.bind(folded + _LAST)})"
        case "exact":
            exact = s.bind(value.text[: rows.WORD_LIMIT])
            return f"({x}.folded = {s.bind(folded)} and {x}.exact = {exact})"
        case "contains":
            return f"position({s.bind(folded)} in {x}.folded) > 0"
        case _:
            raise unsupported(filter_)


def _uri(s: Statement, filter_: Filter, value: Value, x: str) -> str:
    if not isinstance(value, UriValue):
        raise unsupported(filter_)
    uri, _, version = value.uri.partition("|")
    uri = uri[: rows.WORD_LIMIT]
    match filter_.modifier:
        case None:
            plain = f"{x}.folded = {s.bind(uri)}"
            return f"({plain} and {x}.exact = {s.bind(version)})" if version else plain
        case "below":
            return f"({x}.folded >= {s.bind(uri)} and {x}.folded < {s.bind(uri + _LAST)})"
        case "above":
            ends = [i for i, c in enumerate(uri) if c == "/"]
            return f"{x}.folded = any({s.bind([uri, *(uri[:i] for i in ends), *(uri[: i + 1] for i in ends)])}::text[])"
        case _:
            raise unsupported(filter_)
