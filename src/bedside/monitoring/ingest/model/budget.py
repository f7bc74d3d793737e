"""How many messages a device may send, and whose turn it is: so that one that floods is alone in being held up."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, Generic, TypeVar

T = TypeVar("T")

SECOND: Final = 1_000_000
CUT_SECONDS: Final = 60
"""For so long a device above its limit is refused at every door."""
MOST_REMEMBERED: Final = 20_000
"""Devices in mind at once."""


class Budget:
    """Messages a second for each device, a second's worth at once. Times are µs, of any one clock.

    The wire's clock is the broker's stamp, not the moment of reading: what waits during an outage comes all at once,
    and was not sent all at once.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free: dict[str, int] = {}
        """When each device's budget would be whole again."""
        self._cut: dict[str, int] = {}
        """Until when each is refused."""

    def refused_until(self, device: str, now: int) -> int | None:
        """The end of its time of refusal, None when it is welcome."""
        until = self._cut.get(device)
        return until if until is not None and now < until else None

    def spend(self, device: str, now: int) -> bool:
        """Take one message of the budget. False: there was none left, and the device is refused from now on."""
        interval = SECOND // self.limit
        free = max(self._free.get(device, 0), now) + interval
        if free - now > SECOND + interval:
            self._cut[device] = now + CUT_SECONDS * SECOND
            self._free.pop(device, None)
            return False
        self._free[device] = free
        if len(self._free) > MOST_REMEMBERED:
            self._free = {name: at for name, at in self._free.items() if at > now}
            self._cut = {name: until for name, until in self._cut.items() if until > now}
        return True


class Turns(Generic[T]):
    """A queue in which each device has its own, and the devices take turns: nobody waits behind a thousand messages
    of another. A device's own stay in order."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[T]] = {}
        self._there = asyncio.Event()

    def put(self, device: str, item: T) -> None:
        """At the end of the device's own."""
        self._waiting.setdefault(device, deque()).append(item)
        self._there.set()

    def next(self) -> T | None:
        """The oldest of the device whose turn it is; None when nothing waits."""
        for device in self._waiting:
            queue = self._waiting.pop(device)
            item = queue.popleft()
            if queue:
                self._waiting[device] = queue  # behind all others
            return item
        return None

    async def get(self) -> T:
        """The same, waiting for it."""
        while True:
            item = self.next()
            if item is not None:
                return item
            self._there.clear()
            await self._there.wait()
