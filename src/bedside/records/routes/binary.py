"""Binary over HTTP (hl7.org/fhir/R4/binary.html#rest): as its own media type or as FHIR JSON, streamed both ways."""

import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bedside import access
from bedside.fhir import references, structure
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.records.model import contents as model
from bedside.records.model.bundle import etag
from bedside.records.model.contents import Content
from bedside.records.model.json import encode
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.routes import ranges
from bedside.records.routes.answer import answer, version_headers, written
from bedside.records.routes.request import JSON, Address, prefer
from bedside.records.routes.unsupported import Unsupported
from bedside.records.service import contents, reading
from bedside.records.service.writing import Draft, write

MOST_POSTED = 140 * 1024 * 1024
"""Bytes of a body: what a Binary holds, as base64, with room."""
_CONTEXT = "x-security-context"
# A content is somebody's upload: shown by itself it must run nothing and reach nothing of Bedside.
_SAFE = {"content-security-policy": "default-src 'none'; sandbox", "content-disposition": "attachment"}


async def take(request: Request, place: Address) -> Response | None:
    """The answer to a request for a Binary's content; None for all else, Binary's other interactions too."""
    match place.parts, request.method:
        case ["Binary"], "POST":
            return await _write(request, place, None)
        case ["Binary", id_], "PUT" if references.is_id(id_):
            return await _write(request, place, id_)
        case ["Binary", id_], "GET" | "HEAD" if references.is_id(id_):
            return await _read(request, place, id_, None)
        case ["Binary", id_, "_history", number], "GET" | "HEAD" if references.is_id(id_) and _is_version(number):
            return await _read(request, place, id_, int(number))
    return None


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


# -- in ------------------------------------------------------------------------------------------------------------


async def _write(request: Request, place: Address, id_: str | None) -> Response | None:
    if request.headers.get("if-none-exist") or (id_ is None and _narrowed(place)):
        return None  # conditional writes go the way of every type
    ctx = ctx_of(request)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        if _kind(request) in JSON:
            return None
        raise Unsupported("A content is sent as it is.", where="Content-Encoding", remedy="Send it plain.")
    given = await (_of_json if _kind(request) in JSON else _of_content)(request, ctx, id_)
    try:
        return await _kept(request, place, ctx, id_, *given)
    except BaseException:
        if given[1] is not None:
            await contents.drop(ctx, given[1].id)
        raise


def _narrowed(place: Address) -> bool:
    return any(name not in ("_format", "_pretty") for name, _ in place.pairs)


async def _of_content(request: Request, ctx: Ctx, id_: str | None) -> tuple[dict[str, Any], Content | None]:
    media = request.headers.get("content-type", "").strip()
    if not media:
        raise Unsupported("Say what it is.", where="Content-Type", remedy="Send its media type, such as image/jpeg.")
    made: dict[str, Any] = {"resourceType": "Binary", "contentType": media}
    if id_ is not None:
        made["id"] = id_
    if context := request.headers.get(_CONTEXT):
        made["securityContext"] = {"reference": context.removeprefix(f"{request.base_url}fhir/R4/")}
    if issues := structure.validate(made):
        raise Refused(issues)
    await _may(ctx, made, id_)
    return made, await contents.take(ctx, request.stream())


async def _may(ctx: Ctx, made: dict[str, Any], id_: str | None) -> None:
    """Nobody fills the disk who may not write: asked before the bytes are taken in, and again when they are kept."""
    async with access.work(ctx, "wrote Binary", readonly=True) as inner:
        await contents.authorise(inner, made, "C" if id_ is None else "UC")


async def _of_json(request: Request, ctx: Ctx, id_: str | None) -> tuple[dict[str, Any], Content | None]:
    """The resource without its data, and the data beside it where there is much."""
    lifted = model.Lifted()
    if ctx.actor.kind != "person":  # theirs depends on the patient, whom the body names
        await _may(ctx, {"resourceType": "Binary"}, id_)
    parts = _parts(request, lifted)
    small = bytearray()
    async for part in parts:
        small += part
        if len(small) > model.INLINE:
            break
    content: Content | None = None
    if len(small) > model.INLINE:

        async def all_of_it() -> AsyncIterator[bytes]:
            yield bytes(small)
            async for part in parts:
                yield part

        content = await contents.take(ctx, all_of_it())
    try:
        made, issues = _understood(lifted)
        if issues:
            raise Refused(issues)
    except BaseException:
        if content is not None:
            await contents.drop(ctx, content.id)
        raise
    if content is not None:
        made.pop("data", None)
    elif lifted.lifted:
        made["data"] = base64.b64encode(bytes(small)).decode()
    return made, content


