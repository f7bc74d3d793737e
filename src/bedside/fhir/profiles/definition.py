"""A StructureDefinition that constrains a type, as a tree of elements to walk along a resource."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from bedside.fhir.definitions import resource_types

CORE = "http://hl7.org/fhir/StructureDefinition/"
# Kept for every resource by structure.py; a snapshot repeats them on every element.
EVERYWHERE = frozenset({"ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "txt-1", "txt-2"})
_CHECKED = frozenset({"required", "extensible"})


class BadProfile(ValueError):
    """A StructureDefinition from which no checks can be made; says why, in words."""


class Rule(NamedTuple):
    """An invariant."""

    key: str
    severity: str
    human: str
    expression: str


class Binding(NamedTuple):
    """A value set whose codes are wanted: all of them (required), or where one fits (extensible)."""

    strength: str
    value_set: str


class Discriminator(NamedTuple):
    """How slices are told apart. type: value, pattern, exists, type, profile. path: FHIRPath, of steps alone."""

    type: str
    path: str


class Slicing(NamedTuple):
    """discriminators: all must agree. closed: nothing may be outside the slices."""

    discriminators: tuple[Discriminator, ...]
    closed: bool


class Node(msgspec.Struct):
    """One element as the profile has it.

    name: the step from its parent (`value[x]`). slice: its name where it is one. most: None for any number.
    types: allowed datatypes, () where nothing is said. targets: profiles a Reference may lead to. profiles: what an
    element of its type must satisfy in addition. fixed: the whole value; pattern: what must be in it.
    """

    name: str
    slice: str = ""
    least: int = 0
    most: int | None = None
    types: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    fixed: Any = None
    pattern: Any = None
    binding: Binding | None = None
    rules: tuple[Rule, ...] = ()
    slicing: Slicing | None = None
    children: dict[str, "Node"] = {}
    slices: dict[str, "Node"] = {}

    def every(self) -> Iterator["Node"]:
        """This and all below."""
        waiting = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += [*one.children.values(), *one.slices.values()]


class Profile(NamedTuple):
    """url: without version. type: the type it constrains. base: the definition it is derived from. whole: whether it
    says all that its bases say too (a snapshot)."""

    url: str
    version: str
    type: str
    base: str
    whole: bool
    root: Node

    def value_sets(self) -> set[str]:
        """The value sets that its checks need."""
        return {one.binding.value_set for one in self.root.every() if one.binding is not None}

    def profiles(self) -> set[str]:
        """The further profiles that its checks need: of datatypes and extensions."""
        return {url for one in self.root.every() for url in one.profiles}


def profile_of(resource: Mapping[str, Any]) -> Profile:
    """A StructureDefinition. Raises BadProfile."""
    url, type_ = resource.get("url"), resource.get("type")
    if not isinstance(url, str) or not isinstance(type_, str):
        raise BadProfile("a profile has a url and a type")
    whole = bool((resource.get("snapshot") or {}).get("element"))
    elements = (resource.get("snapshot" if whole else "differential") or {}).get("element")
    if not elements:
        raise BadProfile("a profile has a snapshot or a differential")
    root = Node(type_)
    for one in elements:
        _add(root, one, type_)
    base = str(resource.get("baseDefinition") or f"{CORE}{type_}").partition("|")[0]
    return Profile(url, str(resource.get("version", "")), type_, base, whole, root)


def _add(root: Node, said: Mapping[str, Any], type_: str) -> None:
    steps = str(said.get("id") or said.get("path") or "").split(".")
    if steps[0].partition(":")[0] != type_:
        raise BadProfile("an element is of another type than the profile")
    node = root
    for step in steps[1:]:
        name, _, slice_ = step.partition(":")
        node = node.children.setdefault(name, Node(name))
        if slice_:
            node = node.slices.setdefault(slice_, Node(name, slice_))
    if said.get("sliceName") and not node.slice and node is not root:
        node = node.slices.setdefault(said["sliceName"], Node(node.name, said["sliceName"]))
    _say(node, said)


def _say(node: Node, said: Mapping[str, Any]) -> None:
    node.least = int(said.get("min", node.least))
    node.most = _most(said.get("max"), node.most)
    types = said.get("type") or ()
    if types:
        node.types = tuple(one["code"] for one in types)
        node.targets = tuple(url for one in types for url in one.get("targetProfile", ()))
        node.profiles = tuple(url.partition("|")[0] for one in types for url in one.get("profile", ()))
    for key, value in said.items():
        if key.startswith("fixed"):
            node.fixed = value
        elif key.startswith("pattern"):
            node.pattern = value
    binding = said.get("binding") or {}
    if binding.get("strength") in _CHECKED and binding.get("valueSet"):
        node.binding = Binding(binding["strength"], binding["valueSet"].partition("|")[0])
    node.rules += tuple(
        Rule(one["key"], one.get("severity", "error"), one.get("human", ""), one["expression"])
        for one in said.get("constraint") or ()
        if one.get("expression") and one["key"] not in EVERYWHERE
    )
    slicing = said.get("slicing")
    if slicing:
        discriminators = tuple(Discriminator(one["type"], one["path"]) for one in slicing.get("discriminator") or ())
        node.slicing = Slicing(discriminators, slicing.get("rules") == "closed")


def _most(said: Any, was: int | None) -> int | None:
    if said is None:
        return was
    return None if said == "*" else int(said)


def type_of(url: str, known: Mapping[str, Profile]) -> str | None:
    """The resource type that a profile of a reference's target is of; None for any, or where it is not known."""
    found = known.get(url.partition("|")[0])
    if found is not None:
        return found.type
    name = url.partition("|")[0].removeprefix(CORE)
    return name if name in resource_types() else None


def names(types: Sequence[str]) -> str:
    """In words."""
    return " or ".join(types)
