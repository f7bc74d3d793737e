"""A wire: what comes on one kind of topic, the stream it waits in, and how that is parted among processes.

A stream's subject_transform puts each device's messages into one of PARTS parts. A device stays in its part, so its
packs land in order, and its limit is counted by one process.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import nats.js.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RawStreamMsg,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    SubjectTransform,
)

from bedside.monitoring.ingest.model.pack import SECOND
from bedside.monitoring.ingest.model.senml import decode
from bedside.monitoring.ingest.service.answers import Arrival, Arriving, answer

PARTS: Final = 8
"""Of each wire. A device's part is part of the subjects that wait on disk: another number means another transform."""
EVERY_PART: Final = range(PARTS)
WAITING: Final = 4000
"""Messages handed out and not landed, at most, of all parts together."""
ACK_WAIT: Final = 5.0
"""Seconds until a message that did not land is handed out again. What a killed process had in hand stands in the way of
everything after it for so long, once it had its share of WAITING: an alarm must not wait much longer."""
STREAM: Final = "DEVICES"
SUBJECT: Final = "devices.*.readings"
STREAM_BYTES: Final = 512 * 1024 * 1024
OLD_DURABLE: Final = "ingest"
"""The one consumer of an older Bedside."""


@dataclass(slots=True, frozen=True, kw_only=True)
class Wire:
    """See the module. subject: of the devices, with their name in the second place; parted: the first word of what it
    becomes. lanes: transactions under way at a time in a process. gather: seconds in which messages come together
    before they land; busy: the same while they come by several. arrive: of device, payload and receipt
    (µs); raises NotAPack."""

    stream: str
    subject: str
    parted: str
    storage: StorageType
    most_bytes: int
    arrive: Callable[[str, bytes, int], Arriving]
    answer: Callable[[Any], bytes]
    lanes: int = 1
    gather: float = 0.0
    busy: float = 0.0

    def filter(self, part: int) -> str:
        """The subjects of a part in the stream."""
        return f"{self.parted}.{part}.*"

    def stream_config(self, replicas: int) -> StreamConfig:
        """The stream as it is to be."""
        target = f"{self.parted}.{{{{partition({PARTS},1)}}}}.{{{{wildcard(1)}}}}"
        return StreamConfig(
            name=self.stream,
            subjects=[self.subject],
            subject_transform=SubjectTransform(src=self.subject, dest=target),
            retention=RetentionPolicy.WORK_QUEUE,
            storage=self.storage,
            discard=DiscardPolicy.NEW,
            max_bytes=self.most_bytes,
            num_replicas=replicas,
        )


def durable(part: int) -> str:
    """The consumer of a part, made anew by each owner."""
    return f"ingest-{part}"


def consumer(wire: Wire, part: int, inbox: str) -> ConsumerConfig:
    """Of a part, handed out to that inbox."""
    return ConsumerConfig(
        durable_name=durable(part),
        filter_subject=wire.filter(part),
        deliver_subject=inbox,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=ACK_WAIT,
        max_ack_pending=max(WAITING // PARTS, 1),
        max_deliver=-1,
    )


def device_of(message: Msg) -> str:
    """Of which device a parted message is."""
    return message.subject.rsplit(".", 1)[1]


def received(message: Msg) -> int:
    """When the broker had the message, in µs since 1970: the same each time it is handed out."""
    return microseconds(message.metadata.timestamp)


def microseconds(at: datetime) -> int:
    """Since 1970; the broker's stamps are UTC."""
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    span = at - EPOCH
    return (span.days * 86400 + span.seconds) * SECOND + span.microseconds


EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def declare(js: JetStreamContext, wire: Wire, replicas: int = 1) -> None:
    """The stream of the wire, parted. Without it a QoS 1 publish is PUBACKed by NATS and kept nowhere."""
    wanted = wire.stream_config(replicas)
    try:
        known = (await js.stream_info(wire.stream)).config
    except nats.js.errors.NotFoundError:
        await js.add_stream(wanted)
        return
    if known.subject_transform is None:
        # In a work queue each message is one consumer's: the old one, for all, would stand in the way of the parts.
        with contextlib.suppress(nats.js.errors.NotFoundError):
            await js.delete_consumer(wire.stream, OLD_DURABLE)
    told = (known.subject_transform, known.max_bytes, known.num_replicas)
    if told != (wanted.subject_transform, wanted.max_bytes, wanted.num_replicas):
        await js.update_stream(wanted)


async def unparted(js: JetStreamContext, wire: Wire) -> AsyncIterator[RawStreamMsg]:
    """What an older Bedside left in the stream, oldest first. A consumer of these subjects would not do: NATS (2.15)
    then keeps parted messages for it that were acknowledged, until the stream is full."""
    after = 0
    while True:
        try:
            found = await js.get_msg(wire.stream, seq=after + 1, subject=wire.subject, next=True)
        except nats.js.errors.NotFoundError:
            return
        after = found.seq or 0
        yield found


def _arrive(device: str, payload: bytes, at: int) -> Arrival:
    return Arrival(device, decode(payload, at))


READINGS: Final = Wire(
    stream=STREAM,
    subject=SUBJECT,
    parted="readings",
    storage=StorageType.FILE,
    most_bytes=STREAM_BYTES,
    arrive=_arrive,
    answer=answer,
    lanes=3,
    busy=0.01,
)
