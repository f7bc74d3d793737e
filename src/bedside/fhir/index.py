"""What a resource says under each search parameter of its type: the values a store keeps to find it again.

`_id` and `_lastUpdated` are not here: the store knows them better than the resource.
"""

from collections.abc import Mapping
from typing import Any

from bedside.fhir.extraction import plan
from bedside.fhir.values import (
    Composite,
    Date,
    Index,
    Number,
    Quantity,
    ReferenceTo,
    String,
    Token,
    Uri,
)

__all__ = ["Composite", "Date", "Index", "Number", "Quantity", "ReferenceTo", "String", "Token", "Uri", "extract"]


def extract(
    resource: Mapping[str, Any], *, composites: bool = True, only: frozenset[str] | None = None, apart: bool = False
) -> Index:
    """The index values of every search parameter of the resource's type, `_tag`, `_profile` and such included.

    The resource is one that structure.validate has passed. An unknown type has no values. only: the codes wanted; the
    work for all others is saved (pass the same set again and again: a plan is made for each). apart: keep what stands
    in one item of an array together, in `Index.parts`, where a composite parameter asks what stands together.
    """
    index = Index()
    plan(str(resource.get("resourceType")), only).run(resource, index, composites=composites, apart=apart)
    return index
