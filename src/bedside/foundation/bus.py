"""NATS: every moment, no promise. Losing it loses nothing that was acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import nats
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from bedside.foundation.errors import Unavailable

Return = Callable[[], Awaitable[None]]


class Bus:
    """One connection to NATS; publishing while it is away drops the moment, silently and countably."""

    def __init__(self, client: Client | None, returning: set[Return] | None = None) -> None:
        self._client = client
        self._returning: set[Return] = set() if returning is None else returning
        self._trying: asyncio.Task[Client] | None = None
        self.dropped = 0

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        user: str | None = None,
        password: str | None = None,
        name: str = "bedside",
        patient: bool = False,
    ) -> Bus:
        """Connect, and reconnect for ever after. Raises Unavailable when the first try fails for 10 s.

        url: of one server, or of several of a cluster with commas between them: any that answers will do.

        patient: after 2 s go on without, and connect once NATS is there: for processes that serve more than moments.
        """
        servers = [one.strip() for one in url.split(",")]
        if user is None:
            # A cluster tells its other servers without their credentials; one that refuses us ends the client for good.
            told = urlsplit(servers[0])
            user, password = (None if part is None else unquote(part) for part in (told.username, told.password))
        options: dict[str, Any] = {"user": user, "password": password} if user and password else {}

        async def quiet(_: Exception) -> None:
            return None

        returning: set[Return] = set()
        under_way: set[asyncio.Future[Any]] = set()

        async def returned() -> None:
            told = asyncio.gather(*(call() for call in list(returning)), return_exceptions=True)
            under_way.add(told)
            told.add_done_callback(under_way.discard)

        async def until_there() -> Client:
            while True:
                try:
                    return await nats.connect(
                        servers,
                        name=name,
                        max_reconnect_attempts=-1,
                        reconnect_time_wait=0.25,
                        connect_timeout=5,
                        error_cb=quiet,
                        reconnected_cb=returned,
                        **options,
                    )
                except Exception:
                    await asyncio.sleep(0.5)

        trying = asyncio.create_task(until_there())
        await asyncio.wait({trying}, timeout=2 if patient else 10)
        if trying.done():
            return cls(trying.result(), returning)
        if not patient:
            trying.cancel()
            raise Unavailable("NATS cannot be reached.", remedy="Check --nats-url and that NATS runs.")
        bus = cls(None, returning)
        bus._trying = trying
        trying.add_done_callback(bus._arrived)
        return bus

    def _arrived(self, trying: asyncio.Task[Client]) -> None:
        if not trying.cancelled():
            self._client = trying.result()

    async def there(self) -> None:
        """Wait until NATS was reached once."""
        if self._trying is not None:
            await asyncio.wait({self._trying})

    @property
    def client(self) -> Client:
        """The nats-py client, for JetStream and services."""
        if self._client is None:
            raise Unavailable("NATS is away.", remedy="Try again in a few seconds.")
        return self._client

    @property
    def connected(self) -> bool:
        """Whether the link stands at this moment."""
        return self._client is not None and self._client.is_connected

    def on_return(self, call: Return) -> Callable[[], None]:
        """Call this each time NATS was away and is back: what was said meanwhile was not heard. Returns what ends it.

        What it raises is dropped.
        """
        self._returning.add(call)
        return lambda: self._returning.discard(call)

    async def publish(self, subject: str, payload: Any) -> None:
        """Send a moment as JSON. Never raises: what must not be lost does not travel here."""
        if not self.connected:
            self.dropped += 1
            return
        try:
            await self.client.publish(subject, payload if isinstance(payload, bytes) else orjson.dumps(payload))
        except Exception:
            self.dropped += 1

    async def subscribe(
        self, subject: str, handler: Callable[[str, Any], Awaitable[None]], *, queue: str = ""
    ) -> Subscription:
        """Call handler(subject, decoded JSON) for each message."""

        async def receive(message: Msg) -> None:
            await handler(message.subject, orjson.loads(message.data) if message.data else None)

        return await self.client.subscribe(subject, queue=queue, cb=receive)

    async def listen(self, subject: str, handler: Callable[[str, bytes], Awaitable[None]]) -> Subscription:
        """Call handler(subject, payload as it came) for each message: for moments that are not JSON."""

        async def receive(message: Msg) -> None:
            await handler(message.subject, message.data)

        return await self.client.subscribe(subject, cb=receive)

    async def close(self) -> None:
        """Leave."""
        if self._trying is not None:
            self._trying.cancel()
        if self._client is not None and not self._client.is_closed:
            await self._client.close()


def no_bus() -> Bus:
    """A bus that drops everything: for commands that run with no NATS at hand."""
    return Bus(None)
