"""An app on a port of its own, by the server that Bedside runs on, and a browser to look at it with."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from playwright.async_api import Browser, async_playwright
from starlette.applications import Starlette
from tools.ports import free_port

BEGINS = 60
"""Seconds that a server may take to answer on a machine that is busy with other things."""


@asynccontextmanager
async def serving(app: Starlette, port: int = 0, host: str = "127.0.0.1") -> AsyncIterator[str]:
    """The app's address once its /help answers; port 0 takes a free one. host: the name in the address."""
    port = port or free_port()
    address = f"http://{host}:{port}"
    server = Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI)
    task = asyncio.create_task(server.serve())
    try:
        until = time.monotonic() + BEGINS
        async with httpx.AsyncClient() as client:
            while True:
                try:
                    await client.get(f"{address}/help")
                    break
                except httpx.TransportError:
                    assert not task.done(), f"the server at {address} has ended"
                    assert time.monotonic() < until, f"nothing answers at {address}"
                    await asyncio.sleep(0.05)
        yield address
    finally:
        server.stop()
        await task


@asynccontextmanager
async def chromium(*arguments: str) -> AsyncIterator[Browser]:
    """Headless, with more arguments where a test needs them."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *arguments]
        )
        yield browser
        await browser.close()
