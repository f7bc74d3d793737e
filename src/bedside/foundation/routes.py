"""/healthz (alive), /readyz (engines reachable, migrations done), /metrics (Prometheus)."""

from __future__ import annotations

import asyncio
from hmac import compare_digest
from ipaddress import ip_address

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bedside.foundation import doctor, jobs, telemetry
from bedside.foundation.errors import N_, BedsideError, NotFound
from bedside.foundation.home import Home
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


async def metrics(request: Request) -> Response:
    """Counts and durations, without health data: for this machine, and elsewhere for who has the token."""
    token = request.app.state.settings.metrics_token
    asked = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not _of_this_machine(request) and not (token and compare_digest(asked.encode(), token.encode())):
        raise NotFound(N_("There is nothing at this address."))
    ground: Ground = request.app.state.ground
    body = telemetry.exposition() + telemetry.shown(await standing_now(ground))
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


async def standing_now(ground: Ground) -> dict[str, tuple[str, float | None]]:
    """What stands at this moment, whoever asks: name to (help, value). What cannot be looked at is left out."""
    found: dict[str, tuple[str, float | None]] = {
        "bedside_bus_connected": ("Whether NATS answers.", float(ground.bus.connected)),
        **await asyncio.to_thread(doctor.numbers, Home(ground.settings.home)),
    }
    try:
        async with asyncio.timeout(3), ground.database.connection() as sql:
            found |= await jobs.standing(sql)
        found["bedside_database_connected"] = ("Whether PostgreSQL answers.", 1.0)
    except (BedsideError, TimeoutError, OSError):
        found["bedside_database_connected"] = ("Whether PostgreSQL answers.", 0.0)
    return found


def _of_this_machine(request: Request) -> bool:
    """Whether nobody stands between: behind a trusted proxy `client` is whom that names."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


ROUTES: list[BaseRoute] = [
    Route("/healthz", healthz),
    Route("/readyz", readyz),
    Route("/metrics", metrics),
]
