"""The REST door on a Starlette of its own, with the ctx that a test gives it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside.foundation.context import Ctx
from bedside.records.routes import ROUTES

FHIR = {"content-type": "application/fhir+json"}
Door = Callable[[Ctx], AbstractAsyncContextManager[httpx.AsyncClient]]


class _As:
    def __init__(self, app: ASGIApp, ctx: Ctx) -> None:
        self.app, self.ctx = app, ctx

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["ctx"] = self.ctx
        await self.app(scope, receive, send)


@asynccontextmanager
async def _door(ctx: Ctx) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=ROUTES, middleware=[Middleware(_As, ctx=ctx)])
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/fhir/R4", headers=FHIR) as client:
        yield client


@pytest.fixture
def door() -> Door:
    """`async with door(ctx) as http`: the FHIR door as this ctx meets it."""
    return _door


@pytest.fixture
async def http(ctx: Ctx) -> AsyncIterator[httpx.AsyncClient]:
    """The FHIR door for somebody who may do everything."""
    async with _door(ctx) as client:
        yield client
