"""What only the broker sees of devices: why it cut them off, and what it dropped of them.

The first is told on its system account. The second stands in its log alone: a publish where a device may not is
acknowledged by MQTT and dropped, so neither the device nor anybody else would know.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import nats.errors
import orjson
import structlog
from nats.aio.msg import Msg

from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.monitoring.devices.service.sign_in import REFUSED_FOR, UNKNOWN
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.store import devices as store

REASONS: Final = {
    # nats-server's own words for why a connection ended: our kind of event
    "Maximum Message Payload Exceeded": "oversize",
    "Maximum Payload Exceeded": "oversize",
    "Protocol Violation": "protocol",
    "Parse Error": "protocol",
}
VIOLATION: Final = re.compile(r'- mid:\d+ - "([^"]*)" - (Publish|Subscription) Violation - Subject "([^"]{1,200})"')
"""A line of nats-server's log about an MQTT client that went where it may not: client id, deed, subject."""
LOOK_EVERY: Final = 1.0
AGAIN: Final = timedelta(seconds=10)
FEW: Final = 4
"""Devices asked about one by one."""
PAGE: Final = 1024
"""Connections in one answer of NATS."""
SERVERS_ANSWER: Final = 0.5
"""Seconds within which each server of a cluster tells of its connections."""
MOST_READ: Final = 1_000_000
"""Bytes of log taken at once: a device that floods it is seen as well by a part."""
log = structlog.get_logger("bedside.monitoring")


async def watch(ctx: Ctx, system: Bus) -> None:
    """Record each cut-off of an MQTT connection as a technical event. system: a link to NATS's system account."""

    async def ended(_: str, event: dict[str, Any]) -> None:
        client = event.get("client", {})
        kind = REASONS.get(event.get("reason", ""))
        if kind is None or client.get("client_type") != "mqtt":
            return
        try:
            async with ctx.database.transaction() as sql:
                await note(ctx.with_(tx=sql), kind, client.get("user") or UNKNOWN, host=client.get("host", ""))
        except (BedsideError, OSError):
            log.warning("a cut-off could not be recorded", why=kind)

    await system.subscribe("$SYS.ACCOUNT.*.DISCONNECT", ended, queue="technical")


class CutOff:
    """Ends the connections of devices that may be connected no more: revoked, sending more than they may, or come in by
    a password that is another one now.

    ctx: the ingest process's own. system: a link to NATS's system account. What such a device still sends is refused
    where it lands, so this is to tell it, and to spare the others. Expiry needs none of it: NATS was told at sign-in.
    """

    def __init__(self, ctx: Ctx, system: Bus) -> None:
        self._ctx, self._system = ctx, system
        self._since: dict[tuple[str, datetime | None], datetime] = {}
        """What was seen first when. Looked at again for AGAIN: a sign-in under way may come in after the first look."""

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a second, until stop."""
        while not stop.is_set():
            try:
                await self.look()
            except (BedsideError, OSError, nats.errors.Error):
                log.warning("devices could not be cut off")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)

    async def look(self) -> int:
        """Cut off whom it concerns; how many connections there were."""
        now = self._ctx.clock.now()
        async with self._ctx.database.connection() as sql:
            found = await store.unwelcome(sql, now - REFUSED_FOR)
            renewed = await store.renewed(sql, now - REFUSED_FOR)
        self._since = {one: self._since.get(one, now) for one in [*found, *renewed]}
        names = {name for (name, _), first in self._since.items() if now - first <= AGAIN}
        # Whoever connected after the new password was seen here has shown that one.
        before = {name: self._since[name, at] for name, at in renewed}
        for name, _ in found:
            before.pop(name, None)
        cut = 0
        for server, connection in await self._connections(names, before):
            # Without somebody to answer to, the server does nothing (2.15.1).
            with contextlib.suppress(nats.errors.TimeoutError, nats.errors.NoRespondersError):
                kick = f"$SYS.REQ.SERVER.{server}.KICK"
                await self._system.client.request(kick, orjson.dumps({"cid": connection}), timeout=2)
                cut += 1
        if cut:
            log.info("devices were cut off", connections=cut)
        return cut

    async def _connections(self, names: set[str], before: dict[str, datetime]) -> list[tuple[str, int]]:
        """Server id and connection id of each open connection of these devices, on all servers. before: of these only
        the connections that were opened before a moment."""
        if len(names) <= FEW:
            pages = [page for name in names for page in await self._ask({"user": name})]
        else:  # at a start, each device ever revoked is looked for: one list is less than a question for each
            pages = []
            for offset in itertools.count(0, PAGE):
                more = await self._ask({"offset": offset})
                pages += more
                if all(len(connections) < PAGE for _, connections in more):
                    break
        return [
            (server, one["cid"])
            for server, connections in pages
            for one in connections
            if (name := one.get("authorized_user")) in names
            and (name not in before or datetime.fromisoformat(one["start"]) < before[name])
        ]

    async def _ask(self, about: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
        """Each server's id and a page of its connections."""
        client = self._system.client
        inbox = client.new_inbox()
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        subscription = await client.subscribe(inbox, cb=heard.put)
        found = []
        try:
            await client.publish(
                "$SYS.REQ.SERVER.PING.CONNZ", orjson.dumps({"auth": True, "limit": PAGE, **about}), reply=inbox
            )
            with contextlib.suppress(TimeoutError):
                while True:  # nobody knows how many servers there are: until none answers any more
                    told = orjson.loads((await asyncio.wait_for(heard.get(), SERVERS_ANSWER)).data)
                    found.append((told["server"]["id"], told.get("data", {}).get("connections") or []))
        finally:
            await subscription.unsubscribe()
        return found


class BrokerLog:
    """Follows an embedded server's log from now on. Where others run NATS there is none to follow."""

    def __init__(self, ctx: Ctx, path: Path) -> None:
        self._ctx, self._path = ctx, path
        self._place = path.stat().st_size if path.exists() else 0

    async def follow(self, stop: asyncio.Event) -> None:
        """Record what it tells, once a second, until stop."""
        while not stop.is_set():
            try:
                await self.look()
            except (BedsideError, OSError):
                log.warning("the broker's log could not be followed")
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Record what was written since the last look."""
        found: dict[str, tuple[int, str]] = {}
        for client, _, subject in VIOLATION.findall(self._new()):
            found[client] = (found.get(client, (0, ""))[0] + 1, subject)
        if not found:
            return
        async with self._ctx.database.transaction() as sql:
            names = await store.clients(sql, list(found))
            for client, (count, subject) in found.items():
                await note(
                    self._ctx.with_(tx=sql), "other-subject", names.get(client, UNKNOWN), count=count, subject=subject
                )

    def _new(self) -> str:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return ""
        if size < self._place:  # turned over
            self._place = 0
        with self._path.open("rb") as file:
            file.seek(self._place)
            raw = file.read(MOST_READ)
        whole = raw[: raw.rfind(b"\n") + 1]
        self._place += len(whole) or (len(raw) if len(raw) == MOST_READ else 0)
        return whole.decode(errors="replace")
