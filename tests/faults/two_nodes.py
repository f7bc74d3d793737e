"""Two machines of one clinic, as far as one machine can be two: each its own home, ports and processes, before shared
engines; nginx in front; and whoever is connected, coming back by itself as the pages do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import websockets
from tests.deploy.test_proxies import nginx
from tests.foundation.program import Program
from tools.ports import free_port
from websockets.exceptions import InvalidHandshake, WebSocketException

from bedside.foundation import certificates

PING_EVERY, DEAD_AFTER = 1.0, 4.5
"""As web/visit/link.ts: a ping that is not answered within 3.5 s, looked at every second."""
TALK = 0.2


class Front:
    """nginx by the example file, with a second machine's line in it."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("nginx") is None:
            pytest.skip("NOT TRIED: nginx is not installed here: apt-get install nginx")
        folder.mkdir()
        self.folder, self.port, self.clear = folder, free_port(), free_port()
        self.address = f"https://localhost:{self.port}"
        self.pair = certificates.own(folder / "keys", "localhost")
        self.trust = ssl.create_default_context(cafile=str(self.pair[0]))

    @contextmanager
    def open(self, ports: tuple[int, int]) -> Iterator[None]:
        words = nginx(self.folder, ports[0], (self.clear, self.port), self.pair)
        file = self.folder / "bedside.conf"
        text = file.read_text()
        assert text.count("    # server 192.0.2.12:8000") == 2
        file.write_text(text.replace("    # server 192.0.2.12:8000", f"    server 127.0.0.1:{ports[1]}"))
        with (self.folder / "log").open("wb") as out:
            proxy = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            yield
        finally:
            proxy.terminate()
            proxy.wait(15)


class Node(Program):
    """`bedside serve` on engines that others run: one web process, worker and ingest."""

    def __init__(self, home: Path, keys: Path, front: Front, database: str, nats: str) -> None:
        shutil.copytree(keys, home / "keys")
        options = ("--database-url", database, "--nats-url", nats, "--public-url", front.address)
        super().__init__(home, options=(*options, "--trusted-proxy", "127.0.0.1"))

    def killed(self) -> None:
        """The machine: every process of it at once."""
        assert self.process is not None
        for pid in (self.process.pid, *self.running()["processes"].values()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10)


class Linked:
    """Somebody's open page. came: moments at which what it waits for came. lost: how often its link was."""

    def __init__(self, front: Front, path: str, cookie: str) -> None:
        self.url = f"ws{front.address.removeprefix('http')}{path}"
        self.trust, self.cookie = front.trust, cookie
        self.came: list[float] = []
        self.lost, self._tries = 0, 0
        self.dead_after = DEAD_AFTER

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()):
                raise error

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError, WebSocketException, InvalidHandshake):
                async with websockets.connect(
                    self.url, ssl=self.trust, additional_headers={"cookie": self.cookie}, open_timeout=DEAD_AFTER
                ) as link:
                    await self._live(link)
            self.lost += 1
            self._tries += 1
            await asyncio.sleep(self.pause())

    def pause(self) -> float:
        """Seconds until the page tries again."""
        return min(3.0, 0.3 * 2**self._tries) * random.uniform(0.7, 1.3)

    async def _live(self, link: Any) -> None:
        await self.begin(link)
        beating = asyncio.create_task(self.beat(link))
        try:
            while True:
                said = json.loads(await asyncio.wait_for(link.recv(), self.dead_after))
                assert said.get("t") != "refused", said
                if self.heard(said):
                    self.came.append(time.monotonic())
                    self._tries = 0
        finally:
            beating.cancel()

    async def begin(self, link: Any) -> None:
        """What a page says first."""

    async def beat(self, link: Any) -> None:
        """What it goes on saying."""

    def heard(self, said: dict[str, Any]) -> bool:
        """Whether this is what the person waits for."""
        raise NotImplementedError

    def longest(self, since: float, until: float) -> float:
        """Seconds for which nothing came."""
        moments = [since, *(at for at in self.came if since <= at <= until), until]
        return max(later - one for one, later in pairwise(moments))


class VisitPage(Linked):
    """One side of a visit: says something to the other five times a second, and waits for what the other says."""

    def __init__(self, front: Front, visit: str, cookie: str) -> None:
        super().__init__(front, f"/visits/{visit}/signal", cookie)
        self.connection = f"test-{uuid.uuid4()}"
        self.other: VisitPage | None = None
        self._welcome = False

    async def begin(self, link: Any) -> None:
        self._welcome = False
        await link.send(json.dumps({"t": "hello", "connection": self.connection}))

    async def beat(self, link: Any) -> None:
        n = 0
        with contextlib.suppress(WebSocketException):
            while True:
                n += 1
                if n % round(PING_EVERY / TALK) == 0:
                    await link.send(json.dumps({"t": "ping", "n": n}))
                if self._welcome and self.other is not None:
                    await link.send(json.dumps({"t": "signal", "to": self.other.connection, "data": {"n": n}}))
                await asyncio.sleep(TALK)

    def heard(self, said: dict[str, Any]) -> bool:
        self._welcome = self._welcome or said["t"] == "welcome"
        return bool(said["t"] == "signal")


class Wall(Linked):
    """A wall: it waits for a beat each second that says that the moments come."""

    def __init__(self, front: Front, place: str, cookie: str) -> None:
        super().__init__(front, f"/wall/live?place={place}", cookie)
        self.dead_after = 6.0  # wall.island.ts: DEAF_AFTER, looked at every second

    def pause(self) -> float:
        return min(5.0, 0.5 * 2 ** (self._tries - 1))

    def heard(self, said: dict[str, Any]) -> bool:
        return bool(said.get("kind") == "beat" and said["bus"])
