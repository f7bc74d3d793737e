"""Passing on: each device's messages in order, all devices side by side, no faster than `rate`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Final

import httpx
import structlog

from bedside.gateway.resolving import joined
from bedside.gateway.store import Full, Journal, Waiting

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
TIMEOUT: Final = 20.0
HERE: Final = 30.0
"""Seconds between two words that it is there."""
TOGETHER: Final = 100
"""Messages of one device that go as one: a backlog of days costs Bedside little."""
MOST_BYTES: Final = 60_000
"""Of them: some hundred readings, fewer than the 1,000 that a pack may have."""
ONE_BY_ONE: Final = -1.0
FINAL: Final = frozenset({400, 413, 415, 422})
"""Answers that no second try would change."""
REFUSED: Final = frozenset({401, 403})
log = structlog.get_logger("bedside.gateway")


class Pace:
    """At most so many a second, evenly."""

    def __init__(self, rate: float) -> None:
        self._step, self._next = 1 / rate, 0.0

    async def turn(self) -> None:
        """Wait for one's turn."""
        now = time.monotonic()
        self._next = max(self._next, now) + self._step
        await asyncio.sleep(self._next - self._step - now)


class PassingOn:
    """See the module. passwords: by device. name: by which Bedside knows it."""

    def __init__(
        self, journal: Journal, client: httpx.AsyncClient, passwords: Mapping[str, str], rate: float, name: str
    ) -> None:
        self._journal, self._client, self._passwords, self._name = journal, client, passwords, name
        self._pace = Pace(rate)
        self._news = {device: asyncio.Event() for device in passwords}
        self.reached_at: float | None = None
        """Unix time at which Bedside last answered."""

    def news(self, device: str) -> None:
        """Something of it was kept."""
        self._news[device].set()

    async def run(self) -> None:
        """Until cancelled. What a device left here that is no longer known stays, and is said."""
        for device in set(self._journal.devices()) - self._passwords.keys():
            log.warning("what a device left here has no card to be passed on with", device=device)
        async with asyncio.TaskGroup() as group:
            for device in self._passwords:
                group.create_task(self._device(device))
            group.create_task(self._say())

    async def _say(self) -> None:
        """That it is there, twice a minute for each device it carries: else its silence would be taken for theirs."""
        carried = dict(self._passwords)
        while carried:
            for device, password in list(carried.items()):
                await self._pace.turn()
                try:
                    answer = await self._client.put(
                        f"/devices/{device}/gateway",
                        json={"gateway": self._name},
                        auth=httpx.BasicAuth(device, password),
                    )
                    self.reached_at = time.time()
                except httpx.HTTPError:
                    break  # the passing on says so
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return  # an older Bedside does not ask
                if answer.status_code in REFUSED:
                    del carried[device]  # its card ended: the passing on goes on trying, and says so
            await asyncio.sleep(HERE)

    async def _device(self, device: str) -> None:
        wait, together = FIRST_WAIT, TOGETHER
        while True:
            self._news[device].clear()
            waiting = _alike(await asyncio.to_thread(self._journal.first, device, together))
            if not waiting:
                await self._news[device].wait()
                continue
            await self._pace.turn()
            again = await self._pass(waiting)
            if again is None:
                wait, together = FIRST_WAIT, TOGETHER
            elif again is ONE_BY_ONE:
                together = 1  # so that the one that is refused stands alone
            else:
                await asyncio.sleep(max(again, wait) * random.uniform(0.8, 1.2))  # noqa: S311 - spreads tries, no secret
                wait = min(wait * 2, LONGEST_WAIT)

    async def _pass(self, waiting: list[Waiting]) -> float | None:
        """None when it is dealt with; ONE_BY_ONE; else the seconds to wait at least."""
        last = waiting[-1]
        device, media = last.device, last.media
        body = last.body if len(waiting) == 1 else joined([one.body for one in waiting], media)
        try:
            answer = await self._client.post(
                f"/devices/{device}/readings",
                content=body,
                headers={"content-type": media},
                auth=httpx.BasicAuth(device, self._passwords[device]),
            )
        except httpx.HTTPError as error:
            log.info("Bedside is out of reach", kind=type(error).__name__, device=device)
            return 0
        self.reached_at = time.time()
        try:
            if answer.is_success:
                await asyncio.to_thread(self._journal.passed_on, device, last.n)
                return None
            if answer.status_code in FINAL and len(waiting) > 1:
                return ONE_BY_ONE
            if answer.status_code in FINAL:
                log.warning("Bedside refused a message for good", device=device, status=answer.status_code)
                await asyncio.to_thread(self._journal.set_aside, last.n, answer.status_code, answer.text[:2000])
                return None
        except Full:
            # Not even room to note that it is done: it is sent again, and Bedside knows it.
            return LONGEST_WAIT
        log.warning("Bedside does not take a message now", device=device, status=answer.status_code)
        said = answer.headers.get("retry-after", "")
        if said.isascii() and said.isdigit():
            return float(said)
        # Refused at the door: the card was revoked or has expired. A person must act; nothing is lost meanwhile.
        return LONGEST_WAIT if answer.status_code in REFUSED else 0


def _alike(waiting: list[Waiting]) -> list[Waiting]:
    """As many from the front as can go as one message: of one media type, and of MOST_BYTES."""
    size, found = 0, list[Waiting]()
    for one in waiting:
        size += len(one.body)
        if one.media != waiting[0].media or (found and size > MOST_BYTES):
            break
        found.append(one)
    return found
