"""A plan for each resource type that fills an Index in one walk over the resource.

The paths of all parameters are merged into one tree of JSON keys, so that the work grows with the resource and not
with the number of parameters.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from bedside.fhir import fhirpath
from bedside.fhir.definitions import Component, Element, SearchParameter, search_parameters
from bedside.fhir.paths import First, Irregular, Key, Path, Where, paths, root
from bedside.fhir.readings import reader
from bedside.fhir.values import Composite, Index

_KNOWN_TO_THE_STORE = {"_id", "_lastUpdated"}
_KINDS = ("tokens", "strings", "dates", "numbers", "quantities", "references", "uris")


class _Node:
    """Where a path stands: what is read here, and where it goes on."""

    __slots__ = ("apart", "children", "first", "guarded", "readers")

    def __init__(self) -> None:
        self.readers: list[Callable[[Any, Any], None]] = []
        self.children: dict[str, _Node] = {}
        self.guarded: dict[tuple[str, Any], _Node] = {}
        self.first: _Node | None = None
        self.apart = False  # whether its items are read into Indexes of their own

    def at(self, path: Path) -> "_Node":
        """The node at the end of a path, made if need be."""
        node = self
        for step in path.steps:
            match step:
                case Key(name):
                    node = node.children.setdefault(name, _Node())
                case Where(name, value):
                    node = node.guarded.setdefault((name, value), _Node())
                case First():
                    node.first = node.first or _Node()
                    node = node.first
        return node


def _walk(node: _Node, value: Any, index: Any) -> None:
    if isinstance(value, list):
        if node.first is not None and value:
            _walk(node.first, value[0], index)
        if node.apart:
            for one in value:
                part = Index()
                _enter(node, one, part)
                index.parts.append(part)
            return
        for one in value:
            _enter(node, one, index)
    else:
        if node.first is not None:
            _walk(node.first, value, index)
        _enter(node, value, index)


def _enter(node: _Node, value: Any, index: Any) -> None:
    for read in node.readers:
        read(value, index)
    if not isinstance(value, dict):
        return
    children = node.children
    if children:
        for key in value:
            child = children.get(key)
            if child is not None:
                _walk(child, value[key], index)
    for (key, wanted), guarded in node.guarded.items():
        if value.get(key) == wanted:
            _enter(guarded, value, index)


class Plan:
    """How one resource type fills its Index."""

    def __init__(self, type_: str, only: frozenset[str] | None = None) -> None:
        self._plain = _Node()
        self._together = _Node()
        self._type = type_
        self._irregular: list[tuple[SearchParameter, Callable[[Any], list[Any]]]] = []
        start = root(type_)
        for parameter in search_parameters(type_).values():
            if parameter.tree is None or parameter.code in _KNOWN_TO_THE_STORE:
                continue
            if parameter.type == "composite":
                for path in paths(parameter.tree, start):
                    if path.element.many:
                        self._plain.at(path).apart = True
            if only is not None and parameter.code not in only:
                continue
            try:
                found = paths(parameter.tree, start)
            except Irregular:
                self._irregular.append((parameter, fhirpath.compiled(parameter.tree, type_)))
                continue
            for path in found:
                self._add(parameter, path)

    def _add(self, parameter: SearchParameter, path: Path) -> None:
        if parameter.type == "composite":
            composite = _Composite(parameter, path, self._type)
            self._together.at(path).readers.append(lambda value, found: found.append((composite, value)))
        elif (read := reader(parameter, path.element, path.targets)) is not None:
            self._plain.at(path).readers.append(read)

    def run(self, resource: Mapping[str, Any], index: Index, *, composites: bool = True, apart: bool = False) -> None:
        """Fill the index from the resource."""
        _enter(self._plain, resource, index)
        if index.parts and not apart:
            for part in index.parts:
                for kind in _KINDS:
                    getattr(index, kind).extend(getattr(part, kind))
            index.parts = []
        if composites:
            places: list[tuple[_Composite, Any]] = []
            _enter(self._together, resource, places)
            for composite, value in places:
                composite.add(value, resource, index)
        for parameter, evaluate in self._irregular:
            for value in evaluate(resource):
                if (read := reader(parameter, _shown(value))) is not None:
                    read(value, index)
        for kind in _KINDS:
            values = getattr(index, kind)
            if len(values) > 1:
                setattr(index, kind, list(dict.fromkeys(values)))


def _shown(value: Any) -> Element:
    """An element for a value that an expression made itself."""
    made = "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "decimal"
    return Element("", made, False, 0, "", None, (), False, ())


class _Composite:
    """A composite parameter at one of its places: each of its parts read below the place, or from the resource."""

    def __init__(self, parameter: SearchParameter, path: Path, type_: str) -> None:
        self._code = parameter.code
        self._parts = [_part(component, path, type_) for component in parameter.components]

    def add(self, value: Any, resource: Mapping[str, Any], index: Index) -> None:
        """Add what stands together at value, if every part is there."""
        found = []
        for node, from_resource in self._parts:
            # Most composites of a type lack a part in most resources: see that before anything is read.
            if node.children and node.children.keys().isdisjoint(resource if from_resource else value):
                return
        for node, from_resource in self._parts:
            values = Index()
            _enter(node, resource if from_resource else value, values)
            together = tuple(one for kind in _KINDS for one in getattr(values, kind))
            if not together:
                return
            found.append(together)
        index.composites.append(Composite(self._code, tuple(found)))


def _part(component: Component, path: Path, type_: str) -> tuple[_Node, bool]:
    """What one component reads, and whether from the whole resource (`%resource.…`) or from the composite's place."""
    tree, from_resource = _without_resource(component.tree)
    here = root(type_) if from_resource else Path((), path.element)
    node = _Node()
    for end in paths(tree, here):
        parameter = SearchParameter(component.code, component.type, "", "")
        if (read := reader(parameter, end.element, end.targets)) is not None:
            node.at(end).readers.append(read)
    return node, from_resource


def _without_resource(tree: list[Any]) -> tuple[list[Any], bool]:
    match tree:
        case [".", ["variable", "resource"], right]:
            return right, True
        case [".", left, right]:
            rest, found = _without_resource(left)
            return [".", rest, right], found
    return tree, False


@cache
def plan(type_: str, only: frozenset[str] | None = None) -> Plan:
    """The plan of a resource type for all parameters, or only some; an empty one where the type is unknown."""
    return Plan(type_, only)
