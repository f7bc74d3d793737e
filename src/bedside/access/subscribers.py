"""What access runs beside others: the sealer in the worker, and tidying."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from bedside.access.service.fitting import key_fits
from bedside.access.service.licences import remind
from bedside.access.service.sealing import Sealer
from bedside.access.service.sessions import forget
from bedside.foundation.context import Ctx
from bedside.foundation.settings import Ground

JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {
    "access.forget": forget,
    "access.licences": remind,
}
EVERY: dict[str, timedelta] = {"access.forget": timedelta(hours=1), "access.licences": timedelta(hours=6)}


async def fits(ground: Ground, say: Callable[[str], None]) -> None:  # noqa: ARG001, RUF100 - a step of prepare takes it
    """Raises Unavailable where the home holds another key than the database's."""
    await key_fits(ground.database, ground.settings.home)


@asynccontextmanager
async def sealing(ground: Ground) -> AsyncIterator[None]:
    """The worker: seal the audit within a second, for as long as it runs."""
    task = asyncio.create_task(Sealer(ground.database, ground.settings.home, ground.clock).run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
