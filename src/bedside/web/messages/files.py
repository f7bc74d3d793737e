"""A file of a message, as a download that runs nothing (hazard H129)."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.http import ctx_of


async def file(request: Request) -> Response:
    """GET /messages/{key}/files/{binary}."""
    async with access.work(ctx_of(request), "opened a file of a message", readonly=True) as ctx:
        one, data = await messaging.threads.file(ctx, request.path_params["key"], request.path_params["binary"])
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\;%' else "_" for c in one.name)
    headers = {
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(one.name, safe='')}",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return Response(data, media_type=one.media, headers=headers)


ROUTES: list[BaseRoute] = [Route("/messages/{key}/files/{binary}", file)]
