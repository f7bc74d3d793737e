"""The one direct path: message → decode → land (store and judge in one transaction) → commit → acknowledge.

Messages wait in a JetStream stream until they have landed; that makes no promise to anyone (DESIGN): a device
repeats its pack until it hears the acknowledgement that goes out here, after PostgreSQL's commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import asyncpg
import nats.errors
import nats.js.errors
import orjson
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.service.wire import beat
from bedside.monitoring.ingest.model.budget import Budget, Turns
from bedside.monitoring.ingest.model.pack import SECOND, Pack, Refusal
from bedside.monitoring.ingest.model.senml import decode
from bedside.monitoring.ingest.model.taken import NotAPack

STREAM: Final = "DEVICES"
SUBJECT: Final = "devices.*.readings"
DURABLE: Final = "ingest"
BATCH: Final = 400
"""Packs in one transaction at most."""
BATCH_BYTES: Final = 4_000_000
WAITING: Final = 4000
"""Messages handed out and not landed, at most."""
ACK_WAIT: Final = 5.0
"""Seconds until a message that did not land is handed out again. What a killed process had in hand stands in the way of
everything after it for so long, once it had WAITING of them: an alarm must not wait much longer."""
STREAM_BYTES: Final = 512 * 1024 * 1024
FAULT_AGAIN_AFTER: Final = 60.0
"""Seconds until a pack that met a fault of ours is tried again."""
AGAIN_AFTER: Final = 0.5
"""Seconds between tries while an engine is away."""
log = structlog.get_logger("bedside.monitoring")


@dataclass(slots=True, frozen=True)
class Arrival:
    """A decoded pack and the name of the device whose subject it came on."""

    device: str
    pack: Pack


class Receipt(Protocol):
    """What landing answers for a pack."""

    @property
    def seq(self) -> int | None: ...
    @property
    def stored(self) -> int: ...
    @property
    def refused(self) -> list[Refusal]: ...
    @property
    def known(self) -> bool: ...


class Arriving(Protocol):
    """A decoded message of a device."""

    @property
    def device(self) -> str: ...


Land = Callable[[Ctx, list[Any]], Awaitable[Sequence[Receipt]]]
"""Stores (and judges) what arrived in ctx's transaction; one receipt for each, in order."""


