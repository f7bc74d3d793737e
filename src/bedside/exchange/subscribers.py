"""What the processes run for exchange: the MLLP door in the ingest process, and the forgetting of old keys."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bedside import access
from bedside.exchange.service.door import Door
from bedside.exchange.service.forgetting import forget_messages
from bedside.exchange.service.receiving import receive
from bedside.foundation.context import Ctx

HANDSHAKE = 10.0
"""Seconds for TLS to come about."""
FORGET = "exchange.forget"


@asynccontextmanager
async def listening(ctx: Ctx, door: socket.socket, tls: tuple[Path, Path] | None = None) -> AsyncIterator[None]:
    """Answer HL7 v2 on this listening socket while the body runs.

    ctx: the process's own (actor kind job), outside a transaction. tls: certificate and key; without them it is plain.
    """
    served = Door(lambda block, peer: receive(ctx, block, peer))
    secure = None
    if tls is not None:
        secure = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        secure.load_cert_chain(*tls)
    shake = None if secure is None else HANDSHAKE
    server = await asyncio.start_server(served.connection, sock=door, ssl=secure, ssl_handshake_timeout=shake)
    try:
        yield
    finally:
        server.close()
        await served.stop()


async def forget(ctx: Ctx, payload: dict[str, Any]) -> None:
    """See forget_messages. Idempotent."""
    async with access.work(ctx, "dropped the keys of old messages") as work:
        await forget_messages(work)


JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {FORGET: forget}
EVERY: dict[str, timedelta] = {FORGET: timedelta(days=1)}
