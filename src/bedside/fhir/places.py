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
MOST_ASKED = 50_000
"""Values that the criteria of one patch are asked of: ten searches through a list of 5,000."""
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


class TooCostly(NoPath):
    """The patch asks for too long a search."""


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


class Search:
    """A resource in which places are looked for. left: values that criteria may still be asked of."""

    def __init__(self, resource: dict[str, Any]) -> None:
        self.resource, self.left = resource, MOST_ASKED
        self.root = Place(resource, str(resource["resourceType"]))


def found(search: Search, path: str) -> list[Place]:
    """The places that the path leads to. Raises NoPath, TooCostly."""
    return found_at(search, _parsed(path))


def found_at(search: Search, tree: Tree) -> list[Place]:
    """As `found`, by a parsed path."""
    try:
        return _step(tree, [search.root], search)
    except (Unsupported, TypeError, KeyError, AttributeError, RecursionError, ArithmeticError) as error:
        raise NoPath("this path is not understood in a patch") from error


def list_of(search: Search, path: str) -> tuple[Place, Element]:
    """The one object that holds the list at the end of the path, and the list's element: it may be empty yet.

    Raises NoPath when the path does not end with the name of a list, or no single object holds it.
    """
    match _parsed(path):
        case [".", before, ["member", name]]:
            owners = found_at(search, before)
        case _:
            raise NoPath("the path does not end with the name of a list")
    if len(owners) != 1:
        raise NoPath("the path leads to nothing" if not owners else "the path leads to several places")
    element = element_of(owners[0], name)
    if element is None or not element.many:
        raise NoPath("the path does not end with the name of a list")
    return owners[0], element


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


def _step(tree: Tree, focus: list[Place], search: Search) -> list[Place]:
    match tree:
        case ["member", str(name)]:
            return [one for place in focus for one in _members(place, name)]
        case [".", left, right]:
            return _step(right, _step(left, focus, search), search)
        case ["at", ["member", str(name)], ["literal", int(position)]] if position >= 0:
            return _nth(focus, name, position)
        case ["at", [".", left, ["member", str(name)]], ["literal", int(position)]] if position >= 0:
            return _nth(_step(left, focus, search), name, position)
        case ["at", left, ["literal", int(position)]]:
            return _step(left, focus, search)[position : position + 1] if position >= 0 else []
        case ["this"]:
            return focus
        case ["as", left, kind]:
            return [one for one in _step(left, focus, search) if one.type == kind]
        case ["call", name, arguments]:
            return _call(name, arguments, focus, search)
    raise Unsupported(str(tree[0]))


def _call(name: str, arguments: list[Tree], focus: list[Place], search: Search) -> list[Place]:
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
            return _where(criterion, focus, search)
    raise Unsupported(name)


def _where(criterion: Tree, focus: list[Place], search: Search) -> list[Place]:
    """Those that it holds for. The criterion is compiled once for each type: a list has thousands of one."""
    codes = {type_: compile_tree(criterion, frozenset({type_}) if type_ else None) for type_ in {p.type for p in focus}}
    search.left -= len(focus)
    if search.left < 0:
        raise TooCostly(f"the criteria of the paths are to be asked of more than {MOST_ASKED} values")
    found, whole = [], search.resource
    for place in focus:
        here = [place.value]
        if truth(codes[place.type].run(here, here, Scope(whole, whole, place.value))) is True:
            found.append(place)
    return found


def _check(tree: list[Any]) -> None:
    """Refuse what could take long."""
    if tree[:1] == ["call"] and tree[1] not in _HARMLESS:
        raise NoPath(f"the path of a patch may not hold {tree[1]}()")
    for inner in tree:
        if isinstance(inner, list):
            _check(inner)


def _nth(focus: list[Place], name: str, position: int) -> list[Place]:
    """The one at the position among the members of that name, without a look at those before it in a long list."""
    known = table(focus[0].type) if len(focus) == 1 else None
    if known is not None and name in known.elements and isinstance(focus[0].value, dict):
        place, element = focus[0], known.elements[name]
        value = place.value.get(name)
        if isinstance(value, list) and not (place.owner is None and name == place.type):
            if position >= len(value):
                return []
            one = value[position]
            return [Place(one, _type(element, one), place.value, name, position, place)]
    return [one for place in focus for one in _members(place, name)][position : position + 1]


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