class Ingest:
    """One ingest process's loop over a wire. ctx: its own, outside a transaction."""

    def __init__(self, ctx: Ctx, land: Land, budget: Budget | None = None, wire: Wire | None = None) -> None:
        self._ctx, self._land, self._budget, self._wire = ctx, land, budget, wire or READINGS
        self._queue = Turns[Msg]()
        self._floods: set[asyncio.Task[None]] = set()
        self._here: set[int] = set()
        """Stream sequences that wait or are being landed: while the database is away NATS hands them out again and
        again, and this process must not grow by that."""
        self._subscription: JetStreamContext.PushSubscription | None = None
        self.landed = 0
        """Readings since the start, for metrics."""

    async def start(self) -> None:
        """Declare the stream and begin to listen."""
        js = self._ctx.bus.client.jetstream(timeout=5)
        await declare(js, self._wire)
        await renew(js, self._wire)
        self._subscription = await js.subscribe(
            self._wire.subject,
            stream=self._wire.stream,
            durable=DURABLE,
            queue=DURABLE,
            cb=self._hear,
            manual_ack=True,
            pending_bytes_limit=self._wire.most_bytes,
            config=ConsumerConfig(
                ack_policy=AckPolicy.EXPLICIT, ack_wait=ACK_WAIT, max_ack_pending=WAITING, max_deliver=-1
            ),
        )
        await self._beat()

    async def _hear(self, message: Msg) -> None:
        place = message.metadata.sequence.stream
        if place in self._here:
            return
        device = message.subject.split(".")[1]
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
        self._here.add(place)
        self._queue.put(device, message)

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

    async def run(self, stop: asyncio.Event) -> None:
        """Land what comes until stop. Declares the stream again when the broker came back without it."""
        watch = asyncio.create_task(self._keep_declared(stop))
        ends = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                first = asyncio.create_task(self._queue.get())
                done, _ = await asyncio.wait({first, ends}, return_when=asyncio.FIRST_COMPLETED)
                if first not in done:
                    first.cancel()
                    break
                if self._wire.gather:
                    await asyncio.sleep(self._wire.gather)
                batch = self._batch(first.result())
                await self._land_all(batch, stop)
                self._here.difference_update(message.metadata.sequence.stream for message in batch)
        finally:
            watch.cancel()
            ends.cancel()
            await asyncio.gather(watch, ends, return_exceptions=True)
            with contextlib.suppress(Exception):
                if self._subscription is not None:
                    await self._subscription.unsubscribe()

    def _batch(self, first: Msg) -> list[Msg]:
        batch, size = [first], len(first.data)
        while len(batch) < BATCH and size < BATCH_BYTES and (another := self._queue.next()) is not None:
            batch.append(another)
            size += len(another.data)
        return batch

    async def _land_all(self, messages: list[Msg], stop: asyncio.Event) -> None:
        """Land a batch; while the database is away, wait and try again: nothing was acknowledged, nothing is lost."""
        arrivals: list[Arriving] = []
        broken: list[tuple[str, str]] = []
        for message in messages:
            device = message.subject.split(".")[1]
            try:
                arrivals.append(self._wire.arrive(device, message.data, received(message)))
            except NotAPack as error:
                broken.append((device, str(error)))
        while not stop.is_set():
            try:
                receipts = await self._commit(arrivals, broken)
                break
            except Exception as error:
                if not _engine_away(error):
                    # A fault of ours. One message must not hold up the others: each on its own.
                    if len(messages) == 1:
                        await self._put_off(messages[0], error)
                        return
                    for message in messages:
                        await self._land_all([message], stop)
                    return
                log.warning("readings could not be stored yet", kind=type(error).__name__, packs=len(arrivals))
                await asyncio.sleep(AGAIN_AFTER)
        else:
            return
        await self._acknowledge(messages, arrivals, receipts, broken)

    async def _commit(self, arrivals: list[Arriving], broken: list[tuple[str, str]]) -> Sequence[Receipt]:
        inner = self._ctx.with_(after_commit=[])
        async with inner.database.transaction() as sql:
            inner = inner.with_(tx=sql)
            receipts = await self._land(inner, arrivals) if arrivals else []
            for device, why in broken:
                await note(inner, "malformed", device, why=why)
        await after(inner)
        return receipts

    async def _put_off(self, message: Msg, error: Exception) -> None:
        """Neither acknowledge nor refuse what could not be stored by a fault here: it stays in the stream, is tried
        again, and a person is told."""
        last = traceback.extract_tb(error.__traceback__)[-1]
        # No more of the error than its kind and place: its text may hold readings.
        log.error("a pack could not be stored", kind=type(error).__name__, place=f"{last.filename}:{last.lineno}")
        async with self._ctx.database.transaction() as sql:
            await note(self._ctx.with_(tx=sql), "not-stored", message.subject.split(".")[1], fault=type(error).__name__)
        with contextlib.suppress(nats.errors.Error, OSError):
            await message.nak(delay=FAULT_AGAIN_AFTER)

    async def _acknowledge(
        self,
        messages: list[Msg],
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
            for message in messages:
                await message.ack()
        except (nats.errors.Error, OSError) as error:
            # The broker is away: the device repeats, and is acknowledged then.
            log.warning("acknowledgements could not be sent", kind=type(error).__name__)

    async def _beat(self) -> None:
        """Say that readings can be heard, where the database is there to hear it."""
        if self._wire is not READINGS:
            return
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, BedsideError, OSError):
            await beat(self._ctx)

    async def _keep_declared(self, stop: asyncio.Event) -> None:
        """A broker that was replaced or lost its disk has no stream: declare it and listen anew."""
        while not stop.is_set():
            await asyncio.sleep(2)
            client = self._ctx.bus.client
            if not client.is_connected:
                continue
            js = client.jetstream(timeout=5)
            try:
                await js.consumer_info(self._wire.stream, DURABLE)
                await self._beat()
            except nats.js.errors.NotFoundError:
                with contextlib.suppress(Exception):
                    if self._subscription is not None:
                        await self._subscription.unsubscribe()
                    # A new stream counts from 1 again.
                    self._here.clear()
                    await self.start()
            except (nats.errors.Error, OSError):
                continue


