"""A worker that is killed between sending a notice and noting it: another sends it again, under the same id."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime

import pytest
from tests.messaging.servers import Mail, mail
from tests.messaging.test_delivery import send, state
from tests.messaging.test_notices import add

from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.jobs import Worker
from bedside.messaging import settings
from bedside.messaging.subscribers import JOBS

pytestmark = pytest.mark.faults
__all__ = ["mail"]

KILLED = """
import asyncio, os, signal, sys
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.database import Database
from bedside.foundation.jobs import Worker
from bedside.messaging import settings
from bedside.messaging.service import sending
from bedside.messaging.subscribers import JOBS

async def killed(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = await Database.connect(sys.argv[1])
    settings.use(database, settings.Settings(smtp=sys.argv[2], sender="clinic@clinic.example"))
    sending._note = killed
    await Worker(database, no_bus(), SystemClock(), JOBS).run()

asyncio.run(main())
"""


async def test_what_was_sent_and_not_noted_is_sent_again_under_the_same_id(
    ctx: Ctx, database_url: str, mail: Mail
) -> None:
    ctx = ctx.with_(clock=SystemClock())
    url = f"smtp://127.0.0.1:{mail.port}"
    ann = await add(ctx, email="ann@home.example")
    id_ = await send(ctx, ann.id)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, database_url, url, env={**os.environ})
    assert await asyncio.wait_for(child.wait(), 60) == -signal.SIGKILL
    assert [message["message-id"] for _, _, message in mail.got] == [f"<{id_}@clinic.example>"]
    assert (await state(ctx, id_))[0] == "waiting"
    settings.use(ctx.database, settings.Settings(smtp=url, sender="clinic@clinic.example"))
    worker = Worker(ctx.database, ctx.bus, ctx.clock, JOBS)
    running = asyncio.create_task(worker.run())
    begun = datetime.now(UTC)
    while (await state(ctx, id_))[0] == "waiting":
        assert (datetime.now(UTC) - begun).total_seconds() < 60, "nobody took it over"
        await asyncio.sleep(0.2)
    worker.stop()
    await running
    assert (await state(ctx, id_))[0] == "sent"
    assert [message["message-id"] for _, _, message in mail.got] == [f"<{id_}@clinic.example>"] * 2
