"""No request is larger than what is taken at once: a body that grows past the limit is refused while it arrives."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.foundation.errors import TooLarge
from bedside.foundation.http import header

LIMIT = 20 * 1024 * 1024
"""Bytes. The largest FHIR bundle that a client should send at once, with room."""


class Bounded:
    """Raises TooLarge for a body that says it is, or turns out to be, larger than the limit.

    doors: paths that take more, each by a pattern of the whole path and its own limit. They must read their bodies as
    streams: what is taken at once stays small.
    """

    def __init__(self, app: ASGIApp, limit: int = LIMIT, doors: Sequence[tuple[re.Pattern[str], int]] = ()) -> None:
        self.app, self.limit, self.doors = app, limit, doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = next((most for path, most in self.doors if path.fullmatch(scope["path"])), self.limit)
        said = header(scope, b"content-length") or "0"
        if not said.isdecimal() or int(said) > limit:
            raise self._refusal(limit)
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise self._refusal(limit)
            return message

        await self.app(scope, counted, send)

    @staticmethod
    def _refusal(limit: int) -> TooLarge:
        return TooLarge("A request may have %(most)s MB.", remedy="Send it in parts.", most=limit >> 20)
