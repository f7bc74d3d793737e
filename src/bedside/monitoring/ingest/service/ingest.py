"""The one direct path: message → decode → land (store and judge in one transaction) → commit → acknowledge.

Messages wait in a JetStream stream until they have landed; that makes no promise to anyone (DESIGN): a device
repeats its pack until it hears the acknowledgement that goes out here, after PostgreSQL's commit.
"""

from __future__ import annotations

import asyncio
import contextlib
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
        with contextlib.suppress(*DATABASE_AWAY):  # then the next look finds it
            await self._shares.tick()
            await self._follow()
        await self._beat()

    async def run(self, stop: asyncio.Event) -> None:
        """Land what comes until stop. Declares the stream again when the broker came back without it."""
        watch = asyncio.create_task(self._watch(stop))
        lanes = [asyncio.create_task(lane.run(stop)) for lane in self._lanes]
        try:
            await asyncio.gather(watch, *lanes)
        finally:
            for task in (watch, *lanes):
                task.cancel()
            await asyncio.gather(watch, *lanes, return_exceptions=True)
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

    async def _watch(self, stop: asyncio.Event) -> None:
        """See every second what is whose, and every other second that the stream is there. Raises Unavailable when this
        process will never hear the broker again: it is to be started anew."""
        for round_ in count():
            if stop.is_set():
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), EVERY)
                return
            if self._ctx.bus.client.is_closed:
                raise Unavailable(
                    "The broker refuses us for good.", remedy="Check the user and password of --nats-url."
                )
            if not self._ctx.bus.client.is_connected:
                continue
            with contextlib.suppress(nats.errors.Error, OSError, *DATABASE_AWAY):
                surplus = await self._shares.tick()
                await self._follow()
                if surplus:
                    await self._give_up(surplus)
                if round_ % 2:
                    await self._keep_declared()

    async def _follow(self) -> None:
        """Listen to what is this process's and to nothing else."""
        await self._stop_listening(self.parts - self._shares.mine)
        if 0 in self._shares.mine - self.parts:
            await self._land_unparted()
        js = self._ctx.bus.client.jetstream(timeout=5)
        for part in sorted(self._shares.mine - self.parts):
            # Made anew: what its last owner had in hand comes at once, and one that only sleeps is handed nothing more.
            with contextlib.suppress(nats.js.errors.NotFoundError):
                await js.delete_consumer(self._wire.stream, durable(part))
            self._heard[part] = await js.subscribe(
                self._wire.filter(part),
                stream=self._wire.stream,
                durable=durable(part),
                cb=partial(self._hear, part),
                manual_ack=True,
                pending_bytes_limit=self._wire.most_bytes,
                config=consumer(),
            )

    async def _stop_listening(self, parts: Collection[int]) -> None:
        """What is on its way still comes, and lands."""
        for part in parts:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._heard.pop(part).drain()  # type: ignore[no-untyped-call]  # nats-py gives it no type

    async def _give_up(self, parts: Collection[int]) -> None:
        """To processes that have less: once nothing of it is in hand, so that a device's packs stay in order."""
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
        js = self._ctx.bus.client.jetstream(timeout=5)
        try:
            await js.stream_info(self._wire.stream)
            for part, heard in list(self._heard.items()):
                if (await js.consumer_info(self._wire.stream, durable(part))).config.deliver_subject != heard.subject:
                    # Somebody who took it and lost it, asleep in between, made it theirs.
                    await self._stop_listening([part])
            await self._follow()
            await self._beat()
        except nats.js.errors.NotFoundError:
            await self._stop_listening(self.parts)
            for lane in self._lanes:
                lane.clear()
            await self.start()
