"""The search language (hl7.org/fhir/R4/search.html): from a query string to a Query, or an issue for each fault."""

from collections.abc import Callable, Iterable
from typing import Any, cast, get_args
from urllib.parse import parse_qsl

from bedside.fhir import sought
from bedside.fhir.definitions import SearchParameter, resource_types, search_parameters
from bedside.fhir.issues import Issue
from bedside.fhir.query import (
    Compartment,
    CompositeValue,
    DateValue,
    Filter,
    Has,
    Include,
    NumberValue,
    Prefix,
    QuantityValue,
    Query,
    ReferenceValue,
    Sort,
    StringValue,
    Summary,
    TokenValue,
    Total,
    UriValue,
    Value,
)

__all__ = [
    "BadQuery",
    "CompositeValue",
    "DateValue",
    "Filter",
    "Has",
    "Include",
    "NumberValue",
    "Prefix",
    "QuantityValue",
    "Query",
    "ReferenceValue",
    "Sort",
    "StringValue",
    "TokenValue",
    "UriValue",
    "Value",
    "parse",
]

MOST_VALUES = 1000
"""Alternatives in one parameter; more are refused, so that one request cannot hold the database."""
DEEPEST = 5
"""Links in a chain, `_has` included."""

_MODIFIERS = {
    "string": {"exact", "contains"},
    "token": {"text", "not", "above", "below", "in", "not-in", "of-type"},
    "reference": {"identifier", "above", "below"},
    "uri": {"above", "below"},
}
_ABOUT_THE_ANSWER = {"_format", "_pretty"}  # read by the REST door
_NOT_OFFERED = {"_query", "_contained", "_containedType", "near"}
OF_THE_WHOLE = {
    one.code: one
    for one in (
        SearchParameter("_text", "string", "", "http://hl7.org/fhir/SearchParameter/DomainResource-text"),
        SearchParameter("_content", "string", "", "http://hl7.org/fhir/SearchParameter/Resource-content"),
        SearchParameter("_list", "token", "", "http://hl7.org/fhir/SearchParameter/Resource-list"),
    )
}
"""Parameters that the standard defines without an expression: they say nothing of elements."""


