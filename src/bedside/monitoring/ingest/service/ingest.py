"""The one direct path: message → decode → land (store and judge in one transaction) → commit → acknowledge.

Messages wait in a JetStream stream until they have landed; that makes no promise to anyone (DESIGN): a device
repeats its pack until it hears the acknowledgement that goes out here, after PostgreSQL's commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Collection
from functools import partial
from itertools import count
from typing import Final

import asyncpg
import nats.errors
import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig

from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Unavailable
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.service.wire import beat
from bedside.monitoring.ingest.model.budget import Budget
from bedside.monitoring.ingest.service.answers import Land
from bedside.monitoring.ingest.service.lane import Lane, NotLanded
from bedside.monitoring.ingest.service.shares import Shares
from bedside.monitoring.ingest.service.wire import (
    READINGS,
    Wire,
    consumer,
    declare,
    device_of,
    durable,
    microseconds,
    received,
    unparted,
)

EVERY: Final = 1.0
"""Seconds between two looks at who lives and what is whose."""
UNANSWERED: Final = 15.0
"""Seconds without an answer from the broker after which a process leaves its parts to whoever has one: longer than a
cluster that lost a server takes to choose leaders, in which nobody has."""
ANSWER: Final = 2.0
"""Seconds to wait for the broker before it is asked again: what has no leader yet answers nobody, and is chosen one
meanwhile."""
GIVING_UP: Final = 2.0
"""Seconds in which what is in hand of a part that is to be given up lands; else it stays until the next look."""
DATABASE_AWAY: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, BedsideError, OSError, TimeoutError)
log = structlog.get_logger("bedside.monitoring")


class Ingest:
    """One ingest process's work on a wire. ctx: its own, outside a transaction."""

    def __init__(
        self, ctx: Ctx, land: Land, budget: Budget | None = None, wire: Wire = READINGS, *, copies: int = 1
    ) -> None:
        self._ctx, self._budget, self._wire, self._copies = ctx, budget, wire, copies
        self._shares = Shares(ctx, wire.stream)
        self._lanes = [Lane(ctx, land, wire, self._shares) for _ in range(wire.lanes)]
        self._floods: set[asyncio.Task[None]] = set()
        self._heard: dict[int, JetStreamContext.PushSubscription] = {}
        """By part."""
        self._asked: dict[int, ConsumerConfig] = {}
        """The consumers that this process asked for, by part."""
        self._answered = time.monotonic()
        """When the broker last did what it was asked."""

    @property
    def landed(self) -> int:
        """Readings since the start, for metrics."""
        return sum(lane.landed for lane in self._lanes)

    @property
    def parts(self) -> frozenset[int]:
        """What this process listens to."""
        return frozenset(self._heard)

    async def start(self) -> None:
        """Declare the stream, take a share of it, and begin to listen."""
        await declare(self._ctx.bus.client.jetstream(timeout=5), self._wire, self._copies)
        with contextlib.suppress(nats.errors.Error, *DATABASE_AWAY):  # then the next look finds it
            await self._shares.tick()
            await self._follow()
        await self._beat()
        self._answered = time.monotonic()

    async def run(self, stop: asyncio.Event) -> None:
        """Land what comes until stop. Declares the stream again when the broker came back without it."""
        works = (self._live(stop), self._watch(stop), *(lane.run(stop) for lane in self._lanes))
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Exception):
                await self._stop_listening(self.parts)
            with contextlib.suppress(*DATABASE_AWAY):
                await self._shares.end()

    async def _land_unparted(self) -> None:
        """What an older Bedside left. What meets a fault of ours stays where it is."""
        js = self._ctx.bus.client.jetstream(timeout=5)
        async for left in unparted(js, self._wire):
            if left.subject is None or left.seq is None or left.time is None:
                continue
            with contextlib.suppress(NotLanded):
                await self._lane(0).at_once(0, left.subject.split(".")[1], left.data or b"", microseconds(left.time))
                await js.delete_msg(self._wire.stream, left.seq)

    def _lane(self, part: int) -> Lane:
        return self._lanes[part % len(self._lanes)]

    async def _hear(self, part: int, message: Msg) -> None:
        place = message.metadata.sequence.stream
        lane = self._lane(part)
        if lane.knows(part, place):
            return
        device = device_of(message)
        if self._budget is not None and message.metadata.num_delivered == 1:
            stamp = received(message)
            if self._budget.refused_until(device, stamp) is not None:
                await self._drop(message)
                return
            if not self._budget.spend(device, stamp):
                flood = asyncio.create_task(self._flooded(device))
                self._floods.add(flood)
                flood.add_done_callback(self._floods.discard)
                await self._drop(message)
                return
        lane.put(part, device, message)

    async def _drop(self, message: Msg) -> None:
        """Out of the stream, neither stored nor acknowledged to its device, which keeps it until it is."""
        with contextlib.suppress(nats.errors.Error, OSError):
            await message.ack()

    async def _flooded(self, device: str) -> None:
        """Name it. The event is what every door refuses it by for a minute, and by which it is cut off."""
        log.warning("a device sent more than it may")
        try:
            async with self._ctx.database.transaction() as sql:
                await note(self._ctx.with_(tx=sql), "flood", device)
        except (BedsideError, OSError, asyncpg.PostgresError):
            log.warning("a flood could not be recorded")

    async def _live(self, stop: asyncio.Event) -> None:
        """Say every second that this process lives, and see what is whose: apart from all that waits for the broker,
        which may take longer than a lease. Raises Unavailable when it will never hear the broker again: it is to be
        started anew."""
        while not await _ended(stop):
            if self._ctx.bus.client.is_closed:
                raise Unavailable(
                    "The broker refuses us for good.", remedy="Check the user and password of --nats-url."
                )
            if self._ctx.bus.client.is_connected and time.monotonic() - self._answered < UNANSWERED:
                with contextlib.suppress(*DATABASE_AWAY):
                    await self._shares.tick()

    async def _watch(self, stop: asyncio.Event) -> None:
        """See every second that what is this process's is heard, and every other second that the stream is there."""
        for round_ in count():
            if await _ended(stop):
                return
            if not self._ctx.bus.client.is_connected:
                continue
            # One of them that fails keeps none of the others from being tried.
            for work in (self._give_up, self._follow, self._keep_declared)[: 3 if round_ % 2 else 2]:
                with contextlib.suppress(nats.errors.Error, OSError, *DATABASE_AWAY):
                    await work()

    async def _follow(self) -> None:
        """Listen to what is this process's and to nothing else. Raises what the broker raises, after every part was
        tried: one whose consumer has no leader yet keeps no other waiting."""
        await self._stop_listening((self.parts | self._asked.keys()) - self._shares.mine)
        new = sorted(self._shares.mine - self.parts)
        tried = await asyncio.gather(*(self._listen(part) for part in new), return_exceptions=True)
        for failed in tried:
            if isinstance(failed, BaseException):
                raise failed

    async def _listen(self, part: int) -> None:
        """Make the consumer of a part anew and hear it: what its last owner had in hand comes at once, and one that
        only sleeps is handed nothing more.

        A cluster that lost a server may need longer to choose a consumer's leader than it is waited for. So a consumer
        that was asked for is asked for again, by the same words, and made anew no more.
        """
        js, name = self._ctx.bus.client.jetstream(timeout=ANSWER), durable(part)
        config = self._asked.get(part)
        if config is None:
            if part == 0:
                await self._land_unparted()
            with contextlib.suppress(nats.js.errors.NotFoundError):
                await js.delete_consumer(self._wire.stream, name)
            config = self._asked[part] = consumer(self._wire, part, self._ctx.bus.client.new_inbox())
        try:
            await js.add_consumer(self._wire.stream, config)
        except nats.js.errors.BadRequestError:
            self._asked.pop(part, None)  # somebody else's by now; that nobody can make it yet (503) is no such answer
            raise
        self._heard[part] = await js.subscribe_bind(
            stream=self._wire.stream,
            consumer=name,
            config=config,
            cb=partial(self._hear, part),
            manual_ack=True,
            pending_bytes_limit=self._wire.most_bytes,
        )

    async def _stop_listening(self, parts: Collection[int]) -> None:
        """What is on its way still comes, and lands."""
        for part in parts:
            self._asked.pop(part, None)
            heard = self._heard.pop(part, None)
            if heard is not None:
                with contextlib.suppress(nats.errors.Error, OSError):
                    await heard.drain()  # type: ignore[no-untyped-call]  # nats-py gives it no type

    async def _give_up(self) -> None:
        """What is too much, to processes that have less: once nothing of it is in hand, so that a device's packs stay
        in order."""
        parts = self._shares.surplus
        if not parts:
            return
        await self._stop_listening(parts)
        for _ in range(round(GIVING_UP / 0.02)):
            if all(lane.idle(parts) for lane in self._lanes):
                await self._shares.give_up(parts)
                return
            await asyncio.sleep(0.02)

    async def _beat(self) -> None:
        """Say that readings can be heard, where the database is there to hear it."""
        if self._wire is not READINGS:
            return
        with contextlib.suppress(*DATABASE_AWAY):
            await beat(self._ctx)

    async def _keep_declared(self) -> None:
        """A broker that was replaced or lost its disk has no stream: declare it and listen anew."""
        js = self._ctx.bus.client.jetstream(timeout=ANSWER)
        try:
            await js.stream_info(self._wire.stream)
        except nats.js.errors.NotFoundError:
            await self._stop_listening(self.parts)
            for lane in self._lanes:
                lane.clear()
            await self.start()
            return
        self._answered = time.monotonic()
        stands = await asyncio.gather(*(self._stands(js, part) for part in self.parts))
        await self._stop_listening([part for part, good in zip(self.parts, stands, strict=True) if not good])
        await self._follow()
        await self._beat()

    async def _stands(self, js: JetStreamContext, part: int) -> bool:
        """Whether a part's consumer is still the one that is heard. Somebody who took the part and lost it, while this
        process slept, made it theirs."""
        try:
            config = (await js.consumer_info(self._wire.stream, durable(part))).config
        except nats.js.errors.NotFoundError:
            return False
        except (nats.errors.Error, TimeoutError):
            return True  # it has no leader at the moment
        return bool(config.deliver_subject == self._heard[part].subject)


async def _ended(stop: asyncio.Event) -> bool:
    """Wait until the next look; whether there is to be none."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), EVERY)
    return stop.is_set()
