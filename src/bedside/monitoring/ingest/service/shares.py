"""Which parts of a wire are this process's to land. Each has one owner at a time, fenced in PostgreSQL.

A landing transaction holds its parts' rows: while one is under way nobody else can take them, and a process that slept
through the loss of a part finds that out before it writes. Parts are shared out evenly among the processes that live.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

from bedside.foundation.context import Ctx
from bedside.foundation.database import Connection
from bedside.foundation.ids import uuid7
from bedside.monitoring.ingest import store
from bedside.monitoring.ingest.service.wire import EVERY_PART
from bedside.monitoring.ingest.store import Lander

LEASE: Final = timedelta(seconds=4)
"""A process that was not seen for longer has lost what it had."""
REMEMBERED: Final = timedelta(hours=1)


class Shares:
    """Of one process and wire."""

    def __init__(self, ctx: Ctx, wire: str) -> None:
        self._ctx, self._wire = ctx, wire
        self._me = Lander(uuid7(), _place(), os.getpid())
        self._turn = asyncio.Lock()
        self.mine: frozenset[int] = frozenset()
        self.surplus: frozenset[int] = frozenset()
        """What is to be given up: others have too little."""

    async def tick(self) -> None:
        """Live on, take what is free and due; updates `mine` and `surplus`.

        Raises what the database raises; what is held stays held then, since nobody can take it either.
        """
        async with self._turn, self._ctx.database.transaction() as sql:
            await store.here(sql, self._wire, self._me)
            alive = [one.id for one in await store.landers(sql, self._wire, LEASE) if not _dead(one)]
            await store.forget(sql, REMEMBERED)
            mine = {s.part for s in await store.shares(sql, self._wire, EVERY_PART) if s.owner == self._me.id}
            due = _due(alive, self._me.id)
            if len(mine) < due:
                mine |= set(await store.take(sql, self._wire, self._me.id, alive, due - len(mine)))
            self.mine, self.surplus = frozenset(mine), frozenset(sorted(mine)[due:])

    async def give_up(self, parts: Collection[int]) -> None:
        """Nothing of these parts is in hand any more."""
        async with self._turn, self._ctx.database.transaction() as sql:
            await store.give_up(sql, self._wire, self._me.id, parts)
            self.mine -= frozenset(parts)
            self.surplus -= frozenset(parts)

    async def end(self) -> None:
        """Leave everything to the others at once."""
        self.mine = self.surplus = frozenset()
        async with self._turn, self._ctx.database.transaction() as sql:
            await store.gone(sql, self._wire, self._me.id)

    async def held(self, sql: Connection, parts: Collection[int]) -> bool:
        """Whether these parts are this process's until the transaction ends."""
        return await store.held(sql, self._wire, self._me.id, parts)


def _due(alive: list[str], me: str) -> int:
    """How many parts this process is to have: as many as any other, or one more for the first of them."""
    each, over = divmod(len(EVERY_PART), len(alive))
    return each + (alive.index(me) < over)


def _place() -> str:
    """The machine since it started and its pid namespace: where two pids can be compared."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    return socket.gethostname()


def _dead(one: Lander) -> bool:
    """Whether a process is known to be gone; one on another machine is only known by what it writes."""
    if one.place != _place():
        return False
    try:
        os.kill(one.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
