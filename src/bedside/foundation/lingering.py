"""An answer that is ready before the request's body has been read waits for the rest of it, within bounds.

A server that answers and closes while its client still sends makes the client's system throw the answer away with the
connection (RFC 9112, section 9.6): whoever sent 20 MB without a session would see a broken pipe, and a proxy in
front would say 502, instead of the refusal with its reason.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.foundation.http import header

MOST = 64 * 1024 * 1024
"""Bytes that are read and thrown away before the answer goes out all the same."""
PATIENCE = 10.0
"""Seconds that it may take."""


class Lingering:
    """Sends the first line of an answer when the body of the request has come in, or after MOST bytes or PATIENCE."""

    def __init__(self, app: ASGIApp, most: int = MOST, patience: float = PATIENCE) -> None:
        self.app, self.most, self.patience = app, most, patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _brings_a_body(scope):
            await self.app(scope, receive, send)
            return
        asked = whole = False

        async def heard() -> Message:
            nonlocal asked, whole
            asked = True
            message = await receive()
            asked = False
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        async def rest() -> None:
            taken = 0
            while not whole and taken <= self.most:
                taken += len((await heard()).get("body", b""))

        async def sent(message: Message) -> None:
            # What another task of the request already waits for is its own; two readers would share the body.
            if message["type"] == "http.response.start" and not whole and not asked:
                with suppress(TimeoutError):
                    await asyncio.wait_for(rest(), self.patience)
            await send(message)

        await self.app(scope, heard, sent)


def _brings_a_body(scope: Scope) -> bool:
    """Whether a body is on its way: one that waits for "100 Continue" is not (RFC 9110, section 10.1.1)."""
    if header(scope, b"expect") is not None:
        return False
    return (header(scope, b"content-length") or "0") != "0" or header(scope, b"transfer-encoding") is not None
