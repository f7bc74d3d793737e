"""How long each request took and how it ended: a span and a duration by endpoint; paths hold ids and are left out."""

from __future__ import annotations

import time

from opentelemetry import trace
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.foundation.http import header
from bedside.foundation.telemetry import continued, duration, tracer, traces


class Measured:
    """Outermost of all. A stream or a socket that stays open for long is counted when it ends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        begun, status = time.perf_counter(), "none"

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            elif message["type"] == "websocket.accept":
                status = "101"
            await send(message)

        if not traces():
            try:
                await self.app(scope, receive, noting)
            finally:
                duration(scope["type"], _name(scope), status).observe(time.perf_counter() - begun)
            return
        kind = trace.SpanKind.SERVER
        with (
            continued(header(scope, b"traceparent")),
            tracer().start_as_current_span(scope["type"], kind=kind, record_exception=False) as span,
        ):
            try:
                await self.app(scope, receive, noting)
            finally:
                name = _name(scope)
                span.update_name(name)
                span.set_attribute("http.response.status_code", status)
                duration(scope["type"], name, status).observe(time.perf_counter() - begun)


def _name(scope: Scope) -> str:
    """The method and the endpoint's own name: one of few, whatever was asked for."""
    endpoint = scope.get("endpoint")
    method = scope.get("method", "GET")
    if endpoint is None:
        return f"{method} nothing"
    return f"{method} {getattr(endpoint, '__module__', '?')}.{getattr(endpoint, '__name__', type(endpoint).__name__)}"
