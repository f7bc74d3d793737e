"""The paths of a search parameter's FHIRPath, spelled out: which JSON keys lead to which datatype, on what condition.

Nearly every expression that R4 publishes is a union of such paths; one that is not raises Irregular.
"""

from typing import Any, NamedTuple

from bedside.fhir.definitions import Element, table

Tree = list[Any]


class Irregular(ValueError):
    """The expression is more than paths: it is for the general FHIRPath evaluation."""


class Key(NamedTuple):
    """Step to a property; an array is entered item by item."""

    name: str


class Where(NamedTuple):
    """Stay only where a property has this value."""

    name: str
    value: Any


class First(NamedTuple):
    """Only the first of what the last property holds."""


Step = Key | Where | First


class Path(NamedTuple):
    """A concrete path. element: what stands at its end. targets: the types that a reference there must lead to."""

    steps: tuple[Step, ...]
    element: Element
    targets: tuple[str, ...] = ()


def root(type_: str) -> Path:
    """The path of no steps, at a resource or element of the type."""
    return Path((), Element(type_, type_, False, 0, "", None, (), False, ()))


def paths(tree: Tree, start: Path) -> list[Path]:
    """Every concrete path that an expression means from start. Raises Irregular."""
    match tree:
        case ["op", "|", left, right]:
            return paths(left, start) + paths(right, start)
        case ["member", name]:
            whole = start.element.type == name or name in ("Resource", "DomainResource")
            return [start] if whole and not start.steps else _into(start, name)
        case [".", left, right]:
            return [end for path in paths(left, start) for end in _follow(right, path)]
        case ["as", left, kind]:
            return [path for path in paths(left, start) if path.element.type == kind]
        case ["at", left, ["literal", 0]]:
            return [path._replace(steps=(*path.steps, First())) for path in paths(left, start)]
        case ["this"]:
            return [start]
    raise Irregular(tree[0])


def _follow(tree: Tree, path: Path) -> list[Path]:
    match tree:
        case ["member", name]:
            return _into(path, name)
        case ["call", "ofType" | "as", [["member", kind]]]:
            return [path] if path.element.type == kind else []
        case ["call", "where", [["is", ["call", "resolve", []], kind]]]:
            return [path._replace(targets=(*path.targets, kind))]
        case ["call", "where", [["op", "=", ["member", name], ["literal", value]]]]:
            return [path._replace(steps=(*path.steps, Where(name, value)))]
        case ["call", "first", []]:
            return [path._replace(steps=(*path.steps, First()))]
    raise Irregular(tree[0])


def _into(path: Path, name: str) -> list[Path]:
    properties = table(path.element.type)
    if properties is None:
        return []
    return [
        Path((*path.steps, Key(key)), element)
        for key, element in properties.elements.items()
        if name in (key, element.choice)
    ]