async def after(ctx: Ctx) -> None:
    """Run what waited for the commit. A moment, no promise: what is stored is acknowledged all the same."""
    for effect in ctx.after_commit:
        try:
            await effect()
        except Exception as error:
            log.warning("an effect after the commit failed", kind=type(error).__name__)


async def declare(js: JetStreamContext, wire: Wire) -> None:
    """The stream of the wire. Without it a QoS 1 publish is PUBACKed by NATS and kept nowhere."""
    config = StreamConfig(
        name=wire.stream,
        subjects=[wire.subject],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=wire.storage,
        discard=DiscardPolicy.NEW,
        max_bytes=wire.most_bytes,
    )
    try:
        await js.stream_info(wire.stream)
    except nats.js.errors.NotFoundError:
        await js.add_stream(config)
    else:  # adding what is there is refused where its room is reserved already
        await js.update_stream(config)


async def renew(js: JetStreamContext, wire: Wire) -> None:
    """A consumer that an older Bedside made keeps its waits until it is told the new ones."""
    with contextlib.suppress(nats.js.errors.NotFoundError):
        config = (await js.consumer_info(wire.stream, DURABLE)).config
        if (config.ack_wait, config.max_ack_pending) != (ACK_WAIT, WAITING):
            config.ack_wait, config.max_ack_pending = ACK_WAIT, WAITING
            await js.add_consumer(wire.stream, config=config)


def received(message: Msg) -> int:
    """When the broker had the message, in µs since 1970: the same each time it is handed out."""
    at: datetime = message.metadata.timestamp
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    span = at - epoch
    return (span.days * 86400 + span.seconds) * SECOND + span.microseconds


def malformed(why: str) -> bytes:
    """The acknowledgement of what is no pack."""
    return orjson.dumps({"seq": None, "stored": 0, "refused": [{"index": None, "reason": why}]})


def answer(receipt: Receipt, **more: str) -> bytes:
    """The acknowledgement on the device's own subject, and at every other door. more: what else it says."""
    refused: list[dict[str, Any]] = [{"index": r.index, "reason": r.reason} for r in receipt.refused]
    return orjson.dumps({"seq": receipt.seq, "stored": receipt.stored, "refused": refused, **more})


def _arrive(device: str, payload: bytes, at: int) -> Arrival:
    return Arrival(device, decode(payload, at))


@dataclass(slots=True, frozen=True, kw_only=True)
class Wire:
    """What comes on one kind of topic, and how it is read and answered. gather: seconds in which messages come together
    before they land. arrive: of device, payload and receipt (µs); raises NotAPack."""

    stream: str
    subject: str
    storage: StorageType
    most_bytes: int
    arrive: Callable[[str, bytes, int], Arriving]
    answer: Callable[[Any], bytes]
    gather: float = 0.0


READINGS: Final = Wire(
    stream=STREAM,
    subject=SUBJECT,
    storage=StorageType.FILE,
    most_bytes=STREAM_BYTES,
    arrive=_arrive,
    answer=answer,
)


def _engine_away(error: Exception) -> bool:
    """Whether trying again later can help: the link, a shutdown, a full disk, a lost race."""
    if isinstance(error, asyncpg.PostgresError):
        return error.sqlstate is None or error.sqlstate[:2] in {"08", "40", "53", "55", "57", "58", "25"}
    if isinstance(error, BedsideError):
        return error.status == 503
    return isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError)
