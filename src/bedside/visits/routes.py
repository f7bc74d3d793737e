"""Signalling: one WebSocket a page, relayed over the bus, so that any number of web processes serve one visit.

Client to server: {t: hello, connection}, {t: signal, to, data}, {t: here}, {t: state, …},
{t: chat, id, text}, {t: ping, n}.
Server to client: {t: welcome, connection, who, name, role, ice, chat, status}, {t: here | gone, connection,
who, name, role}, {t: signal, from, data}, {t: state, from, …}, {t: chat, …}, {t: visit, status, event}, {t: pong, n},
{t: refused, error, remedy, id?, text?}: of a line of chat that is not taken; {t: ended}: the person is signed in no
longer, and the page leaves. A page sends a line again until it comes back, by the bus or in a welcome.
connection: an id made by the page, the same across reconnects, so that a lost link finds its peer connection again.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from datetime import timedelta
from typing import Any

import orjson
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bedside import access
from bedside.access.events import ended_subject
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden, Unavailable
from bedside.foundation.http import ctx_of
from bedside.visits.events import signal_subject
from bedside.visits.model import Message
from bedside.visits.service import joining, running
from bedside.visits.settings import VisitSettings

GUEST_COOKIE = "bedside-visit"
SILENT = 20.0
"""Seconds without a ping after which the page counts as gone; a 12 s loss of the network passes."""
DEAF = 3.0
"""Seconds between two looks at what was written, while the bus that would tell it is away."""
ALIVE = timedelta(minutes=1)
"""How often an open visit says that its person is here: it is never idle."""
LARGEST = 64_000


class Page:
    """One page of a visit: its socket, its ctx, and what it says to the others."""

    def __init__(self, socket: WebSocket, ctx: Ctx, visit: str, settings: VisitSettings) -> None:
        self.socket, self.ctx, self.visit, self.settings = socket, ctx, visit, settings
        self.connection = ""
        self.looked = -math.inf
        self.kept = ctx.clock.now()
        self.me: dict[str, Any] = {}

    async def send(self, moment: dict[str, Any]) -> None:
        """To this page; one that is gone is noticed by its reader."""
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.send_text(orjson.dumps(moment).decode())

    async def relay(self, moment: dict[str, Any]) -> None:
        """To every page of the visit, this one too."""
        await self.ctx.bus.publish(f"visits.signal.{self.ctx.tenant}.{self.visit}", moment)

    async def hello(self, said: dict[str, Any]) -> None:
        """Join: raises BedsideError when the visit does not let one in."""
        connection = str(said.get("connection", ""))
        if not 8 <= len(connection) <= 64:
            raise access_refusal()
        async with access.work(self.ctx, "joined the visit") as ctx:
            visit, role = await running.join(ctx, self.visit, connection)
            chat = await running.chat(ctx, self.visit)
        self.connection = connection
        self.me = {"connection": connection, "who": self.ctx.actor.id, "name": self.ctx.actor.name, "role": role}
        await self.send(
            {
                "t": "welcome",
                **self.me,
                "ice": self.settings.ice_servers(self.ctx.actor.id, self.ctx.clock.now()),
                "status": visit.status,
                "chat": [_line(message) for message in chat],
            }
        )
        await self.relay({"t": "here", **self.me})

    async def caught_up(self) -> None:
        """The bus was away: lines that were written meanwhile, and who is here. A page knows lines by their ids."""
        if not self.connection:
            return
        async with access.work(self.ctx, "read on in the visit", readonly=True) as ctx:
            lines = await running.chat(ctx, self.visit)
        for line in lines:
            await self.send({"t": "chat", **_line(line)})
        await self.relay({"t": "here", **self.me})

    async def close(self, *_: Any) -> None:
        """Whoever this page was is signed in no longer."""
        await self.send({"t": "ended"})
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.close(4403)

    async def heard(self, _: str, moment: dict[str, Any]) -> None:
        """A moment from the bus: pass on what concerns this page."""
        if not self.connection:
            return
        kind, other = moment.get("t"), moment.get("connection", moment.get("from"))
        if other == self.connection or moment.get("to", self.connection) != self.connection:
            return
        if kind == "here" and not moment.get("reply"):
            await self.relay({"t": "here", **self.me, "reply": True, "to": other})
        await self.send(moment)

    async def say(self, said: dict[str, Any]) -> None:
        """One message of the page, after hello."""
        match said.get("t"):
            case "ping":
                if (now := self.ctx.clock.now()) - self.kept > ALIVE:
                    self.kept = now
                    if not await access.keep_alive(self.ctx):
                        await self.close()
                if not self.ctx.bus.connected and time.monotonic() - self.looked > DEAF:
                    self.looked = time.monotonic()
                    await self.caught_up()
                await self.send({"t": "pong", "n": said.get("n")})
            case "signal":
                await self.relay(
                    {"t": "signal", "from": self.connection, "to": said.get("to"), "data": said.get("data")}
                )
            case "here":
                await self.relay({"t": "here", **self.me})
            case "state":
                known: dict[str, Any] = {
                    k: said[k] for k in ("microphone", "camera", "sharing", "quality") if k in said
                }
                await self.relay({"t": "state", "from": self.connection, **known})
            case "chat":
                async with access.work(self.ctx, "wrote in the visit") as ctx:
                    await running.say(ctx, self.visit, str(said.get("id", "")), str(said.get("text", "")))
            case _:
                await self.send({"t": "refused", "error": "unknown message"})

    async def bye(self) -> None:
        """The socket is gone."""
        if not self.connection:
            return
        await self.relay({"t": "gone", **self.me})
        with contextlib.suppress(Forbidden):  # whose account has ended has left it already
            async with access.work(self.ctx, "left the visit") as ctx:
                await running.leave(ctx, self.visit, self.connection)


def _line(m: Message) -> dict[str, Any]:
    """A line of chat as pages read it."""
    return {"id": m.id, "at": m.at.isoformat(), "who": m.who, "name": m.name, "text": m.text}


def access_refusal() -> BedsideError:
    """A page that does not say who it is."""
    return BedsideError("The page did not introduce itself.", remedy="Reload it.")


def closing(error: BedsideError) -> int:
    """The code to close with: 4403 tells the page to stay away, anything else to come again."""
    return 1013 if isinstance(error, Unavailable) else 4403


async def door(socket: WebSocket) -> Ctx:
    """Who is at the socket: the session's person, else the device that confirmed a link."""
    ctx = ctx_of(socket)
    device = socket.cookies.get(GUEST_COOKIE)
    if ctx.actor.kind == "nobody" and device:
        actor, _ = await guest_of(ctx, device)
        return ctx.with_(actor=actor, purpose="PATRQT")
    return ctx


