"""Where devices hand in: the same address and credentials as at Bedside's own HTTPS door."""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bedside.gateway.passing_on import PassingOn
from bedside.gateway.resolving import CBOR, JSON, NotSenml, resolved
from bedside.gateway.store import Full, Journal

MOST_BYTES: Final = 1024 * 1024
"""In one message: as Bedside itself takes."""


def door(journal: Journal, passing_on: PassingOn, passwords: Mapping[str, str]) -> Starlette:
    """The application. 202: it is on disk here and on its way; anything else: send it again."""

    async def readings(request: Request) -> Response:
        device = request.path_params["device"]
        if not _signed_in(request, device, passwords):
            headers = {"www-authenticate": 'Basic realm="bedside devices", charset="UTF-8"'}
            return _json({"error": "A device of this gateway signs in here."}, 401, headers)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in {JSON, CBOR}:
            return _json({"error": f"A gateway takes {JSON} and {CBOR}."}, 415)
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _json({"error": "A message may have 1 MB."}, 413)
        at = time.time()
        try:
            kept, records = resolved(bytes(body), media, at)
        except NotSenml as error:
            return _json({"error": f"This is no SenML pack: {error}."}, 400)
        try:
            number = await run_in_threadpool(journal.put, device, media, kept, at)
        except Full:
            return _json({"error": "There is no room here: it was not kept."}, 507, {"retry-after": "60"})
        passing_on.news(device)
        return _json({"kept": number, "records": records}, 202)

    async def health(request: Request) -> Response:  # noqa: ARG001, RUF100 - a route takes a request
        standing = await run_in_threadpool(journal.standing)
        return _json({**standing._asdict(), "reached_at": passing_on.reached_at}, 200)

    return Starlette(
        routes=[Route("/devices/{device}/readings", readings, methods=["POST"]), Route("/healthz", health)]
    )


def _signed_in(request: Request, device: str, passwords: Mapping[str, str]) -> bool:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    known = passwords.get(device, "")
    right = hmac.compare_digest(password.encode(), known.encode())
    return kind.lower() == "basic" and name == device and bool(known) and right


def _json(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type="application/json")
