"""HTTP of messaging: where an SMS gateway says what became of a notice (docs/notices.md)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside.foundation.errors import TooLarge
from bedside.foundation.http import ctx_of
from bedside.messaging.model.signature import HEADER
from bedside.messaging.service.arriving import report

LARGEST = 4096
"""Bytes of a report."""


async def reports(request: Request) -> Response:
    """POST /notices/reports: 204 once it is kept; the same again is 204 too."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise TooLarge("A report has 4 kB at most.")
    await report(ctx_of(request), body, request.headers.get(HEADER, ""))
    return Response(status_code=204)


ROUTES: list[BaseRoute] = [Route("/notices/reports", reports, methods=["POST"])]
