"""Serving HTTP: Granian inside this process, on a socket that was opened before, ending in time.

The listening socket belongs to the supervisor, so a web process that is killed and comes back refuses nobody: who
connects meanwhile waits in the socket's queue. One that is told to end may close a link that is being made at that very
moment: Granian stops accepting and closes idle links at once (seen at one end of three, at 650 new links a second).
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.foundation import telemetry
from bedside.foundation.lingering import Lingering

BACKLOG = 1024
GRACE = 3.0
"""Seconds that requests under way get after the signal to stop."""

log = telemetry.logger("serving")


def listen(host: str, port: int) -> socket.socket:
    """Open the door. Raises OSError when the port is taken or may not be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(BACKLOG)
    except BaseException:
        door.close()
        raise
    return door


class LiveEnds:
    """When the program stops, every open WebSocket and stream is told that its other end has left (code 1012)."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self.app, self.stopping = app, stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        live = scope["type"] == "websocket"
        told = False

        async def receive_or_end() -> Message:
            nonlocal told
            if told:
                return await receive()
            arriving = asyncio.ensure_future(receive())
            ending = asyncio.ensure_future(self.stopping.wait())
            try:
                done, _ = await asyncio.wait({arriving, ending}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                arriving.cancel()
                raise
            finally:
                ending.cancel()
            if arriving in done:
                return arriving.result()
            arriving.cancel()
            told = True
            if not live:
                return {"type": "http.disconnect"}
            await send({"type": "websocket.close", "code": 1012, "reason": "restarting"})
            return {"type": "websocket.disconnect", "code": 1012}

        # A plain request is let finish: only what goes on for ever is ended.
        await self.app(scope, receive_or_end if live or _streams(scope) else receive, send)


def _streams(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"])


class _OnSocket(Server):
    """Granian's embedded server on a socket that is already open."""

    door: socket.socket
    _shd: Any

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder  # its stub leaves out the arguments: descriptor, whether Unix, backlog
        self._ssp = None
        self._shd = holder(self.door.fileno(), False, BACKLOG)


async def serve(
    app: Callable[[asyncio.Event], ASGIApp],
    door: socket.socket,
    *,
    tls: tuple[Path, Path] | None = None,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT, then end within GRACE seconds, whatever is open.

    app: makes the application, given the event that is set when the program stops. ready: called once it answers.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    inner = app(stopping)

    async def announced(scope: Scope, receive: Receive, send: Send) -> None:
        async def started(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                loop.call_soon(ready)
            elif message["type"] == "lifespan.startup.failed":
                log.error("the web process cannot start")
                os._exit(1)

        await inner(scope, receive, started if scope["type"] == "lifespan" else send)

    server: Any = _OnSocket(
        Lingering(LiveEnds(announced, stopping)),
        address="127.0.0.1",
        port=door.getsockname()[1],
        interface=Interfaces.ASGI,
        http=HTTPModes.auto if tls else HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=30_000),
        websockets=True,
        log_enabled=False,
        ssl_cert=tls[0] if tls else None,
        ssl_key=tls[1] if tls else None,
    )
    server.door = door

    def stop() -> None:
        stopping.set()
        loop.call_later(0.2, server.stop)
        # The last word: a handler that will not end keeps nobody waiting.
        loop.call_later(GRACE, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve()
