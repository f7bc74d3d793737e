"""Sessions: found by the cookie, ended by the person or by time; walls stay on."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from starlette.responses import Response
from tests.access.conftest import Browser

from bedside import access
from bedside.access import settings
from bedside.access.service.actors import actor_of
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import Forbidden, NotFound

pytestmark = pytest.mark.engine


async def enter(ctx: Ctx, client: httpx.AsyncClient, person: access.Person) -> access.SignedIn:
    signed_in = await access.sign_in.with_demo(ctx.with_(actor=NOBODY), person.id)
    client.cookies.set("bedside", signed_in.token)
    return signed_in


async def test_a_cookie_makes_the_ctx(ctx: Ctx, browser: Browser) -> None:
    nurse, client = await someone(ctx, "nurse"), browser()
    assert (await client.get("/who")).json()["kind"] == "nobody"
    await enter(ctx, client, nurse)
    said = (await client.get("/who")).json()
    assert (said["id"], said["roles"], said["purpose"]) == (nurse.id, ["nurse"], "TREAT")


async def test_a_made_up_cookie_is_nobody(browser: Browser) -> None:
    client = browser()
    client.cookies.set("bedside", "x" * 43)
    assert (await client.get("/who")).json()["kind"] == "nobody"


async def test_idle_ends_a_session_and_use_extends_it(ctx: Ctx, clock: TurnableClock, browser: Browser) -> None:
    client = browser()
    await enter(ctx, client, await someone(ctx, "nurse"))
    for _ in range(4):
        clock.turn(timedelta(minutes=10))
        assert (await client.get("/who")).json()["kind"] == "person"
    clock.turn(timedelta(minutes=15))
    assert (await client.get("/who")).json()["kind"] == "nobody"


async def test_a_page_that_asks_by_itself_does_not_extend(ctx: Ctx, clock: TurnableClock, browser: Browser) -> None:
    client = browser()
    await enter(ctx, client, await someone(ctx, "nurse"))
    clock.turn(timedelta(minutes=14))
    left = (await client.get("/session")).json()
    assert left == {"signed_in": True, "ends_in": 60.0, "warn_at": 60.0, "fixed": False}
    assert (await client.get("/who", headers={"bedside-background": "1"})).json()["kind"] == "person"
    clock.turn(timedelta(minutes=1))
    assert (await client.get("/who")).json()["kind"] == "nobody"
    assert (await client.get("/session")).json()["signed_in"] is False


async def test_the_warning_comes_at_least_20_seconds_before_and_can_be_answered(
    ctx: Ctx, clock: TurnableClock, browser: Browser, chosen: settings.Settings
) -> None:
    assert chosen.warning >= timedelta(seconds=20)
    client = browser()
    await enter(ctx, client, await someone(ctx, "nurse"))
    clock.turn(timedelta(minutes=14, seconds=40))
    assert (await client.post("/session/extend")).status_code == 204
    clock.turn(timedelta(minutes=14))
    assert (await client.get("/who")).json()["kind"] == "person"
    clock.turn(timedelta(minutes=15))
    assert (await client.post("/session/extend")).status_code == 401


async def test_a_long_life_ends_too(ctx: Ctx, clock: TurnableClock, browser: Browser) -> None:
    client = browser()
    await enter(ctx, client, await someone(ctx, "nurse"))
    for _ in range(13 * 6):
        clock.turn(timedelta(minutes=10))
        kind = (await client.get("/who")).json()["kind"]
    assert kind == "nobody"


async def test_sign_out_and_sign_out_everywhere(ctx: Ctx, browser: Browser) -> None:
    nurse = await someone(ctx, "nurse")
    one, two, three = browser(), browser(), browser()
    first = await enter(ctx, one, nurse)
    for client in (two, three):
        await enter(ctx, client, nurse)
    me = acting(ctx, nurse)
    me = me.with_(actor=actor_of(nurse, first.session))
    async with access.work(me, "signed out") as inner:
        assert len(await access.sessions(inner)) == 3
        await access.sign_out(inner)
    kinds = [(await client.get("/who")).json()["kind"] for client in (one, two, three)]
    assert kinds == ["nobody", "person", "person"]
    async with access.work(me, "signed out everywhere") as inner:
        assert await access.sign_out_everywhere(inner) == 2
    assert (await two.get("/who")).json()["kind"] == "nobody"


async def test_who_left_the_clinic_is_out_at_once(ctx: Ctx, browser: Browser) -> None:
    nurse, client = await someone(ctx, "nurse"), browser()
    await enter(ctx, client, nurse)
    async with access.work(ctx, "left") as inner:
        await access.change_person(inner, nurse.id, active=False)
    assert (await client.get("/who")).json()["kind"] == "nobody"


async def test_a_wall_stays_on_reads_its_place_and_writes_nothing(
    ctx: Ctx, clock: TurnableClock, browser: Browser
) -> None:
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "made a ward") as inner:
        await access.add_place(inner, "icu", "ICU", "ward")
        await access.place_patient(inner, "ann", "icu")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, await someone(ctx, "clinician")), "opened a wall") as inner:
            await access.open_display(inner, "icu")
    async with access.work(acting(ctx, nurse), "opened a wall") as inner:
        opened = await access.open_display(inner, "icu", agent="Wall/1")
    client, other = browser(**{"user-agent": "Wall/1"}), browser(**{"user-agent": "Phone/1"})
    for one in (client, other):
        one.cookies.set("bedside", opened.token)
    clock.turn(timedelta(days=30))
    assert (await client.get("/who")).json()["roles"] == ["display"]
    assert (await other.get("/who")).json()["kind"] == "nobody"
    wall = acting(ctx, opened.person)
    async with access.work(wall, "showed the wall", readonly=True) as inner:
        assert await access.visible(inner, "Observation") == {"ann"}
        assert await access.visible(inner, "Condition") == frozenset()
        await access.authorise(inner, "ann", "R", what="alarm")
        assert await access.on_duty(inner, place="icu") == []
    for action, what in (("U", "alarm"), ("R", "Condition"), ("C", "Observation")):
        with pytest.raises(Forbidden):
            async with access.work(wall, "tried") as inner:
                await access.authorise(inner, "ann", action, what=what)


def flags(ctx: Ctx, signed_in: access.SignedIn) -> str:
    response = Response()
    access.set_cookie(ctx, response, signed_in)
    return response.headers["set-cookie"]


async def test_cookie_flags(ctx: Ctx, chosen: settings.Settings) -> None:
    signed_in = await access.sign_in.with_demo(ctx.with_(actor=NOBODY), (await someone(ctx, "nurse")).id)
    plain = flags(ctx, signed_in)
    assert plain.startswith("bedside=")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(plain.split("; "))
    settings.use(ctx.database, settings.Settings(home=chosen.home, public_url="https://clinic.example"))
    secure = flags(ctx, signed_in)
    assert secure.startswith("__Host-bedside=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(secure.split("; "))
    assert "Domain" not in secure
    with pytest.raises(NotFound):
        await access.sign_in.with_demo(ctx, signed_in.person.id)
    assert await access.sign_in.demo_people(ctx) == []


async def test_another_site_cannot_write(ctx: Ctx, browser: Browser) -> None:
    client = browser()
    await enter(ctx, client, await someone(ctx, "nurse"))
    for headers in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ):
        assert (await client.post("/who", headers=headers)).status_code == 403, headers
    for headers in ({"sec-fetch-site": "same-origin"}, {"origin": "http://localhost:8000"}):
        assert (await client.post("/who", headers=headers)).status_code == 200, headers


async def test_the_token_is_not_in_the_database(ctx: Ctx) -> None:
    signed_in = await access.sign_in.with_demo(ctx.with_(actor=NOBODY), (await someone(ctx, "nurse")).id)
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select s::text as row from access.session s")
    assert rows
    assert not any(signed_in.token in row["row"] for row in rows)
