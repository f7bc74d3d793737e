"""REST at /fhir/R4: `/fhir/R4` and `/fhir/R4/` are the same place."""

import re

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bedside.records.routes import binary, operations
from bedside.records.routes.rest import fhir

HERE = "/fhir/R4"


class Door(BaseRoute):
    """Everything below /fhir/R4, whatever the method: the interaction says what it takes, in FHIR's own format."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """By the path alone."""
        path = scope["path"]
        if scope["type"] == "http" and path.startswith(HERE) and path[len(HERE) : len(HERE) + 1] in ("", "/"):
            return Match.FULL, {"endpoint": fhir}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it."""
        response = await fhir(Request(scope, receive, send))
        await response(scope, receive, send)


ROUTES: list[BaseRoute] = [Door()]

BOUNDS = [
    (re.compile(r"/fhir/R4/\$import/?"), operations.MOST_STREAMED),
    (re.compile(r"/fhir/R4/Binary(/[^/]+)?/?"), binary.MOST_POSTED),
]
"""The doors that take bodies larger than usual, which they read as streams."""
