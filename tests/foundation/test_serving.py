"""A web process ends in time with forty walls open, and tells each of them; who sends too much hears why."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import websockets
from starlette.types import Message, Receive, Scope, Send
from tools.ports import free_port

from bedside.foundation.lingering import Lingering
from bedside.foundation.serving import GRACE

pytestmark = pytest.mark.faults

SERVER = """
import asyncio, sys
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from bedside.foundation.serving import listen, serve

async def wall(socket):
    await socket.accept()
    await socket.send_text("here")
    await socket.receive_text()

async def stubborn(request):
    print("stubborn", flush=True)
    await asyncio.sleep(3600)

async def slow(request):
    print("slow", flush=True)
    await asyncio.sleep(0.5)
    return PlainTextResponse("done")

async def early(request):
    return PlainTextResponse("no", 401)

app = Starlette(routes=[WebSocketRoute("/wall", wall), Route("/stubborn", stubborn), Route("/slow", slow),
                        Route("/early", early, methods=["POST"])])
door = listen("127.0.0.1", int(sys.argv[1]))
asyncio.run(serve(lambda stopping: app, door, ready=lambda: print("ready", flush=True)))
"""


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=subprocess.PIPE)  # noqa: ASYNC220
    assert server.stdout is not None
    try:
        assert await asyncio.to_thread(server.stdout.readline) == b"ready\n"
        yield port, server
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


async def test_who_sends_much_to_a_closed_door_hears_that_it_is_closed() -> None:
    """As a proxy does: all of the body first, then the answer. Twenty times: the race was lost one in three."""
    body = b"x" * (20 << 20)
    async with served() as (port, _):
        for _ in range(20):
            back, out = await asyncio.open_connection("127.0.0.1", port)
            out.write(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body))
            out.write(body)
            await out.drain()
            assert await asyncio.wait_for(back.readline(), 30) == b"HTTP/1.1 401 Unauthorized\r\n"
            out.close()


@pytest.mark.parametrize("headers", [{"content-length": "99"}, {"transfer-encoding": "chunked"}])
async def test_who_never_sends_the_rest_is_answered_all_the_same(headers: dict[str, str]) -> None:
    asked = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})

    async def receive() -> Message:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    sent: list[Message] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await Lingering(app, patience=0.05)({"type": "http", "headers": lines}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert asked.is_set()
    asked.clear()
    await Lingering(app)({"type": "http", "headers": [*lines, (b"expect", b"100-continue")]}, receive, send)
    assert not asked.is_set(), "who waits for 100 Continue has nothing under way"


async def test_what_never_ends_is_not_read_for_ever() -> None:
    taken = 0

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": []})

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x" * 1000, "more_body": True}

    async def send(_: Message) -> None:
        await asyncio.sleep(0)

    await Lingering(app, most=10_000)({"type": "http", "headers": [(b"content-length", b"99")]}, receive, send)
    assert taken == 11


async def test_forty_walls_are_closed_and_the_process_ends() -> None:
    async with served() as (port, server):
        walls = [await websockets.connect(f"ws://127.0.0.1:{port}/wall") for _ in range(40)]
        assert [await wall.recv() for wall in walls] == ["here"] * 40
        stubborn_in, stubborn_out = await asyncio.open_connection("127.0.0.1", port)
        stubborn_out.write(b"GET /stubborn HTTP/1.1\r\nhost: x\r\n\r\n")
        slow_in, slow_out = await asyncio.open_connection("127.0.0.1", port)
        slow_out.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.gather(stubborn_out.drain(), slow_out.drain())
        assert server.stdout is not None
        under_way = {await asyncio.to_thread(server.stdout.readline) for _ in range(2)}
        assert under_way == {b"stubborn\n", b"slow\n"}
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for wall in walls:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(wall.recv(), 15)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert b"200 OK" in await asyncio.wait_for(slow_in.readline(), 15)
        assert await asyncio.to_thread(server.wait, 15) == 0
        assert time.monotonic() - begun < 5 * GRACE
        for out in (stubborn_out, slow_out):
            out.close()
        assert await stubborn_in.read() == b""
