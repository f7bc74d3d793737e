"""A web process ends in time with forty walls open, and tells each of them."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest
import websockets

from bedside.foundation.engines.nats import free_port

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
    await asyncio.sleep(3600)

async def slow(request):
    await asyncio.sleep(0.5)
    return PlainTextResponse("done")

app = Starlette(routes=[WebSocketRoute("/wall", wall), Route("/stubborn", stubborn), Route("/slow", slow)])
door = listen("127.0.0.1", int(sys.argv[1]))
asyncio.run(serve(lambda stopping: app, door, ready=lambda: print("ready", flush=True)))
"""


async def test_forty_walls_are_closed_and_the_process_ends() -> None:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)], stdout=subprocess.PIPE)  # noqa: ASYNC220
    try:
        assert server.stdout is not None
        assert await asyncio.to_thread(server.stdout.readline) == b"ready\n"
        walls = [await websockets.connect(f"ws://127.0.0.1:{port}/wall") for _ in range(40)]
        assert [await wall.recv() for wall in walls] == ["here"] * 40
        stubborn_in, stubborn_out = await asyncio.open_connection("127.0.0.1", port)
        stubborn_out.write(b"GET /stubborn HTTP/1.1\r\nhost: x\r\n\r\n")
        slow_in, slow_out = await asyncio.open_connection("127.0.0.1", port)
        slow_out.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.gather(stubborn_out.drain(), slow_out.drain())
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        for wall in walls:
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await asyncio.wait_for(wall.recv(), 3)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert b"200 OK" in await asyncio.wait_for(slow_in.readline(), 3)
        assert await asyncio.to_thread(server.wait, 5) == 0
        assert time.monotonic() - begun < 5
        for out in (stubborn_out, slow_out):
            out.close()
        assert await stubborn_in.read() == b""
    finally:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
