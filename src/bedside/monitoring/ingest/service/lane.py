"""A lane: batches of messages of some parts of a wire, one transaction after another.

While one lane waits for PostgreSQL another computes. A part, and so a device, keeps to one lane, and lands in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

import asyncpg
import nats.errors
import structlog
from nats.aio.msg import Msg

from bedside.foundation import telemetry
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.ingest.model.budget import Turns
from bedside.monitoring.ingest.model.taken import NotAPack
from bedside.monitoring.ingest.service.answers import Arriving, Land, Receipt, malformed
from bedside.monitoring.ingest.service.shares import Shares
from bedside.monitoring.ingest.service.wire import Wire, received

BATCH: Final = 400
"""Messages in one transaction at most."""
BATCH_BYTES: Final = 4_000_000
SEVERAL: Final = 4
"""Messages in a batch from which the next one is let come together for Wire.busy seconds."""
FAULT_AGAIN_AFTER: Final = 60.0
"""Seconds until a pack that met a fault of ours is tried again."""
AGAIN_AFTER: Final = 0.5
"""Seconds between tries while an engine is away."""
STORED: Final = telemetry.counter(
    "bedside_readings_stored", "Readings, and parts of waveforms, stored once and for all."
)
REFUSED: Final = telemetry.counter(
    "bedside_readings_refused", "Readings that were refused, and messages that were none."
)
log = structlog.get_logger("bedside.monitoring")


class Waiting(NamedTuple):
    """A message in hand."""

    part: int
    device: str
    message: Msg


class NotLanded(Exception):
    """Neither stored nor refused: the fault is ours."""


class NotOurs(Exception):
    """A part belongs to another process by now, which is handed these messages again."""


class Lane:
    """See the module. ctx: the process's own, outside a transaction."""

    def __init__(self, ctx: Ctx, land: Land, wire: Wire, shares: Shares) -> None:
        self._ctx, self._land, self._wire, self._shares = ctx, land, wire, shares
        self._queue = Turns[Waiting]()
        self._here: set[tuple[int, int]] = set()
        """Part and stream sequence of what waits or is being landed: while the database is away NATS hands it out again
        and again, and this process must not grow by that."""
        self.landed = 0
        """Readings since the start, for metrics."""

    def knows(self, part: int, place: int) -> bool:
        """Whether the message of that stream sequence is in hand."""
        return (part, place) in self._here

    def put(self, part: int, device: str, message: Msg) -> None:
        """Land it when its turn comes."""
        self._here.add((part, message.metadata.sequence.stream))
        self._queue.put(device, Waiting(part, device, message))

    def idle(self, parts: Collection[int]) -> bool:
        """Whether nothing of these parts is in hand."""
        return not any(part in parts for part, _ in self._here)

    def clear(self) -> None:
        """A new stream counts from 1 again."""
        self._here.clear()

    async def at_once(self, part: int, device: str, payload: bytes, at: int) -> None:
        """Land one message by itself, received at that µs, and answer it. Raises NotLanded after a fault of ours, and
        what an engine that is away raises."""
        arrivals: list[Arriving] = []
        broken: list[tuple[str, str]] = []
        try:
            arrivals.append(self._wire.arrive(device, payload, at))
        except NotAPack as error:
            broken.append((device, str(error)))
        try:
            receipts = await self._commit({part}, arrivals, broken)
        except Exception as error:
            if _engine_away(error):
                raise
            await self._note_fault(device, error)
            raise NotLanded from error
        await self._acknowledge([], arrivals, receipts, broken)

    async def run(self, stop: asyncio.Event) -> None:
        """Land what comes until stop."""
        ends = asyncio.create_task(stop.wait())
        batch: list[Waiting] = []
        try:
            while not stop.is_set():
                first = asyncio.create_task(self._queue.get())
                done, _ = await asyncio.wait({first, ends}, return_when=asyncio.FIRST_COMPLETED)
                if first not in done:
                    first.cancel()
                    break
                await self._gather(len(batch))
                batch = self._batch(first.result())
                await self._land_all(batch, stop)
                self._here.difference_update((one.part, one.message.metadata.sequence.stream) for one in batch)
        finally:
            ends.cancel()
            await asyncio.gather(ends, return_exceptions=True)

    async def _gather(self, before: int) -> None:
        """Let messages come together, since a transaction costs what some fifteen packs in it cost: where the one
        before was of several, more will come. Not where enough wait already."""
        wait = self._wire.busy if before >= SEVERAL else self._wire.gather
        if wait and len(self._here) < BATCH:
            await asyncio.sleep(wait)

    def _batch(self, first: Waiting) -> list[Waiting]:
        batch, size = [first], len(first.message.data)
        while len(batch) < BATCH and size < BATCH_BYTES and (another := self._queue.next()) is not None:
            batch.append(another)
            size += len(another.message.data)
        return batch

    async def _land_all(self, batch: list[Waiting], stop: asyncio.Event) -> None:
        """Land a batch; while the database is away, wait and try again: nothing was acknowledged, nothing is lost."""
        arrivals: list[Arriving] = []
        broken: list[tuple[str, str]] = []
        for one in batch:
            try:
                arrivals.append(self._wire.arrive(one.device, one.message.data, received(one.message)))
            except NotAPack as error:
                broken.append((one.device, str(error)))
        while not stop.is_set():
            try:
                receipts = await self._commit({one.part for one in batch}, arrivals, broken)
                break
            except NotOurs:
                if len({one.part for one in batch}) > 1:
                    for part in {one.part for one in batch}:
                        await self._land_all([one for one in batch if one.part == part], stop)
                return
            except Exception as error:
                if not _engine_away(error):
                    # A fault of ours. One message must not hold up the others: each on its own.
                    if len(batch) == 1:
                        await self._put_off(batch[0], error)
                        return
                    for one in batch:
                        await self._land_all([one], stop)
                    return
                log.warning("readings could not be stored yet", kind=type(error).__name__, packs=len(arrivals))
                await asyncio.sleep(AGAIN_AFTER)
        else:
            return
        await self._acknowledge(batch, arrivals, receipts, broken)

    async def _commit(
        self, parts: Collection[int], arrivals: list[Arriving], broken: list[tuple[str, str]]
    ) -> Sequence[Receipt]:
        inner = self._ctx.with_(after_commit=[])
        with telemetry.timed("ingest", "batch"):
            async with inner.database.transaction() as sql:
                if not await self._shares.held(sql, parts):
                    raise NotOurs
                inner = inner.with_(tx=sql)
                receipts = await self._land(inner, arrivals) if arrivals else []
                for device, why in broken:
                    await note(inner, "malformed", device, why=why)
            await after(inner)
        STORED.inc(sum(receipt.stored for receipt in receipts))
        REFUSED.inc(sum(len(receipt.refused) for receipt in receipts) + len(broken))
        return receipts

    async def _put_off(self, one: Waiting, error: Exception) -> None:
        """Neither acknowledge nor refuse what could not be stored by a fault here: it stays in the stream, is tried
        again, and a person is told."""
        await self._note_fault(one.device, error)
        with contextlib.suppress(nats.errors.Error, OSError):
            await one.message.nak(delay=FAULT_AGAIN_AFTER)

    async def _note_fault(self, device: str, error: Exception) -> None:
        last = traceback.extract_tb(error.__traceback__)[-1]
        # No more of the error than its kind and place: its text may hold readings.
        log.error("a pack could not be stored", kind=type(error).__name__, place=f"{last.filename}:{last.lineno}")
        async with self._ctx.database.transaction() as sql:
            await note(self._ctx.with_(tx=sql), "not-stored", device, fault=type(error).__name__)

    async def _acknowledge(
        self,
        batch: list[Waiting],
        arrivals: list[Arriving],
        receipts: Sequence[Receipt],
        broken: list[tuple[str, str]],
    ) -> None:
        client = self._ctx.bus.client
        try:
            for arrival, receipt in zip(arrivals, receipts, strict=True):
                self.landed += receipt.stored
                if receipt.known:
                    await client.publish(f"devices.{arrival.device}.acks", self._wire.answer(receipt))
            for device, why in broken:
                await client.publish(f"devices.{device}.acks", malformed(why))
            for one in batch:
                await one.message.ack()
        except (nats.errors.Error, OSError) as error:
            # The broker is away: the device repeats, and is acknowledged then.
            log.warning("acknowledgements could not be sent", kind=type(error).__name__)


async def after(ctx: Ctx) -> None:
    """Run what waited for the commit. A moment, no promise: what is stored is acknowledged all the same."""
    for effect in ctx.after_commit:
        try:
            await effect()
        except Exception as error:
            log.warning("an effect after the commit failed", kind=type(error).__name__)


def _engine_away(error: Exception) -> bool:
    """Whether trying again later can help: the link, a shutdown, a full disk, a lost race."""
    if isinstance(error, asyncpg.PostgresError):
        return error.sqlstate is None or error.sqlstate[:2] in {"08", "40", "53", "55", "57", "58", "25"}
    if isinstance(error, BedsideError):
        return error.status == 503
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)
