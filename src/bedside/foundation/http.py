"""What every HTTP answer has in common: its ctx, safety headers, same-origin writes, errors in the caller's format."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlsplit

import orjson
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bedside.fhir.issues import said
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden, TooMany

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self), "
    "screen-wake-lock=(self), geolocation=()",
}


_LINES = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
_STRICT = (b"strict-transport-security", b"max-age=31536000")
_NO_STORE = (b"cache-control", b"no-store")


def header(scope: Scope, name: bytes) -> str | None:
    """A request header's first value, None where it is not there. name: in lower case.

    Each middleware looks at one or two: a table of them all costs more than the look.
    """
    for key, value in scope["headers"]:
        if key == name:
            return cast(str, value.decode("latin-1"))
    return None


def ctx_of(connection: HTTPConnection) -> Ctx:
    """The ctx that the session middleware made for this request."""
    return cast(Ctx, connection.state.ctx)


def wants(scope: Scope) -> str:
    """The caller's format for an error: 'fhir', 'page' or 'json'."""
    path = scope["path"]
    if path.startswith("/fhir/") or (header(scope, b"content-type") or "").startswith("application/fhir+json"):
        return "fhir"
    accept = header(scope, b"accept") or ""
    return "page" if "text/html" in accept else "json"


def outcome(error: BedsideError) -> dict[str, Any]:
    """The error as a FHIR R4 OperationOutcome."""
    details = error.message if error.remedy is None else f"{error.message} {error.remedy}"
    issue: dict[str, Any] = {"severity": "error", "code": error.code, "diagnostics": said(details)}
    if place := said(error.where or ""):
        issue["expression"] = [place]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


Page = Callable[[Request, BedsideError], Awaitable[Response]]


class Errors:
    """Turns a BedsideError into an answer in the caller's format. page renders the HTML one (the kit's)."""

    def __init__(self, app: ASGIApp, page: Page, log: Callable[..., Any]) -> None:
        self.app, self.page, self.log = app, page, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if begun:
                raise
            known = error if isinstance(error, BedsideError) else _unknown(error)
            if known.status >= 500:
                self.log("request failed", status=known.status, kind=type(error).__name__, exc_info=error)
            response = await self._answer(Request(scope, receive), known)
            await response(scope, receive, send)

    async def _answer(self, request: Request, error: BedsideError) -> Response:
        match wants(request.scope):
            case "page":
                response = await self.page(request, error)
            case "fhir":
                response = Response(
                    orjson.dumps(outcome(error)), error.status, media_type="application/fhir+json; charset=utf-8"
                )
            case _:
                body = {"error": error.message, "where": error.where, "remedy": error.remedy}
                response = Response(orjson.dumps(body), error.status, media_type="application/json")
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("cache-control", "no-store")
        if isinstance(error, TooMany):
            response.headers["retry-after"] = str(error.retry_after)
        if error.status == 401:
            response.headers["www-authenticate"] = 'Bearer realm="bedside"'
        return response


def _unknown(error: Exception) -> BedsideError:
    """An error nobody foresaw: its text may hold health data, so it is not shown."""
    return BedsideError(
        "Something went wrong here, and it was logged.",
        remedy="Try again; tell the clinic: %(kind)s.",
        kind=type(error).__name__,
    )


class Guard:
    """Safety headers on every answer, and no unsafe method from another origin (cross-site request forgery).

    A browser says where a request comes from (Sec-Fetch-Site, else Origin); a program that is no browser says
    neither and has no cookies. A bearer token is not ambient and passes. A WebSocket handshake counts as unsafe.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str] = frozenset(), secure: bool = False) -> None:
        self.app, self.origins = app, origins
        self.lines = [*_LINES, *([_STRICT] if secure else ()), _NO_STORE]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE
        if unsafe and not self._same_origin(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
                return
            raise Forbidden("This request came from another site.", remedy="Open Bedside itself and try again.")

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message["headers"])
                said = {name for name, _ in given}
                message["headers"] = given + [line for line in self.lines if line[0] not in said]
            await send(message)

        await self.app(scope, receive, add)

    def _same_origin(self, scope: Scope) -> bool:
        if (header(scope, b"authorization") or "").lower().startswith("bearer "):
            return True
        site = header(scope, b"sec-fetch-site")
        if site is not None:
            # Without a cookie too: another site must not sign its visitors in here as somebody else.
            return site in {"same-origin", "none"}
        if header(scope, b"cookie") is None:
            return True
        origin = header(scope, b"origin")
        if origin is None:
            return True
        return origin in self.origins or urlsplit(origin).netloc == header(scope, b"host")
