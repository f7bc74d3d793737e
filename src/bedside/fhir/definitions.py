"""FHIR R4 as published (4.0.1), from the data that tools/build_definitions.py packs.

Everything is decoded at first use, table by table, so that a process pays only for the types it meets.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

import msgspec

SearchType = Literal["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]


class Constraint(msgspec.Struct, frozen=True, array_like=True):
    """An invariant. expression: its FHIRPath as published; tree: the same, parsed (fhirpath.syntax)."""

    key: str
    severity: Literal["error", "warning"]
    human: str
    expression: str
    tree: list[Any]


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One JSON property of a resource, datatype or backbone element.

    type: a datatype or, for a backbone element, the table of its own (`Observation.component`); "Resource" for a whole
    resource. many: a JSON array. choice: for `valueQuantity`, `value`. binding: number of its required code set.
    targets: the types a Reference may lead to, () for any. constraints: numbers of invariants on this element alone.
    """

    name: str
    type: str
    many: bool
    min: int
    choice: str
    binding: int | None
    targets: tuple[str, ...]
    summary: bool
    constraints: tuple[int, ...]


class Table(msgspec.Struct, frozen=True, array_like=True):
    """The properties of a type by JSON name, and the numbers of the invariants each instance must hold."""

    elements: dict[str, Element]
    constraints: tuple[int, ...]


class Component(msgspec.Struct, frozen=True, array_like=True):
    """One part of a composite parameter: a parameter's code and type, and its path from the composite's context."""

    code: str
    type: SearchType
    tree: list[Any]


class SearchParameter(msgspec.Struct, frozen=True, array_like=True):
    """A standard search parameter of one resource type.

    expression: its FHIRPath as published; tree: the parts that concern this type, parsed (None where there is none).
    targets: the types a reference parameter may lead to. components: of a composite.
    """

    code: str
    type: SearchType
    expression: str
    url: str
    description: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()
    tree: list[Any] | None = None


class CodeSet(msgspec.Struct, frozen=True, array_like=True):
    """A required value set: its URL, the codes by system, and all codes together (for plain codes)."""

    url: str
    systems: dict[str, frozenset[str]]

    @property
    def codes(self) -> frozenset[str]:
        """Every code, whatever its system."""
        return frozenset().union(*self.systems.values())


COMPARTMENTS = frozenset({"Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"})
"""The compartments of R4."""

FORMAT = 4
"""Of the pack; raised with every change to what the structures above hold, or of which parameters there are."""


class _Pack(msgspec.Struct, frozen=True):
    version: str
    types: tuple[str, ...]
    tables: dict[str, msgspec.Raw]
    code_sets: tuple[msgspec.Raw, ...]
    constraints: tuple[msgspec.Raw, ...]
    search: dict[str, msgspec.Raw]
    compartments: dict[str, dict[str, tuple[str, ...]]]


class _Header(msgspec.Struct, frozen=True):
    format: int = 0


@cache
def _pack() -> _Pack:
    packed = files("bedside.fhir").joinpath("data", "definitions.msgpack")
    try:
        raw = packed.read_bytes()
    except FileNotFoundError:
        raise RuntimeError("The FHIR definitions are not built: run `make setup`.") from None
    if msgspec.msgpack.decode(raw, type=_Header).format != FORMAT:
        raise RuntimeError("The FHIR definitions are of another version of Bedside: run `make setup`.")
    return msgspec.msgpack.decode(raw, type=_Pack)


@cache
def version() -> str:
    """The FHIR version of the definitions: 4.0.1."""
    return _pack().version


@cache
def resource_types() -> frozenset[str]:
    """The concrete resource types of R4."""
    return frozenset(_pack().types)


@cache
def table(name: str) -> Table | None:
    """The properties of a resource type, complex datatype or backbone element (`Observation.component`)."""
    raw = _pack().tables.get(name)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Table)


@cache
def code_set(number: int) -> CodeSet:
    """A required code set by its number in Element.binding."""
    return msgspec.msgpack.decode(_pack().code_sets[number], type=CodeSet)


@cache
def constraint(number: int) -> Constraint:
    """An invariant by its number."""
    return msgspec.msgpack.decode(_pack().constraints[number], type=Constraint)


@cache
def search_parameters(type: str) -> Mapping[str, SearchParameter]:  # noqa: A002  FHIR's own name
    """Code to parameter of a resource type, those of Resource (`_id`, `_tag`, …) included; {} if unknown."""
    raw = _pack().search.get(type)
    if raw is None:
        return MappingProxyType({})
    return MappingProxyType({p.code: p for p in msgspec.msgpack.decode(raw, type=tuple[SearchParameter, ...])})


def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Resource type to the reference parameters that place it in the compartment (Patient, Encounter, …).

    The compartment's own type belongs to it by being it, and may have an empty list. Unknown names give {}.
    """
    return _pack().compartments.get(name, {})


def tables() -> tuple[str, ...]:
    """The names of all tables: resource types, complex datatypes and backbone elements."""
    return tuple(_pack().tables)
