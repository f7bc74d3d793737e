"""/healthz (alive), /readyz (engines reachable, migrations done), /metrics (Prometheus)."""

from __future__ import annotations

import asyncio

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bedside.foundation import telemetry
from bedside.foundation.errors import BedsideError
from bedside.foundation.migrate import standing
from bedside.foundation.settings import Ground


async def healthz(_: Request) -> Response:
    """This process answers."""
    return PlainTextResponse("alive\n")


async def readyz(request: Request) -> Response:
    """200 when everything that a request needs is there, else 503; JSON naming each part and its state."""
    ground: Ground = request.app.state.ground
    parts = {"database": "ready", "migrations": "ready", "bus": "ready" if ground.bus.connected else "away"}
    try:
        async with asyncio.timeout(3), ground.database.connection() as sql:
            missing = (await standing(sql)).missing
            if missing:
                parts["migrations"] = f"{missing} missing"
    except (BedsideError, TimeoutError, OSError):
        parts["database"], parts["migrations"] = "away", "unknown"
    ready = all(state == "ready" for state in parts.values())
    return Response(orjson.dumps({"ready": ready, **parts}), 200 if ready else 503, media_type="application/json")


async def metrics(_: Request) -> Response:
    """Counts and durations, without health data."""
    return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")


ROUTES: list[BaseRoute] = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
]
