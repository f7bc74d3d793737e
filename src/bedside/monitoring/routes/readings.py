"""POST /devices/{device}/readings: one message, answered once it is durable, in the format in which it came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import orjson
from starlette.requests import Request
from starlette.responses import Response

from bedside.foundation.aside import aside
from bedside.foundation.errors import BedsideError, Invalid, TooLarge, TooMany, Unavailable
from bedside.foundation.http import ctx_of, outcome
from bedside.monitoring import service
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.devices.service.sign_in import Known
from bedside.monitoring.ingest.model import data_points, observations, senml
from bedside.monitoring.ingest.model.taken import NotAPack, Told
from bedside.monitoring.ingest.service.answers import answer, malformed
from bedside.monitoring.routes import observed
from bedside.monitoring.routes.signing_in import CHALLENGE, MOST_BYTES, device_of

SENML: Final[dict[str, Literal["json", "cbor"]]] = {
    "application/senml+json": "json",
    "application/senml+cbor": "cbor",
}
FHIR: Final = "application/fhir+json"
POINTS: Final = "application/json"
"""Data points of Open mHealth and IEEE 1752.1 have no media type of their own."""
LONG: Final = 16_384
"""Bytes that are decoded in about half a millisecond."""
TAKEN: Final = (*SENML, FHIR, POINTS)


async def post(request: Request) -> Response:
    """What is stored is committed before this answers 2xx; whatever else it answers, what it does not list is to be
    sent again."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        known = await device_of(request)
        if media not in TAKEN or request.headers.get("content-encoding", "identity").lower() != "identity":
            raise _unsupported()
        ctx = ctx_of(request)
        await service.admit(ctx, known)
        body = await _body(request)
        return await _take(request, known, media, body)
    except BedsideError as error:
        return refusal(error, media)


async def _take(request: Request, known: Known, media: str, body: bytes) -> Response:
    ctx = ctx_of(request)
    try:
        received, base = microseconds(ctx.clock.now()), f"{request.app.state.settings.public_url}/fhir/R4/"
        told = await beside(len(body), lambda: _decoded(known, media, body, received, base))
    except NotAPack as error:
        await service.malformed(ctx, known, str(error))
        if media == FHIR:
            return refusal(Invalid(f"This cannot be read: {error}."), media)
        return _json(malformed(str(error)), 400)
    (receipt,) = await service.receive(ctx, known, [told])
    if media == FHIR:
        status, resource, headers = observed.answer(told, known.number)
        return _json(orjson.dumps(resource), status, f"{FHIR}; charset=utf-8", headers)
    nothing = receipt.refused and not receipt.stored
    return _json(answer(receipt), 422 if nothing else 200)


def _decoded(known: Known, media: str, body: bytes, received: int, base: str) -> Told:
    if media in SENML:
        return Told(senml.decode(body, received, SENML[media]))
    if media == FHIR:
        return observations.decode(body, received, known.name, base)
    return data_points.decode(body, received)


async def beside(size: int, decode: Callable[[], Told]) -> Told:
    """What decode returns or raises; beside the event loop where it takes long. size: of the message, bytes."""
    return await aside(decode) if size > LONG else decode()


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise TooLarge("A message may have %(most)s MB.", remedy="Send less at once.", most=MOST_BYTES >> 20)
        parts.append(part)
    return b"".join(parts)


def _unsupported() -> Invalid:
    refusal = Invalid(
        "That media type is not taken here.", where="Content-Type", remedy="Plain, one of: %(taken)s.", taken=TAKEN
    )
    refusal.status, refusal.code = 415, "not-supported"
    return refusal


def refusal(error: BedsideError, media: str = POINTS) -> Response:
    """What a device's door answers instead, in the format of what was sent."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["www-authenticate"] = CHALLENGE
    if isinstance(error, TooMany):
        headers["retry-after"] = str(error.retry_after)
    elif isinstance(error, Unavailable):
        headers["retry-after"] = "5"
    if media == FHIR:
        return _json(orjson.dumps(outcome(error)), error.status, f"{FHIR}; charset=utf-8", headers)
    return _json(refusal_body(error), error.status, headers=headers)


def refusal_body(error: BedsideError) -> bytes:
    """A refusal of the whole request, as JSON."""
    body: dict[str, Any] = {"error": error.message, "where": error.where, "remedy": error.remedy}
    return orjson.dumps(body)


def _json(body: bytes, status: int, media: str = "application/json", headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type=media)
