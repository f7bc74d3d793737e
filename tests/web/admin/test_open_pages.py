"""What somebody has open closes when their account ends: a wall, a visit; by the bus, and without it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import websockets
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.web.browsing import serving

from bedside import access, visits
from bedside.access import settings
from bedside.access.routes import Sessions
from bedside.access.service.sessions import open_session
from bedside.access.testing import acting
from bedside.foundation.bus import Bus, no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.http import Errors, Guard
from bedside.visits import routes as visits_routes
from bedside.visits import settings as visits_settings
from bedside.web import kit, wall
from bedside.web.wall import wall as wall_

pytestmark = pytest.mark.journey


def _log(_: str, **known: Any) -> None:
    raise known["exc_info"]


@asynccontextmanager
async def site(ctx: Ctx, bus: Bus) -> AsyncIterator[str]:
    class Ours:
        def __init__(self, app: ASGIApp) -> None:
            self.sessions = Sessions(app, ctx.database, bus, ctx.clock)

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await self.sessions(scope, receive, send)

    app = Starlette(
        routes=[*kit.ROUTES, *visits_routes.ROUTES, *wall.ROUTES],
        middleware=[Middleware(Errors, page=kit.error_page, log=_log), Middleware(Guard), Middleware(Ours)],
    )
    app.state.visits = visits_settings.VisitSettings((), "", kit.told_to)
    async with serving(app) as address:
        yield address


@pytest.fixture
async def people(ward: Any, tmp_path: Path) -> tuple[Ctx, access.Person, access.Person, str]:
    """The program's ctx by the real clock, a nurse on duty, an administrator, and the nurse's cookie."""
    ctx = ward.ctx.with_(clock=SystemClock())
    settings.use(ctx.database, settings.Settings(home=tmp_path, answer_after=0))
    async with access.work(ctx, "prepared") as inner:
        await access.add_place(inner, "home", "Home monitoring", "programme", "UTC")
        await access.place_patient(inner, ward.rosa_id, "home")
        await access.set_duty(inner, person=ward.nurse.id, place="home", role="nurse")
        new = access.NewPerson(name="Pat Morgan", roles=frozenset({"administrator"}))
        pat = await access.add_person(inner, new)
        signed_in = await open_session(inner, ward.nurse, agent="")
    return ctx, ward.nurse, pat, f"bedside={signed_in.token}"


async def end(ctx: Ctx, bus: Bus, who: access.Person, by: access.Person, to: access.Person | None = None) -> None:
    async with access.work(acting(ctx, by).with_(bus=bus), "ended an account") as inner:
        await visits.hand_on(inner, who, to, home="US")
        await access.leave(inner, who.id, to=to.id if to else None)


async def told(socket: Any, within: float) -> float:
    """Seconds until the page was told to leave."""
    began = time.monotonic()

    async def ended() -> None:
        while True:
            said = await socket.recv()
            if isinstance(said, str) and "ended" in orjson.loads(said).values():
                return

    await asyncio.wait_for(ended(), within)
    return time.monotonic() - began


async def test_a_wall_closes_at_once(people: tuple[Ctx, access.Person, access.Person, str], bus: Bus) -> None:
    ctx, nurse, pat, cookie = people
    async with site(ctx, bus) as address:
        headers = {"cookie": cookie}
        async with websockets.connect(
            f"{address.replace('http', 'ws')}/wall/live",
            additional_headers=headers,
            origin=address,
            user_agent_header="",
        ) as socket:
            assert orjson.loads(await socket.recv())["kind"] == "all"
            await end(ctx, bus, nurse, pat)
            assert await told(socket, 30) < wall_.RECHECK / 2
        async with httpx.AsyncClient(base_url=address, headers={**headers, "user-agent": ""}) as client:
            assert (await client.get("/wall")).status_code in {303, 401}, "and no request is hers"


async def test_without_nats_a_wall_closes_at_its_next_look(
    people: tuple[Ctx, access.Person, access.Person, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, nurse, pat, cookie = people
    monkeypatch.setattr(wall_, "RECHECK", 1.0)
    async with (
        site(ctx, no_bus()) as address,
        websockets.connect(
            f"{address.replace('http', 'ws')}/wall/live",
            additional_headers={"cookie": cookie},
            origin=address,
            user_agent_header="",
        ) as socket,
    ):
        await socket.recv()
        await end(ctx, no_bus(), nurse, pat)
        assert await told(socket, 8) < 5


async def test_a_visit_closes_at_once(
    ward: Any, people: tuple[Ctx, access.Person, access.Person, str], bus: Bus
) -> None:
    ctx, _, pat, _ = people
    async with access.work(ctx, "prepared") as inner:
        elena = await access.add_person(inner, access.NewPerson(name="Elena Ruiz", roles=frozenset({"clinician"})))
        await access.relate(inner, person=elena.id, patient=ward.rosa_id, kind="care", source="test")
        ben = await access.add_person(inner, access.NewPerson(name="Ben Ode", roles=frozenset({"clinician"})))
        token = (await open_session(inner, elena, agent="")).token
    async with access.work(acting(ctx, elena), "asked") as inner:
        visit = await visits.ask(inner, ward.rosa_id, "Pressure")
    async with access.work(acting(ctx, ward.rosa), "arrived") as inner:
        day = date(2020, 1, 1)
        held = access.Licence(
            elena.id, "US-NY", "1", "full", day, date(2099, 1, 1), verified_at=day, verified_source="-"
        )
        await access.add_licence(inner, held)
        await visits.arrive(inner, visit.id, visits.Place("US", "NY", "1 Main St", "+1 518 555 0101"), True, home="US")
    async with (
        site(ctx, bus) as address,
        websockets.connect(
            f"{address.replace('http', 'ws')}/visits/{visit.id}/signal",
            additional_headers={"cookie": f"bedside={token}"},
            origin=address,
            user_agent_header="",
        ) as socket,
    ):
        await socket.send(orjson.dumps({"t": "hello", "connection": "12345678"}).decode())
        while (said := orjson.loads(await socket.recv()))["t"] != "welcome":
            assert said["t"] == "visit", said
        await end(ctx, bus, elena, pat, ben)
        assert await told(socket, 30) < wall_.RECHECK / 2
    async with ctx.database.connection() as sql:
        assert await sql.fetchval("select count(*) from visits.presence where left_at is null") == 0
        assert await sql.fetchval("select clinician_name from visits.visit") == "Ben Ode"
        waits = await sql.fetchval("select count(*) from jobs.pgqueuer where entrypoint = 'visits.close_empty'")
    assert waits == 1, "a visit that nobody is in closes itself"
