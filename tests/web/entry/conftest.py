"""The way in as app serves it, on a real database, with a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.web import browsing

from bedside.access import settings
from bedside.access.routes import ROUTES as ACCESS
from bedside.access.routes import Sessions
from bedside.foundation.context import Ctx
from bedside.foundation.http import Errors, Guard
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging.subscribers import JOBS
from bedside.web import admin, entry, kit


@pytest.fixture
async def site(ctx: Ctx, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running site; signed in nobody, demo on."""

    class Ours:
        def __init__(self, app: ASGIApp) -> None:
            self.sessions = Sessions(app, ctx.database, ctx.bus, ctx.clock)

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.sessions(scope, receive, send)

    app = Starlette(
        routes=[*kit.ROUTES, *ACCESS, *entry.ROUTES, *admin.ROUTES],
        middleware=[
            Middleware(Errors, page=kit.error_page, log=lambda *_, **__: None),
            Middleware(Guard),
            Middleware(Ours),
        ],
    )
    app.state.clinic = kit.Clinic("Riverside Clinic", "+1 555 0100", "911", "America/New_York")
    port = browsing.free_port()
    base = f"http://localhost:{port}"
    settings.use(ctx.database, settings.Settings(home=tmp_path, public_url=base, demo=True, answer_after=0.0))
    messaging_settings.use(ctx.database, messaging_settings.Settings(demo=True))
    async with browsing.serving(app, port, "localhost") as address:
        yield address


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browsing.chromium() as browser:
        yield browser


@pytest.fixture
def delivered(ctx: Ctx) -> Callable[[], Awaitable[None]]:
    """Deliver what waits in messaging's jobs."""

    async def run() -> None:
        await Worker(ctx.database, ctx.bus, ctx.clock, JOBS).run_due()

    return run
