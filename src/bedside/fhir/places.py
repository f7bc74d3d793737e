"""Where a FHIRPath leads in a resource: not the values but their places, so that they can be changed.

The paths of FHIRPath Patch are simple ones: members, `[n]`, `where(…)`, `ofType(…)`, `extension(…)`, `first()`,
`last()`, `single()`. The criteria inside `where` are compiled by bedside.fhir.fhirpath, as far as their functions are
harmless (no regular expressions: somebody else's would run on our processor).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from bedside.fhir import fhirpath
from bedside.fhir.definitions import Element, resource_types, table
from bedside.fhir.fhirpath import Scope, Unsupported
from bedside.fhir.fhirpath.compiler import compile_tree
from bedside.fhir.fhirpath.parts import Tree
from bedside.fhir.fhirpath.values import truth

LONGEST = 250
"""Characters of a path."""
MOST_SIGNS = 40
"""Dots and brackets of a path: the parser's time grows with their square."""
_SIMPLE = re.compile(r"[A-Za-z]+(?:\[\d{1,6}\])?(?:\.[A-Za-z]+(?:\[\d{1,6}\])?)*")
_MEMBER = re.compile(r"([A-Za-z]+)(?:\[(\d+)\])?")
_HARMLESS = frozenset(
    {
        *("where", "exists", "empty", "not", "count", "first", "last", "single", "all", "any", "as", "is", "ofType"),
        *("extension", "hasValue", "startsWith", "endsWith", "contains", "lower", "upper", "length", "iif", "today"),
    }
)


class NoPath(ValueError):
    """This is no path that a patch may take."""


class Place(msgspec.Struct, frozen=True):
    """One value and where it stands.

    owner: the object that holds it under `key`, in its list at `position` where there is one; None for the resource
    itself. within: the place of the owner. type: its FHIR type, a backbone's own (`Patient.contact`); "" unknown.
    """

    value: Any
    type: str
    owner: dict[str, Any] | None = None
    key: str = ""
    position: int | None = None
    within: Place | None = None


