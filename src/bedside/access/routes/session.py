"""The middleware that makes each request's ctx, and the idle limit as a page asks about it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside.access.service import recognise
from bedside.access.service.sessions import keep_alive
from bedside.foundation.bus import Bus
from bedside.foundation.clock import Clock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of, header

# Answered for anybody, whatever cookie comes along: no look-up, and the database may be away.
OPEN = ("/static/", "/healthz", "/readyz", "/metrics")
# A page that asks by itself says so; its asking is nobody's doing.
BACKGROUND = "bedside-background"


class Sessions:
    """Sets request.state.ctx, .person and .session (and .language, .zone, .units of the person) for every request.

    Stands inside foundation's Errors and Guard: a bad bearer token is answered by those.
    """

    def __init__(self, app: ASGIApp, database: Database, bus: Bus, clock: Clock, tenant: int = 1) -> None:
        self.app, self.database, self.bus, self.clock, self.tenant = app, database, bus, clock, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        origin = scope["client"][0] if scope.get("client") else ""
        ctx = Ctx(NOBODY, "PATRQT", self.tenant, self.clock, self.database, self.bus, origin=origin)
        found = recognise.Recognised(ctx)
        if not scope["path"].startswith(OPEN):
            try:
                found = await self._recognise(ctx, scope)
            except BedsideError:
                if scope["type"] == "http":
                    raise
        state = scope.setdefault("state", {})
        state["ctx"], state["person"], state["session"] = found.ctx, found.person, found.session
        if found.person is not None:
            state["language"], state["zone"], state["units"] = (
                found.person.language,
                found.person.zone,
                found.person.units,
            )
        await self.app(scope, receive, send)

    async def _recognise(self, ctx: Ctx, scope: Scope) -> recognise.Recognised:
        kind, _, value = (header(scope, b"authorization") or "").partition(" ")
        if kind.lower() == "bearer":
            return await recognise.by_token(ctx, value.strip())
        headers = Headers(scope=scope)
        background = BACKGROUND in headers or scope["path"] == "/session"
        return await recognise.by_cookie(
            ctx, HTTPConnection(scope).cookies, agent=headers.get("user-agent", ""), background=background
        )


async def state(request: Request) -> Response:
    """How long the session lasts if nothing is done, in seconds; asking does not extend it. 0: there is none."""
    session, ctx = request.state.session, ctx_of(request)
    left = 0.0 if session is None else max(0.0, (session.ends() - ctx.clock.now()).total_seconds())
    fixed = session is not None and session.idle is None
    return JSONResponse(
        {
            "signed_in": session is not None,
            "ends_in": round(left, 1),
            "warn_at": recognise.warns_at(ctx),
            "fixed": fixed,
        }
    )


async def extend(request: Request) -> Response:
    """The person is here: 204; 401 when the session has ended."""
    if request.state.session is None:
        return Response(status_code=401)
    await keep_alive(ctx_of(request))
    return Response(status_code=204)
