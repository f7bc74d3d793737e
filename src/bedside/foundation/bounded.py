"""No request is larger than what is taken at once: a body that grows past the limit is refused while it arrives."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.foundation.errors import TooLarge
from bedside.foundation.http import header

LIMIT = 20 * 1024 * 1024
"""Bytes. The largest FHIR bundle that a client should send at once, with room."""


class Bounded:
    """Raises TooLarge for a body that says it is, or turns out to be, larger than the limit."""

    def __init__(self, app: ASGIApp, limit: int = LIMIT) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = header(scope, b"content-length") or "0"
        if not said.isdecimal() or int(said) > self.limit:
            raise self._refusal()
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise self._refusal()
            return message

        await self.app(scope, counted, send)

    def _refusal(self) -> TooLarge:
        return TooLarge("A request may have %(most)s MB.", remedy="Send it in parts.", most=self.limit >> 20)
