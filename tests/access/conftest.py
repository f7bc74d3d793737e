"""Access over HTTP as app builds it: foundation's Errors and Guard around the session middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bedside.access import settings
from bedside.access.routes import ROUTES, Sessions
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import Errors, Guard, ctx_of


@pytest.fixture(autouse=True)
def chosen(request: pytest.FixtureRequest, tmp_path: Path) -> settings.Settings | None:
    """This test's settings, for the tests that have a database."""
    if "database" not in request.fixturenames:
        return None
    made = settings.Settings(home=tmp_path, demo=True, answer_after=0.0)
    settings.use(request.getfixturevalue("database"), made)
    return made


async def who(request: Request) -> Response:
    """Says whom the middleware recognised."""
    ctx = ctx_of(request)
    return JSONResponse(
        {
            "kind": ctx.actor.kind,
            "id": ctx.actor.id,
            "roles": sorted(ctx.actor.roles),
            "scopes": sorted(ctx.actor.scopes),
            "purpose": ctx.purpose,
        }
    )


async def _page(_: Request, error: BedsideError) -> Response:
    return PlainTextResponse(error.message, error.status)


Browser = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def browser(ctx: Ctx) -> AsyncIterator[Browser]:
    """Makes HTTP clients, each with cookies of its own."""
    app = Starlette(routes=[Route("/who", who, methods=["GET", "POST"]), *ROUTES])
    stack = Errors(Guard(Sessions(app, ctx.database, ctx.bus, ctx.clock)), _page, lambda *_, **__: None)
    opened: list[httpx.AsyncClient] = []

    def make(**headers: str) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(stack), base_url="http://localhost:8000", headers=headers
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        await client.aclose()
