"""An operation of FHIR (`$everything`, …): what it is called, where, and what does it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from bedside.records.model.given import Given

Level = Literal["system", "type", "instance"]


class Call(NamedTuple):
    """One call. type and id: of the address, None where it names none. version: of the address. given: the parameters.
    base: `https://host/fhir/R4`. path: the operation's own below it, `/Patient/1/$everything`. bases: as references
    may begin."""

    type: str | None
    id: str | None
    version: int | None
    given: Given
    base: str
    path: str


class Reply(NamedTuple):
    """What is answered: the bytes of a resource."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}


class Operation(NamedTuple):
    """One operation on some levels of some types.

    name: without `$`. levels: where it is called. types: for which types, None for all. action: what the audit calls
    it. affects: whether it changes the record, so that GET is refused. judges: whether it takes a resource that is
    faulty, in order to say so. run: does it in a unit of work. definition: its canonical URL.
    """

    name: str
    levels: frozenset[Level]
    types: frozenset[str] | None
    action: str
    run: Callable[[Any, Call], Awaitable[Reply]]
    definition: str
    affects: bool = False
    judges: bool = False

    def serves(self, level: Level, type_: str | None) -> bool:
        """Whether it is called there."""
        return level in self.levels and (self.types is None or type_ in self.types or type_ is None)
