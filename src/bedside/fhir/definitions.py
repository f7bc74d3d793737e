"""FHIR R4 as published (4.0.1), from the data that tools/build_definitions.py packs; loaded lazily, type by type."""

from collections.abc import Mapping
from typing import Literal

import msgspec

SearchType = Literal["number", "date", "string", "token", "reference", "composite", "quantity", "uri", "special"]


class Component(msgspec.Struct, frozen=True):
    """One part of a composite parameter: a parameter's code, and its FHIRPath from the composite's context."""

    code: str
    expression: str


class SearchParameter(msgspec.Struct, frozen=True):
    """A standard search parameter of one resource type.

    targets: the types a reference parameter may lead to. components: of a composite.
    """

    code: str
    type: SearchType
    expression: str
    url: str
    description: str = ""
    targets: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()


def resource_types() -> frozenset[str]:
    """The concrete resource types of R4."""
    raise NotImplementedError


def search_parameters(type: str) -> Mapping[str, SearchParameter]:  # noqa: A002  FHIR's own name
    """Code to parameter of a resource type, those of Resource (`_id`, `_tag`, …) included; {} if unknown."""
    raise NotImplementedError(type)


def compartment(name: str) -> Mapping[str, tuple[str, ...]]:
    """Resource type to the reference parameters that place it in the compartment (Patient, Encounter, …)."""
    raise NotImplementedError(name)
