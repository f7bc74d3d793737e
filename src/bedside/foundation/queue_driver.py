"""pgqueuer's way to PostgreSQL: through Bedside's pool, waiting out a database that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

import asyncpg
import orjson
from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import Driver, NotifyCallback

from bedside.foundation.database import Connection, Database
from bedside.foundation.errors import Unavailable

T = TypeVar("T")

AWAY = (Unavailable, OSError, asyncpg.InterfaceError)
"""What a lost or restarting PostgreSQL looks like from here: Database says Unavailable; a closed pool is an error."""


def wake_event(channel: str) -> str:
    """What tells a worker, on that channel, to look at the queue again."""
    now = datetime.now(UTC).isoformat()
    event = {"channel": channel, "operation": "update", "table": "pgqueuer", "type": "table_changed_event"}
    return orjson.dumps({**event, "sent_at": now}).decode()


class PoolDriver(Driver):
    """Every statement on a connection of its own, tried until the database answers; one connection that listens."""

    def __init__(self, database: Database, on_loss: Callable[[Exception], None]) -> None:
        self._database, self._on_loss = database, on_loss
        self._shutdown = asyncio.Event()
        self._listening: set[asyncio.Task[None]] = set()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        async def once(sql: Connection) -> list[dict[str, object]]:
            return [dict(row) for row in await sql.fetch(query, *args)]

        return await self._insist(once)

    async def execute(self, query: str, *args: object) -> str:
        async def once(sql: Connection) -> str:
            return str(await sql.execute(query, *args))

        return await self._insist(once)

    async def notify(self, channel: str, payload: str) -> None:
        await self.execute("select pg_notify($1, $2)", channel, payload)

    async def _insist(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run work again until the database has answered it, or this driver stops."""
        while True:
            try:
                async with self._database.connection() as sql:
                    return await work(sql)
            except AWAY as error:
                if self._shutdown.is_set():
                    raise
                self._on_loss(error)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._shutdown.wait(), 0.25)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        ready = asyncio.Event()
        task = asyncio.create_task(self._listen(channel, callback, ready))
        self._listening.add(task)
        await ready.wait()

    async def _listen(self, channel: str, callback: NotifyCallback, ready: asyncio.Event) -> None:
        def heard(_: Any, __: Any, ___: Any, payload: object) -> None:
            callback(str(payload))

        while not self._shutdown.is_set():
            try:
                async with self._database.connection() as sql:
                    lost = asyncio.Event()
                    sql.add_termination_listener(lambda _, lost=lost: lost.set())
                    await sql.add_listener(channel, heard)
                    try:
                        ready.set()
                        callback(wake_event(channel))  # what was said while nobody listened
                        await lost.wait()
                    finally:
                        if not sql.is_closed():
                            await sql.reset()
            except AWAY as error:
                self._on_loss(error)
            await asyncio.sleep(0.25)

    @property
    def shutdown(self) -> asyncio.Event:
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._shutdown.set()
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
