"""The web's doors for devices on a port of their own, by the server that Bedside runs on."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from tests.web.browsing import serving

from bedside import access, monitoring
from bedside.access import settings as access_settings
from bedside.access.routes import Sessions
from bedside.foundation.bounded import Bounded
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import Errors, Guard
from bedside.monitoring import routes


@dataclass
class Doors:
    """address: http://…; ctx: the program's own, by the machine's clock; mine: of p1; theirs: of p2."""

    address: str
    ctx: Ctx
    mine: monitoring.DeviceCredentials
    theirs: monitoring.DeviceCredentials
    client: httpx.AsyncClient

    async def post(
        self,
        body: bytes,
        media: str = "application/senml+json",
        *,
        device: str | None = None,
        auth: tuple[str, str] | None = None,
    ) -> httpx.Response:
        """As my device, unless told otherwise."""
        return await self.client.post(
            f"{self.address}/devices/{device or self.mine.device}/readings",
            content=body,
            headers={"content-type": media},
            auth=auth or (self.mine.username, self.mine.password),
        )

    async def newest(self, patient: str = "p1") -> dict[str, Any]:
        async with access.work(self.ctx, "looked") as inner:
            return {latest.metric: latest.value for latest in (await monitoring.latest(inner, [patient]))[patient]}


async def no_page(_: Request, error: BedsideError) -> Response:
    return Response(error.message, error.status)


def told(event: str, *, exc_info: BaseException, **_: object) -> None:
    traceback.print_exception(exc_info)


@pytest.fixture
async def doors(ctx: Ctx, bus: Bus, patients: None, tmp_path: Path) -> AsyncIterator[Doors]:
    access_settings.use(ctx.database, access_settings.Settings(home=tmp_path))
    now = ctx.with_(clock=SystemClock(), bus=bus)
    async with access.work(now, "added devices") as inner:
        mine, theirs = [
            await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor", patient=patient))
            for patient in ("p1", "p2")
        ]
    app = Starlette(
        routes=routes.ROUTES,
        middleware=[
            Middleware(Errors, page=no_page, log=told),
            Middleware(Bounded),
            Middleware(Guard),
            Middleware(Sessions, database=now.database, bus=bus, clock=now.clock),
        ],
    )
    async with serving(app) as address, httpx.AsyncClient(timeout=60) as client:
        app.state.settings = SimpleNamespace(public_url=address)
        yield Doors(address, now, mine, theirs, client)
