"""The web application: every room's routes behind one stack of middleware."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside import access
from bedside.access import routes as access_routes
from bedside.app.rooms import ROUTES, WEB, open_ground
from bedside.demo import guide
from bedside.foundation import telemetry
from bedside.foundation.backup import settings as backup_settings
from bedside.foundation.bounded import Bounded
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Invalid, NotFound
from bedside.foundation.http import Errors, Guard
from bedside.foundation.measured import Measured
from bedside.foundation.named import OneName
from bedside.foundation.settings import Ground, Settings
from bedside.records import routes as records_routes
from bedside.visits import settings as visits_settings
from bedside.web import devices, kit
from bedside.web.admin import shown


class Recognised:
    """access's session middleware, made once the engines are open: who asks, and their ctx."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sessions: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.sessions is None and scope["type"] in {"http", "websocket"}:
            ground: Ground = scope["app"].state.ground
            self.sessions = access_routes.Sessions(self.app, ground.database, ground.bus, ground.clock)
        await (self.sessions or self.app)(scope, receive, send)


def build_web(settings: Settings, stopping: asyncio.Event | None = None) -> ASGIApp:
    """The whole web application. stopping: set when the program stops; found at app.state.stopping."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ground = await open_ground(settings, "web", connections=8, patient=True, patience=PATIENCE)
            stack.push_async_callback(ground.close)
            app.state.ground = ground
            pulse = asyncio.create_task(ground.database.watch())
            stack.callback(pulse.cancel)
            await stack.enter_async_context(_whose(app, ground))
            for enter in WEB:
                await stack.enter_async_context(enter(ground))
            yield

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={HTTPException: _as_ours},
        middleware=[
            Middleware(Measured),
            Middleware(Errors, page=kit.error_page, log=telemetry.logger("web").error),
            Middleware(Bounded, doors=records_routes.BOUNDS),
            Middleware(Guard, origins=frozenset({settings.public_url}), secure=settings.secure),
            Middleware(OneName, public_url=settings.public_url, public_host=settings.public_host),
            Middleware(Recognised),
        ],
    )
    app.state.settings = settings
    app.state.stopping = stopping or asyncio.Event()
    app.state.visits = visits_settings.VisitSettings(settings.turn_urls, settings.turn_secret, kit.told_to)
    app.state.clinic = kit.Clinic()
    app.state.mqtt = _mqtt(settings)
    app.state.backups = _newest_backup(settings.home)
    app.state.suggest = guide.suggest if settings.demo else None
    if settings.trusted_proxy:
        wrapped: ASGIApp = wrap_asgi_with_proxy_headers(app, trusted_hosts=settings.trusted_proxy)
        return wrapped
    return app


def _mqtt(settings: Settings) -> devices.Door:
    """Where devices connect, as their cards say: as this installation is reached, unless BEDSIDE_MQTT_PUBLIC says."""
    said = os.environ.get("BEDSIDE_MQTT_PUBLIC")
    if said:
        return devices.Door.of_url(said)
    host = urlsplit(settings.public_url).hostname or "localhost"
    return devices.Door(host, settings.mqtt_port, settings.tls_cert is not None)


def _newest_backup(home: Path) -> Callable[[Ctx], Awaitable[datetime | None]]:
    """When the newest base was made, as the process that makes them noted it."""

    async def newest(_: Ctx) -> datetime | None:
        return backup_settings.state(home).based

    return newest


PATIENCE = 8.0
"""Seconds that a request waits for what somebody else holds, before it is told so."""
LOOKS = 5.0
"""Seconds between two looks at whose clinic this is: it may be changed in another process."""


@asynccontextmanager
async def _whose(app: Starlette, ground: Ground) -> AsyncIterator[None]:
    """app.state.clinic is what the clinic says of itself, within LOOKS."""

    async def look() -> None:
        found = await access.clinics.known(ground.database)
        if found is not None:
            app.state.clinic = shown(found)

    async def keep_looking() -> None:
        while True:
            await asyncio.sleep(LOOKS)
            with suppress(Exception):  # the database is away: what was known holds
                await look()

    with suppress(BedsideError):
        await look()
    task = asyncio.create_task(keep_looking())
    try:
        yield
    finally:
        task.cancel()


async def _as_ours(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses is told as everything else is."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        raise NotFound(
            N_("There is nothing at this address."), remedy=N_("Check the address, or begin at the start page.")
        )
    refusal = Invalid(N_("This address does not take that."), remedy=N_("Check the method and what is sent."))
    refusal.status = status
    raise refusal