def _understood(lifted: model.Lifted) -> tuple[dict[str, Any], list[Any]]:
    raw = bytes(lifted.rest)
    try:
        made = structure.read(raw)
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None
    if lifted.lifted:
        made.pop("data", None)  # its place was kept by an empty text, which is no value of FHIR
        raw = encode(made)
    try:
        return structure.accept(raw)
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None


async def _parts(request: Request, lifted: model.Lifted) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        for part in lifted.feed(chunk):
            yield part


async def _kept(
    request: Request, place: Address, ctx: Ctx, id_: str | None, made: dict[str, Any], content: Content | None
) -> Response:
    if made.get("resourceType") != "Binary":
        raise refuse("value", "resourceType", "This address takes a Binary.", status=400)
    if id_ is not None and made.get("id") != id_:
        raise refuse("value", "Binary.id", "The resource's id must be the address's.", status=400)
    if content is not None:
        await contents.inspect(ctx, content, str(made["contentType"]))
    if_match = etag(request.headers.get("if-match"), "If-Match")

    async def once() -> Stored:
        draft = Draft("create", "Binary", uuid7(), made, checked=True)
        if id_ is not None:
            draft = Draft("put", "Binary", id_, made, if_match=if_match, checked=True)
        async with access.work(ctx, "wrote Binary") as inner:
            if content is None:
                return (await write(inner, [draft]))[0]
            return await contents.keep(inner, draft, content)

    one = await ctx.database.attempt(once)
    wish = prefer(request)
    response = written(one, place.base, wish.returns, created=one.created, pretty=("_pretty", "true") in place.pairs)
    if one.created:
        response.headers["location"] = f"{place.base}/{one.reference}/_history/{one.version}"
    return response


# -- out -----------------------------------------------------------------------------------------------------------


def _as_json(request: Request, place: Address) -> bool:
    """Whether the resource is wanted, not the content: by Accept, or by _format."""
    if any(name == "_format" for name, _ in place.pairs):
        return True
    kinds = [part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")]
    return bool(set(kinds) & JSON) and kinds[0] != "*/*"


async def _read(request: Request, place: Address, id_: str, number: int | None) -> Response | None:
    if _narrowed(place) or "fhir+xml" in request.headers.get("accept", ""):
        return None
    ctx = ctx_of(request)
    async with access.work(ctx, "read Binary", readonly=True) as inner:
        one = await (
            reading.read(inner, "Binary", id_) if number is None else reading.version(inner, "Binary", id_, number)
        )
        content = await contents.of(inner, one)
    headers = version_headers(one)
    known = request.headers.get("if-none-match")
    if known is not None and headers["etag"] in [part.strip() for part in known.split(",")]:
        return Response(None, 304, headers)
    if _as_json(request, place):
        if content is None:
            return answer(one.body, 200, headers, pretty=("_pretty", "true") in place.pairs)
        return _json(request, ctx, one, content, headers)
    return _native(request, ctx, one, content, headers)


def _native(request: Request, ctx: Ctx, one: Stored, content: Content | None, headers: dict[str, str]) -> Response:
    binary = one.resource
    media = str(binary["contentType"])
    headers |= {**_SAFE, "content-type": media}
    with suppress(UnicodeEncodeError, KeyError):
        context = str(binary["securityContext"]["reference"]).encode("ascii").decode()
        headers[_CONTEXT] = context
    if content is not None:
        headers["repr-digest"] = f"sha-256=:{_base64(content.sha256)}:"  # RFC 9530
        return ranges.stream(
            request, content.size, headers, lambda start, length: contents.parts(ctx, content, start, length)
        )
    raw = base64.b64decode("".join(str(binary.get("data", "")).split()))

    async def part(start: int, length: int) -> AsyncIterator[bytes]:
        yield raw[start : start + length]

    return ranges.stream(request, len(raw), headers, part)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _json(request: Request, ctx: Ctx, one: Stored, content: Content, headers: dict[str, str]) -> Response:
    size = contents.json_size(one.body, content)
    headers |= {"content-type": "application/fhir+json; charset=utf-8", "content-length": str(size)}
    if request.method == "HEAD":
        return Response(None, 200, headers)
    return StreamingResponse(contents.as_json(ctx, one.body, content), 200, headers)
