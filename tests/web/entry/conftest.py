"""The way in as app serves it, on a real database, with a real browser."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.web import browsing
from tools.ports import free_port

from bedside.access import settings
from bedside.access.routes import ROUTES as ACCESS
from bedside.access.routes import Sessions
from bedside.foundation.context import Ctx
from bedside.foundation.http import Errors, Guard
from bedside.foundation.jobs import Worker
from bedside.messaging import settings as messaging_settings
from bedside.messaging.subscribers import JOBS
from bedside.visits import routes as visits_routes
from bedside.visits import settings as visits_settings
from bedside.web import admin, clinician, entry, kit, visit, wall
from bedside.web.clinician import prescribe


def _told(event: str, *, exc_info: BaseException, **_: object) -> None:
    """What went wrong in the site, for whoever reads the test's output."""
    traceback.print_exception(exc_info)


ENTRY: list[BaseRoute] = [*kit.ROUTES, *ACCESS, *entry.ROUTES, *admin.ROUTES]
"""The way in alone: each person's first page is their account."""
STAFF: list[BaseRoute] = [
    *ENTRY,
    *visits_routes.ROUTES,
    *visit.ROUTES,
    *prescribe.ROUTES,
    *clinician.ROUTES,
    *wall.ROUTES,
]
"""And the pages on which staff show again who they are."""


@pytest.fixture
async def site(ctx: Ctx, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a running site; signed in nobody, demo on."""
    async with serving(ctx, tmp_path, ENTRY) as base:
        yield base


@pytest.fixture
async def clinic(ctx: Ctx, tmp_path: Path) -> AsyncIterator[str]:
    """The same, with the pages of staff."""
    async with serving(ctx, tmp_path, STAFF) as base:
        yield base


@asynccontextmanager
async def serving(ctx: Ctx, home: Path, routes: list[BaseRoute]) -> AsyncIterator[str]:
    """A site of these pages, until left."""

    class Ours:
        def __init__(self, app: ASGIApp) -> None:
            self.sessions = Sessions(app, ctx.database, ctx.bus, ctx.clock)

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.sessions(scope, receive, send)

    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(Errors, page=kit.error_page, log=_told),
            Middleware(Guard),
            Middleware(Ours),
        ],
    )
    app.state.clinic = kit.Clinic("Riverside Clinic", "+1 555 0100", "911", "America/New_York")
    app.state.visits = visits_settings.VisitSettings()
    port = free_port()
    base = f"http://localhost:{port}"
    settings.use(ctx.database, settings.Settings(home=home, public_url=base, demo=True, answer_after=0.0))
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


async def authenticator(context: BrowserContext, page: Page) -> None:
    """A telephone's own authenticator, as Chromium simulates it: resident keys, user verification."""
    devtools = await context.new_cdp_session(page)
    await devtools.send("WebAuthn.enable")
    await devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