async def guest_of(ctx: Ctx, device: str) -> tuple[Any, str]:
    """The actor behind a guest's device cookie, and the one visit it is for. Raises Forbidden."""
    async with ctx.database.transaction(readonly=True) as tx:
        return await joining.guest(ctx.with_(tx=tx), device)


async def signal(socket: WebSocket) -> None:
    """One page of a visit. The relay's settings are app's, at app.state.visits."""
    await socket.accept()
    try:
        ctx = await door(socket)
    except BedsideError as error:
        await socket.close(closing(error), error.message)
        return
    page = Page(socket, ctx, socket.path_params["visit"], socket.app.state.visits)
    subscription = await ctx.bus.subscribe(signal_subject(ctx.tenant, page.visit), page.heard)
    ended = await ctx.bus.subscribe(ended_subject(ctx.tenant, ctx.actor.id), page.close)
    forget = ctx.bus.on_return(page.caught_up)
    try:
        await _converse(page)
    finally:
        forget()
        with contextlib.suppress(Exception):
            await subscription.unsubscribe()
            await ended.unsubscribe()
        await asyncio.shield(page.bye())


async def _converse(page: Page) -> None:
    """Read until the page leaves, falls silent or says something that closes the door."""
    while True:
        try:
            text = await asyncio.wait_for(page.socket.receive_text(), SILENT)
        except (TimeoutError, WebSocketDisconnect, KeyError):
            return
        said: dict[str, Any] = {}
        try:
            if len(text) > LARGEST:
                raise access_refusal()
            read = orjson.loads(text)
            if not isinstance(read, dict):
                raise orjson.JSONDecodeError("not an object", text, 0)
            said = read
            if not page.connection:
                await page.hello(said)
            else:
                await page.say(said)
        except BedsideError as error:
            words, remedy = page.settings.told(page.socket, error)
            # A line of chat that only met a bad moment is sent again by its page.
            final = said.get("t") == "chat" and not isinstance(error, Unavailable)
            which = {"id": said.get("id"), "text": said.get("text")} if final else {}
            await page.send({"t": "refused", "error": words, "remedy": remedy, **which})
            if not page.connection:
                await page.socket.close(closing(error))
                return
        except orjson.JSONDecodeError:
            await page.send({"t": "refused", "error": "not a JSON object"})


ROUTES: list[BaseRoute] = [WebSocketRoute("/visits/{visit}/signal", signal)]
