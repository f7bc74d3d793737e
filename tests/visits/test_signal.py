"""The socket of a visit's page: what it is told when a line is refused, when an engine is away, and when it is back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.websockets import WebSocket
from tests.visits.test_service import Scene
from tests.visits.test_service import scene as scene  # noqa: PLC0414 - a fixture

from bedside import access
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.foundation.errors import Unavailable
from bedside.visits import routes
from bedside.visits.service import running
from bedside.visits.settings import VisitSettings

pytestmark = pytest.mark.engine

LINE = "a-line-of-chat"


class Page:
    """The other end of a socket: what it was sent, and the code it was closed with."""

    def __init__(self, ctx: Ctx, visit: str) -> None:
        app = Starlette()
        app.state.visits = VisitSettings()
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b"", "app": app}
        scope |= {"path_params": {"visit": visit}, "state": {"ctx": ctx}}
        self.socket = WebSocket(scope, self.says.get, self._sent)
        self.says.put_nowait({"type": "websocket.connect"})

    async def _sent(self, message: Any) -> None:
        if message["type"] == "websocket.send":
            self.told.put_nowait(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            self.closed.set_result(message["code"])

    def say(self, **moment: Any) -> None:
        self.says.put_nowait({"type": "websocket.receive", "text": json.dumps(moment)})

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next moment of that kind."""
        async with asyncio.timeout(20):
            while (moment := await self.told.get())["t"] != kind:
                pass
        return moment


@asynccontextmanager
async def opened(ctx: Ctx, visit: str) -> AsyncIterator[Page]:
    page = Page(ctx, visit)
    task = asyncio.create_task(routes.signal(page.socket))
    page.say(t="hello", connection="0000-a-page")
    try:
        yield page
    finally:
        page.says.put_nowait({"type": "websocket.disconnect", "code": 1000})
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, 20)


def out_of_reach(*_: Any) -> Any:
    raise Unavailable("The database is away.", remedy="Try again.")


async def test_a_line_that_is_refused_for_good_is_named_and_one_that_met_a_bad_moment_is_not(
    scene: Scene, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await scene.running()
    async with opened(scene.patient.with_(bus=bus), visit.id) as page:
        await page.hears("welcome")
        page.say(t="chat", id=LINE, text="x" * 4001)
        refused = await page.hears("refused")
        assert (refused["id"], len(refused["text"])) == (LINE, 4001)
        with monkeypatch.context() as away:
            away.setattr(running, "say", out_of_reach)
            page.say(t="chat", id=LINE, text="Good morning")
            assert "id" not in await page.hears("refused")
        for _ in range(2):  # as its page does until it comes back
            page.say(t="chat", id=LINE, text="Good morning")
            assert (await page.hears("chat"))["text"] == "Good morning"
    async with access.work(scene.patient, "looked") as ctx:
        assert [line.text for line in await running.chat(ctx, visit.id)] == ["Good morning"]


@pytest.mark.parametrize("text", ["[1]", '"hello"', "null", "{", ""])
async def test_what_is_no_object_is_refused_and_the_link_stays(scene: Scene, bus: Bus, text: str) -> None:
    visit = await scene.running()
    async with opened(scene.patient.with_(bus=bus), visit.id) as page:
        await page.hears("welcome")
        page.says.put_nowait({"type": "websocket.receive", "text": text})
        assert (await page.hears("refused"))["error"] == "not a JSON object"
        page.say(t="ping", n=7)
        assert (await page.hears("pong"))["n"] == 7


async def test_only_who_is_not_let_in_is_told_to_stay_away(
    scene: Scene, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = await scene.running()
    async with opened(scene.colleague.with_(bus=bus), visit.id) as page:
        assert await asyncio.wait_for(page.closed, 20) == 4403
    monkeypatch.setattr(running, "join", out_of_reach)
    async with opened(scene.patient.with_(bus=bus), visit.id) as page:
        assert await asyncio.wait_for(page.closed, 20) == 1013


async def test_what_was_written_while_nats_was_away_is_read_meanwhile_and_afterwards(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, nats = await scene.running(), Nats(tmp_path / "nats")
    monkeypatch.setattr(routes, "DEAF", 3600.0)  # the second look of its own is not in this test's time
    nats.start()
    bus = await Bus.connect(nats.url)

    async def written(line: str) -> None:
        async with access.work(scene.clinician, "wrote") as ctx:  # at another machine: nothing comes by this bus
            await running.say(ctx, visit.id, line, f"Line {line}")

    try:
        async with opened(scene.patient.with_(bus=bus), visit.id) as page:
            await page.hears("welcome")
            await asyncio.to_thread(nats.stop)
            async with asyncio.timeout(20):
                while bus.connected:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
            await written("meanwhile-1")
            page.say(t="ping", n=1)
            assert (await page.hears("chat"))["id"] == "meanwhile-1"
            page.say(t="ping", n=2)
            await page.hears("pong")
            page.say(t="ping", n=3)
            assert [page.told.get_nowait() for _ in range(page.told.qsize())] == [], "it looks once in DEAF seconds"
            await written("meanwhile-2")
            nats.start()
            assert [(await page.hears("chat"))["id"] for _ in range(2)] == ["meanwhile-1", "meanwhile-2"]
    finally:
        await bus.close()
        await asyncio.to_thread(nats.stop)