class BadQuery(ValueError):
    """The search cannot be understood. issues: one for each parameter at fault."""

    def __init__(self, issues: list[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = issues


class _Fault(ValueError):
    def __init__(self, name: str, what: str, code: str = "invalid") -> None:
        super().__init__(what)
        self.issue = Issue("error", code, name, f"Search parameter {name}: {what}.")


def parse(
    type: str | None,  # noqa: A002  FHIR's own name
    params: str | Iterable[tuple[str, str]],
    *,
    strict: bool = True,
    bases: tuple[str, ...] = (),
    compartment: Compartment | None = None,
) -> Query:
    """Parse a query string, or its decoded pairs, for a resource type (None: across types, then with `_type`).

    compartment: narrows the search to what belongs to it; across types to the types that can.
    bases: the server's own base URLs with final slash; references below them count as relative.
    Raises BadQuery naming each parameter at fault; with strict False, unknown and malformed parameters are left out and
    named in `Query.ignored`.
    """
    pairs = parse_qsl(params, keep_blank_values=True) if isinstance(params, str) else list(params)
    reading = _Reading(_types(type, pairs, compartment), bases, across=type is None)
    faults = []
    for name, value in pairs:
        try:
            reading.take(name, value)
        except _Fault as fault:
            faults.append(fault.issue)
    if faults and strict:
        raise BadQuery(faults)
    reading.query["ignored"] = tuple(
        Issue("warning", fault.code, fault.expression, fault.diagnostics) for fault in faults
    )
    if compartment is not None:
        reading.query["filters"] = (compartment, *reading.query.get("filters", ()))
    named = type is not None or any(name == "_type" for name, _ in pairs)
    return Query(types=reading.types, named=named, **reading.query)


def _types(type_: str | None, pairs: list[tuple[str, str]], compartment: Compartment | None) -> tuple[str, ...]:
    able = resource_types()
    if compartment is not None:
        able = frozenset(one for one in able if one == compartment.name or compartment.codes(one))
    if type_ is not None:
        if type_ not in able and compartment is not None:
            raise BadQuery([_Fault(type_, f"is no type of a {compartment.name}'s compartment", "not-supported").issue])
        return (type_,)
    stated = [name for key, value in pairs if key == "_type" for name in value.split(",")]
    unknown = [name for name in stated if name not in resource_types()]
    if unknown:
        raise BadQuery([_Fault("_type", "names a resource type that R4 does not have").issue])
    if not able.issuperset(stated):
        raise BadQuery([_Fault("_type", "names a type that is not in this compartment", "not-supported").issue])
    return tuple(dict.fromkeys(stated)) or tuple(sorted(able))


class _Reading:
    """Gathers the parts of a Query."""

    def __init__(self, types: tuple[str, ...], bases: tuple[str, ...], *, across: bool) -> None:
        self.types = types
        self.across = across
        self.bases = bases
        self.query: dict[str, Any] = {}

    def take(self, name: str, value: str) -> None:
        """Read one parameter. Raises _Fault."""
        head = name.partition(":")[0].partition(".")[0]
        if name in _ABOUT_THE_ANSWER or (name == "_type" and self.across):
            return
        if name == "_type":
            raise _Fault(name, "belongs to a search across types")
        if head in _NOT_OFFERED:
            raise _Fault(name, "is not offered by this server", "not-supported")
        if name in _CONTROLS:
            part, read = _CONTROLS[name]
            if part in self.query:
                raise _Fault(name, "is given twice")
            self.query[part] = read(name, value, self.types)
        elif head in ("_include", "_revinclude"):
            self._add(head[1:] + "s", _include(name, value, self.types))
        else:
            self._add("filters", _filter(self.types, name, name, value, self.bases, DEEPEST))

    def _add(self, part: str, made: Any) -> None:
        self.query[part] = (*self.query.get(part, ()), made)


def _filter(
    types: tuple[str, ...], name: str, shown: str, value: str, bases: tuple[str, ...], depth: int
) -> Filter | Has:
    """One condition on resources of the types. shown: the parameter's whole name, for messages."""
    if depth == 0:
        raise _Fault(shown, f"has more than {DEEPEST} links", "too-costly")
    if name.startswith("_has:"):
        return _has(types, name, shown, value, bases, depth)
    head, dot, rest = name.partition(".")
    code, colon, modifier = head.partition(":")
    if code in OF_THE_WHOLE:
        return _of_the_whole(name, shown, value, bases)
    parameter = _parameter(types, code, shown)
    if dot:
        return _chain(parameter, modifier or None, rest, shown, value, bases, depth)
    if colon and modifier == "missing":
        if value not in ("true", "false"):
            raise _Fault(shown, "takes true or false")
        return Filter(parameter, "missing", missing=value == "true")
    if colon:
        _check_modifier(parameter, modifier, shown)
    return Filter(parameter, modifier or None, _values(parameter, modifier or None, shown, value, bases))


def _of_the_whole(name: str, shown: str, value: str, bases: tuple[str, ...]) -> Filter:
    """A condition on the resource as a whole: one that neither a chain leads to nor a modifier changes."""
    if name != shown:
        raise _Fault(shown, f"{name} is not offered at the end of a chain", "not-supported")
    parameter = OF_THE_WHOLE.get(name)
    if parameter is None:
        raise _Fault(shown, "has no modifiers and no chains", "not-supported")
    values = _values(parameter, None, shown, value, bases)
    if name == "_list" and any(isinstance(v, TokenValue) and (v.code or "").startswith("$") for v in values):
        raise _Fault(shown, "takes the id of a List: lists by function are not kept here", "not-supported")
    return Filter(parameter, None, values)


def _parameter(types: tuple[str, ...], code: str, shown: str) -> SearchParameter:
    found = [search_parameters(type_).get(code) for type_ in types]
    kinds = {one.type if one else None for one in found}
    if None in kinds or len(kinds) != 1 or "special" in kinds or found[0] is None:
        of = types[0] if len(types) == 1 else "every type searched"
        raise _Fault(shown, f"is not a search parameter of {of}", "not-supported")
    return found[0]


def _check_modifier(parameter: SearchParameter, modifier: str, shown: str) -> None:
    allowed = modifier in _MODIFIERS.get(parameter.type, ())
    if parameter.code == "_id":
        allowed = modifier == "not"
    if parameter.type == "reference" and modifier in resource_types():
        allowed = not parameter.targets or modifier in parameter.targets
    if not allowed:
        raise _Fault(shown, f"a {parameter.type} parameter has no such modifier here", "not-supported")


def _values(
    parameter: SearchParameter, modifier: str | None, shown: str, text: str, bases: tuple[str, ...]
) -> tuple[Value, ...]:
    parts = sought.split(text, ",")
    if len(parts) > MOST_VALUES:
        raise _Fault(shown, f"has more than {MOST_VALUES} values", "too-costly")
    if not all(parts):
        raise _Fault(shown, "has an empty value")
    if "\x00" in text:
        raise _Fault(shown, "holds a NUL character")
    try:
        return tuple(sought.value(parameter, modifier, part, bases) for part in parts)
    except ValueError as error:
        raise _Fault(shown, str(error)) from None


def _chain(
    parameter: SearchParameter,
    modifier: str | None,
    rest: str,
    shown: str,
    value: str,
    bases: tuple[str, ...],
    depth: int,
) -> Filter:
    if parameter.type != "reference":
        raise _Fault(shown, "only references can be chained")
    if modifier is not None:
        _check_modifier(parameter, modifier, shown)
        if modifier not in resource_types():
            raise _Fault(shown, "a chain takes no modifier but a resource type")
    targets = (modifier,) if modifier else parameter.targets or tuple(sorted(resource_types()))
    made: Filter | Has | None = None
    kept: list[str] = []
    for target in targets:
        try:
            one = _filter((target,), rest, shown, value, bases, depth - 1)
        except _Fault as fault:
            if fault.issue.code != "not-supported" or modifier:
                raise
            continue
        if made is None or _alike(made, one):
            made = made or one
            kept.append(target)
    if made is None:
        raise _Fault(shown, "no target of the reference has that search parameter", "not-supported")
    return Filter(parameter, modifier, targets=tuple(kept), chain=made)


def _alike(one: Filter | Has, other: Filter | Has) -> bool:
    """Whether two targets' conditions can be asked as one: same parameter, same values."""
    if isinstance(one, Filter) and isinstance(other, Filter):
        return one.parameter.type == other.parameter.type and one.values == other.values and one.chain == other.chain
    return one == other


def _has(types: tuple[str, ...], name: str, shown: str, value: str, bases: tuple[str, ...], depth: int) -> Has:
    parts = name.split(":", 3)
    if len(parts) != 4:
        raise _Fault(shown, "is written _has:Type:reference:parameter")
    _, source, code, rest = parts
    if source not in resource_types():
        raise _Fault(shown, "names a resource type that R4 does not have")
    reference = _parameter((source,), code, shown)
    if reference.type != "reference" or (reference.targets and not set(types) & set(reference.targets)):
        raise _Fault(shown, "names a parameter that does not refer to the type searched")
    return Has(source, reference, _filter((source,), rest, shown, value, bases, depth - 1))


def _include(name: str, value: str, types: tuple[str, ...]) -> Include:
    modifier = name.partition(":")[2]
    if modifier not in ("", "iterate", "recurse"):
        raise _Fault(name, "takes no modifier but :iterate", "not-supported")
    if value == "*":
        return Include(None, None, None, iterate=bool(modifier))
    parts = value.split(":")
    source = parts[0]
    if source not in resource_types() or len(parts) not in (2, 3):
        raise _Fault(name, "is written Type:parameter or Type:parameter:Target")
    parameter = None
    if parts[1] != "*":
        parameter = _parameter((source,), parts[1], name)
        if parameter.type != "reference":
            raise _Fault(name, "names a parameter that is no reference")
    target = parts[2] if len(parts) == 3 else None
    if target is not None and target not in resource_types():
        raise _Fault(name, "names a resource type that R4 does not have")
    if parameter is not None and target is not None and parameter.targets and target not in parameter.targets:
        raise _Fault(name, f"names a type that {parts[1]} does not refer to")
    if not modifier and name == "_include" and source not in types:
        raise _Fault(name, f"begins at a {source}, which is not searched; _include:iterate follows what is included")
    ends = {target} if target else set(parameter.targets) if parameter is not None else set()
    if not modifier and name == "_revinclude" and ends and not ends & set(types):
        raise _Fault(name, "names a parameter that does not refer to the type searched")
    return Include(source, parameter, target, iterate=bool(modifier))


# -- what the answer shall be like -------------------------------------------------------------------------------


def _sort(name: str, value: str, types: tuple[str, ...]) -> tuple[Sort, ...]:
    keys: list[Sort] = []
    for part in value.split(","):
        parameter = _parameter(types, part.removeprefix("-"), name)
        if parameter.type == "composite":
            raise _Fault(name, "a composite parameter has no order", "not-supported")
        if any(key.parameter == parameter for key in keys):
            raise _Fault(name, "names a parameter twice")
        keys.append(Sort(parameter, descending=part.startswith("-")))
    return tuple(keys)


def _count(name: str, value: str, _types: tuple[str, ...]) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 9):
        raise _Fault(name, "takes a whole number, 0 or more")
    return int(value)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, str, tuple[str, ...]], str]:
    def read(name: str, value: str, _types: tuple[str, ...]) -> str:
        if value not in allowed:
            raise _Fault(name, "takes one of " + ", ".join(allowed))
        return value

    return read


def _elements(name: str, value: str, _types: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(part.strip() for part in value.split(","))
    if not all(part.replace(".", "").isalnum() for part in names):
        raise _Fault(name, "takes names of elements")
    return names


def _cursor(name: str, value: str, _types: tuple[str, ...]) -> str:
    if not value:
        raise _Fault(name, "is empty")
    return value


_CONTROLS: dict[str, tuple[str, Callable[[str, str, tuple[str, ...]], Any]]] = {
    "_sort": ("sort", _sort),
    "_count": ("count", _count),
    "_total": ("total", _one_of(cast("tuple[str, ...]", get_args(Total)))),
    "_summary": ("summary", _one_of(cast("tuple[str, ...]", get_args(Summary)))),
    "_elements": ("elements", _elements),
    "_cursor": ("cursor", _cursor),
}
