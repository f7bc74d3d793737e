"""Calls of operations: `/Patient/1/$everything` and the like, by the table of operations."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from starlette.requests import Request

from bedside.fhir import structure
from bedside.foundation.aside import aside
from bedside.foundation.errors import TooLarge
from bedside.records.model.given import Given
from bedside.records.model.operation import Call
from bedside.records.model.refusals import NotAllowed, Refused
from bedside.records.routes.request import Address, check_type, kind, prefer, raw_body, resource
from bedside.records.service.operations.places import Place


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
        return await aside(partial(structure.read, raw)) if raw else None
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None
