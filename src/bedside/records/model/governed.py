"""What another room governs: a generic FHIR write of it is refused with 409 and the operation to use."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Governed(NamedTuple):
    """A kind of resource that one room alone may write, through `records.write_governed`.

    type: FHIR resource type. room: its owner. test: whether a resource of the type (as it stands or as somebody
    would write it) is of this kind. operation: what to use instead, in words for the 409's diagnostics.
    """

    type: str
    room: str
    test: Callable[[dict[str, Any]], bool]
    operation: str