def found(resource: dict[str, Any], path: str) -> list[Place]:
    """The places that the path leads to. Raises NoPath."""
    root = Place(resource, str(resource["resourceType"]))
    try:
        return _step(_parsed(path), [root], resource)
    except (Unsupported, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        raise NoPath("this path is not understood in a patch") from error


def list_of(resource: dict[str, Any], path: str) -> tuple[Place, Element]:
    """The one object that holds the list at the end of the path, and the list's element: it may be empty yet.

    Raises NoPath when the path does not end with the name of a list, or no single object holds it.
    """
    match _parsed(path):
        case [".", before, ["member", name]]:
            owners = found_at(resource, before)
        case _:
            raise NoPath("the path does not end with the name of a list")
    if len(owners) != 1:
        raise NoPath("the path leads to nothing" if not owners else "the path leads to several places")
    element = element_of(owners[0], name)
    if element is None or not element.many:
        raise NoPath("the path does not end with the name of a list")
    return owners[0], element


def found_at(resource: dict[str, Any], tree: Tree) -> list[Place]:
    """As `found`, by a parsed path."""
    root = Place(resource, str(resource["resourceType"]))
    try:
        return _step(tree, [root], resource)
    except (Unsupported, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        raise NoPath("this path is not understood in a patch") from error


def is_simple(path: str) -> bool:
    """Whether a path is names and places in lists alone, and costs nothing to understand."""
    return _SIMPLE.fullmatch(path) is not None


def element_of(place: Place, name: str, suffix: str = "") -> Element | None:
    """What a name means below a place. suffix: of a choice, `Quantity` of `valueQuantity`."""
    known = table(place.type)
    if known is None:
        return None
    plain = known.elements.get(name)
    if plain is not None:
        return plain
    for key, element in known.elements.items():
        if element.choice == name and key == name + suffix:
            return element
    return None


@lru_cache(512)
def _parsed(path: str) -> Tree:
    if len(path) > LONGEST or sum(map(path.count, ".([|")) > MOST_SIGNS:
        raise NoPath("the path is too long")
    if is_simple(path):
        tree: Tree = []
        for name, position in _MEMBER.findall(path):
            tree = [".", tree, ["member", name]] if tree else ["member", name]
            tree = ["at", tree, ["literal", int(position)]] if position else tree
        return tree
    try:
        return fhirpath.parse(path)
    except (ValueError, RecursionError):
        raise NoPath("this is no FHIRPath") from None


def _step(tree: Tree, focus: list[Place], resource: dict[str, Any]) -> list[Place]:
    match tree:
        case ["member", str(name)]:
            return [one for place in focus for one in _members(place, name)]
        case [".", left, right]:
            return _step(right, _step(left, focus, resource), resource)
        case ["at", left, ["literal", int(position)]]:
            return _step(left, focus, resource)[position : position + 1] if position >= 0 else []
        case ["this"]:
            return focus
        case ["as", left, kind]:
            return [one for one in _step(left, focus, resource) if one.type == kind]
        case ["call", name, arguments]:
            return _call(name, arguments, focus, resource)
    raise Unsupported(str(tree[0]))


def _call(name: str, arguments: list[Tree], focus: list[Place], resource: dict[str, Any]) -> list[Place]:
    match name, arguments:
        case "first", []:
            return focus[:1]
        case "last", []:
            return focus[-1:]
        case "single", []:
            if len(focus) > 1:
                raise NoPath("single() met several values")
            return focus
        case (("ofType" | "as"), [["member", kind]]):
            return [one for one in focus if one.type == kind]
        case "extension", [["literal", str(url)]]:
            inner = [one for place in focus for one in _members(place, "extension")]
            return [one for one in inner if isinstance(one.value, dict) and one.value.get("url") == url]
        case "where", [criterion]:
            _check(criterion)
            return [one for one in focus if _holds(criterion, one, resource)]
    raise Unsupported(name)


def _holds(criterion: Tree, place: Place, resource: dict[str, Any]) -> bool:
    code = compile_tree(criterion, frozenset({place.type}) if place.type else None)
    here = [place.value]
    return truth(code.run(here, here, Scope(resource, resource, place.value))) is True


def _check(tree: list[Any]) -> None:
    """Refuse what could take long."""
    if tree[:1] == ["call"] and tree[1] not in _HARMLESS:
        raise NoPath(f"the path of a patch may not hold {tree[1]}()")
    for inner in tree:
        if isinstance(inner, list):
            _check(inner)


def _members(place: Place, name: str) -> list[Place]:
    owner = place.value
    if place.owner is None and name in (place.type, "Resource", "DomainResource"):
        return [place]  # a path begins with the type's own name
    if not isinstance(owner, dict):
        return _beside(place, name)
    places: list[Place] = []
    known = table(place.type)
    if known is None:
        return []
    for key, element in known.elements.items():
        if name not in (key, element.choice):
            continue
        value = owner.get(key)
        if value is None and "_" + key in owner:
            value = [None] * len(owner["_" + key]) if isinstance(owner["_" + key], list) else None
            if value is None:
                places.append(Place(None, element.type, owner, key, None, place))
                continue
        if isinstance(value, list):
            places += [Place(one, _type(element, one), owner, key, n, place) for n, one in enumerate(value)]
        elif value is not None:
            places.append(Place(value, _type(element, value), owner, key, None, place))
    return places


def _type(element: Element, value: Any) -> str:
    """The type of a value; of a contained resource its own."""
    return str(value.get("resourceType")) if element.type == "Resource" and isinstance(value, dict) else element.type


def _beside(place: Place, name: str) -> list[Place]:
    """The id or the extensions of a primitive: they stand in `_birthDate` beside `birthDate`."""
    if place.owner is None or name not in ("extension", "id"):
        return []
    beside = place.owner.get("_" + place.key)
    if place.position is not None:
        beside = beside[place.position] if isinstance(beside, list) and place.position < len(beside) else None
    if not isinstance(beside, dict):
        return []
    value = beside.get(name)
    if isinstance(value, list):
        return [Place(one, "Extension", beside, name, n, place) for n, one in enumerate(value)]
    return [] if value is None else [Place(value, "string", beside, name, None, place)]


def is_resource(type_: str) -> bool:
    """Whether this is the name of a resource type."""
    return type_ in resource_types()
