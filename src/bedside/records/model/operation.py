"""An operation of FHIR (`$everything`, …): what it is called, where, and what does it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Literal, NamedTuple

from bedside.records.model.given import Given

Level = Literal["system", "type", "instance"]


class Call(NamedTuple):
    """One call. type and id: of the address, None where it names none. version: of the address. given: the parameters.
    base: `https://host/fhir/R4`. path: the operation's own below it, `/Patient/1/$everything`. asked: as it was called,
    query included. posted: whether by POST. strict, background: what was preferred. content: a body that is no FHIR
    JSON, as it streams in."""

    type: str | None
    id: str | None
    version: int | None
    given: Given
    base: str
    path: str
    asked: str = ""
    posted: bool = False
    strict: bool = True
    background: bool = False
    content: AsyncIterator[bytes] | None = None


class Reply(NamedTuple):
    """What is answered: the bytes of a resource."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = {}


class Operation(NamedTuple):
    """One operation on some levels of some types.

    name: without `$`. levels: where it is called. types: for which types, None for all. action: what the audit calls
    it. affects: whether it changes the record, so that GET is refused. keeps: whether it writes, though GET may ask for
    it: a job to be done later. posted: whether it takes what no query can say. judges: whether it takes a resource that
    is faulty, in order to say so. streams: media types of bodies that it takes unread. run: does it in a unit of work,
    or, with streams, makes that itself. definition: its canonical URL.
    """

    name: str
    levels: frozenset[Level]
    types: frozenset[str] | None
    action: str
    run: Callable[[Any, Call], Awaitable[Reply]]
    definition: str
    affects: bool = False
    judges: bool = False
    keeps: bool = False
    posted: bool = False
    streams: frozenset[str] = frozenset()

    def serves(self, level: Level, type_: str | None) -> bool:
        """Whether it is called there."""
        return level in self.levels and (self.types is None or type_ in self.types or type_ is None)
