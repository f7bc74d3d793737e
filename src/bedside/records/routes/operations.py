"""Calls of operations: `/Patient/1/$everything` and the like, by the table of operations."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request

from bedside.fhir import references, structure
from bedside.fhir.definitions import resource_types
from bedside.foundation.errors import NotFound, TooLarge
from bedside.records.model.given import Given
from bedside.records.model.operation import Call, Level, Operation
from bedside.records.model.refusals import Refused, refuse
from bedside.records.routes.answer import NotAllowed, NotServed
from bedside.records.routes.request import Address, check_type, kind, prefer, raw_body, resource
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


async def call(request: Request, address: Address, method: str, place: Place) -> Call:
    """The call as it came, its body within limits. Raises NotAllowed, Unsupported, TooLarge, Refused."""
    operation = place.operation
    only_post = operation.affects or operation.posted
    if method not in ("GET", "POST") or (method == "GET" and only_post):
        only = "POST" if only_post else "GET and POST"
        raise NotAllowed(f"Only {only} here.", where=request.method)
    if request.method == "HEAD" and operation.keeps:
        raise NotAllowed("Only GET and POST here.", where="HEAD")
    posted, streams = method == "POST", kind(request) in operation.streams
    body = await _body(request, judges=operation.judges) if posted and not streams else None
    query, wish = request.scope["query_string"].decode("ascii", "replace"), prefer(request)
    path = "/" + "/".join(address.parts)
    return Call(
        place.type,
        place.id,
        place.version,
        Given.posted(address.pairs, body),
        address.base,
        path,
        asked=f"{address.base}{path}" + (f"?{query}" if query else ""),
        posted=posted,
        strict=wish.strict,
        background=wish.background,
        content=_bounded(request) if streams else None,
    )


MOST_STREAMED = 1 << 30
"""Bytes of NDJSON that $import takes in one request."""
_TOO_LARGE = "An import takes at most %(most)s MB at once."


async def _bounded(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_STREAMED:
            raise TooLarge(_TOO_LARGE, remedy="Send it in parts.", most=MOST_STREAMED >> 20)
        yield chunk


async def _body(request: Request, *, judges: bool) -> dict[str, Any] | None:
    if request.headers.get("content-length") == "0" or not (
        request.headers.get("content-type") or request.headers.get("content-length")
    ):
        return None
    if not judges:
        return await resource(request)
    check_type(request)
    raw = await raw_body(request)
    try:
        return structure.read(raw) if raw else None
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None
