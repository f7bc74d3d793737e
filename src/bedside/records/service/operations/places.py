"""Where a call of an operation goes: its path taken apart, by the table of operations."""

from collections.abc import Sequence
from typing import NamedTuple

from bedside.fhir import references
from bedside.fhir.definitions import resource_types
from bedside.foundation.errors import NotFound
from bedside.records.model.operation import Level, Operation
from bedside.records.model.refusals import NotServed, refuse
from bedside.records.service.operations.table import OPERATIONS


class Place(NamedTuple):
    """Where a call goes."""

    operation: Operation
    type: str | None = None
    id: str | None = None
    version: int | None = None


def place_of(parts: Sequence[str]) -> Place:
    """Take the path of a call apart. Raises NotServed, NotFound, Refused."""
    name, before = parts[-1], parts[:-1]
    version = None
    match before:
        case []:
            level: Level = "system"
        case [_]:
            level = "type"
        case [_, _]:
            level = "instance"
        case [_, _, "_history", number] if number.isascii() and number.isdecimal() and len(number) < 10:
            level, version = "instance", int(number)
        case _:
            raise NotServed("No operation is called at this address.", where=name[:64])
    type_ = before[0] if before else None
    if type_ is not None and type_ not in resource_types():
        raise NotFound("There is no such resource type in FHIR R4.", where=type_[:64])
    id_ = before[1] if level == "instance" else None
    if id_ is not None and not references.is_id(id_):
        raise refuse("value", f"{type_}.id", "An id is 1 to 64 letters, digits, hyphens, full stops.", status=400)
    for one in OPERATIONS:
        if f"${one.name}" == name and one.serves(level, type_):
            if version is not None and one.name != "meta":
                break
            return Place(one, type_, id_, version)
    raise NotServed("This operation is not served here.", where=name[:64])
