"""Composite parameters, answered from the rows of their parts.

A composite says which values must stand together: in the resource, or in one item of an array
(`Observation.component`), whose number stands in the rows of its values.
"""

from functools import cache
from typing import Any, NamedTuple

from bedside.fhir.definitions import SearchParameter, search_parameters
from bedside.fhir.paths import paths, root
from bedside.records.model.rows import shape


class Part(NamedTuple):
    """One part. parameter: whose rows answer for it. whole: whether it is read from the whole resource wherever the
    others stand (`%resource.…`)."""

    parameter: SearchParameter
    whole: bool


class Place(NamedTuple):
    """Where the parts may stand together. apart: in one item of an array. without: parameters that must have no value,
    where a part's parameter reads more than the part does."""

    apart: bool
    parts: tuple[Part, ...]
    without: tuple[SearchParameter, ...] = ()


# The part is `value.as(string)`, while `value-string` also reads the text of a concept.
_NARROWER = {("Observation", "code-value-string", "value-string"): "value-concept"}


@cache
def places(type_: str, code: str) -> tuple[Place, ...]:
    """The places of a composite parameter of a type."""
    known = search_parameters(type_)
    composite = known[code]
    found = []
    for path in paths(composite.tree or [], root(type_)):
        parts, without = [], []
        for component in composite.components:
            # A parameter that stands for two (`combo-code`) stands for one of them in either place.
            both = shape(type_).stands_for.get(component.code, (component.code,))
            own = both[0] if not path.element.many or len(both) == 1 else both[1]
            parts.append(Part(known[own], _from_resource(component.tree)))
            if (other := _NARROWER.get((type_, code, own))) is not None:
                without.append(known[other])
        found.append(Place(path.element.many, tuple(parts), tuple(without)))
    return tuple(found)


def _from_resource(tree: list[Any]) -> bool:
    while tree[0] == ".":
        tree = tree[1]
    return tree[:2] == ["variable", "resource"]
