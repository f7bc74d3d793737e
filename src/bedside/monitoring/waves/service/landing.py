"""What devices sent of waveforms, stored in one transaction with others', then told to the walls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from nats.js.api import StorageType

from bedside.foundation.context import Ctx
from bedside.monitoring.devices.model import Held
from bedside.monitoring.devices.service import devices
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.ingest.model.pack import AHEAD_TOLERANCE, SECOND, Refusal
from bedside.monitoring.ingest.service.answers import Receipt
from bedside.monitoring.ingest.service.answers import answer as said
from bedside.monitoring.ingest.service.wire import Wire
from bedside.monitoring.waves import store
from bedside.monitoring.waves.model.message import Piece, Sent, decode

STREAM: Final = "WAVEFORMS"
SUBJECT: Final = "devices.*.waveforms"
STREAM_BYTES: Final = 7 * 1024 * 1024
GATHER: Final = 0.03
"""Seconds in which messages of all devices come together, for one commit."""
LIVE: Final = 10 * SECOND
"""µs by which the end of a piece may lie back to be drawn as what happens now."""
AHEAD: Final = AHEAD_TOLERANCE * SECOND
OTHER: Final = "other samples are held for this lead and time"
Live = tuple[int, int, int, float, float, float, str, tuple[tuple[int, int], ...], bytes]
"""Device's number, lead, device time (µs), hz, k, o, unit, off, samples: a piece as the walls hear of it."""


@dataclass(slots=True, frozen=True)
class WaveArrival:
    """A decoded message and the name of the device whose subject it came on."""

    device: str
    sent: Sent


@dataclass(slots=True)
class WaveReceipt:
    """What became of a message."""

    seq: int | None
    stored: int = 0
    refused: list[Refusal] = field(default_factory=list)
    known: bool = True
    revoked: bool = False


async def land(ctx: Ctx, arrivals: Sequence[WaveArrival]) -> list[WaveReceipt]:
    """Store messages in ctx's transaction; a receipt for each, in order. Heads of devices are only looked at: readings
    never wait for waveforms, and a waveform does not break the silence of readings that stopped."""
    held = await devices.hold(ctx, {one.device for one in arrivals}, lock=False)
    receipts: list[WaveReceipt] = []
    wanted: dict[store.Key, tuple[Held, Sent, Piece]] = {}
    told: list[tuple[store.Key, Piece, WaveReceipt, int]] = []
    for one in arrivals:
        device, sent = held.get(one.device), one.sent
        receipt = WaveReceipt(sent.seq, len(sent.pieces), list(sent.refused), known=device is not None)
        receipts.append(receipt)
        if device is None:
            await note(ctx, "unknown-device", one.device)
            continue
        if not device.welcome(sent.received):
            receipt.revoked, receipt.stored, receipt.refused = (
                True,
                0,
                [Refusal(0, "this device was revoked or has expired")],
            )
            await note(ctx.with_(tenant=device.tenant), "revoked-device", device.name)
            continue
        for place, piece in zip(sent.places, sent.pieces, strict=True):
            key = (device.number, piece.lead, piece.time)
            wanted.setdefault(key, (device, sent, piece))
            told.append((key, piece, receipt, place))
    known = await store.held(ctx.sql, [key for key, (_, sent, one) in wanted.items() if sent.received - one.end > LIVE])
    rows = [
        (device.tenant, device.number, device.holder(piece.time), devices.moment_of(sent.received), piece)
        for key, (device, sent, piece) in wanted.items()
        if key not in known
    ]
    fresh = await store.add(ctx.sql, rows)
    known |= await store.held(ctx.sql, [key for key in wanted if key not in fresh and key not in known])
    for key, piece, receipt, place in told:
        stands = wanted[key][2] if key in fresh else known.get(key, piece)
        if stands != piece:
            receipt.stored -= 1
            receipt.refused.append(Refusal(place, OTHER))
    await _note(ctx, held, arrivals, receipts)
    _tell(ctx, [wanted[key] for key in wanted if key in fresh])
    return receipts


async def adopt(ctx: Ctx, device: str) -> int:
    """What a device sent while nobody held it is whose it was by the assignments as they now stand; how many pieces."""
    held = (await devices.hold(ctx, {device}, lock=False)).get(device)
    return 0 if held is None else await store.adopt(ctx.sql, held.tenant, held.number)


async def _note(
    ctx: Ctx, held: dict[str, Held], arrivals: Sequence[WaveArrival], receipts: Sequence[WaveReceipt]
) -> None:
    """What a person should know. One note a kind and device, however many messages there were."""
    counts: dict[tuple[str, str], int] = {}
    for one, receipt in zip(arrivals, receipts, strict=True):
        device = held.get(one.device)
        if device is None or not device.welcome(one.sent.received):
            continue
        for kind, count in (
            ("refused-wave", len(receipt.refused)),
            ("clock", sum(piece.end > one.sent.received + AHEAD for piece in one.sent.pieces)),
            ("late", sum(one.sent.received - piece.end > LIVE for piece in one.sent.pieces)),
            ("unassigned", sum(device.holder(piece.time) is None for piece in one.sent.pieces)),
        ):
            if count:
                counts[kind, device.name] = counts.get((kind, device.name), 0) + count
    for (kind, name), count in sorted(counts.items()):
        device = held[name]
        now = devices.microseconds(ctx.clock.now())
        await note(ctx.with_(tenant=device.tenant), kind, name, patient=device.holder(now), count=count)


def _tell(ctx: Ctx, fresh: Sequence[tuple[Held, Sent, Piece]]) -> None:
    """What is new and of now goes to the walls after the commit: what comes late is stored, and never drawn as live."""
    live: dict[tuple[int, str], list[Live]] = {}
    for device, sent, piece in fresh:
        patient = device.holder(piece.time)
        if patient is not None and -AHEAD <= sent.received - piece.end <= LIVE:
            scale = (piece.hz, piece.k, piece.o, piece.unit)
            told = (device.number, piece.lead, piece.time, *scale, piece.off, piece.samples)
            live.setdefault((device.tenant, patient), []).append(told)
    for (tenant, patient), pieces in live.items():
        ctx.then(_teller(ctx, tenant, patient, pieces))


def _teller(ctx: Ctx, tenant: int, patient: str, pieces: list[Live]) -> Callable[[], Awaitable[None]]:
    async def tell() -> None:
        await ctx.bus.publish(f"monitoring.waves.{tenant}.{patient}", msgspec.msgpack.encode(pieces))

    return tell


def _arrive(device: str, payload: bytes, received: int) -> WaveArrival:
    return WaveArrival(device, decode(payload, received))


def answer(receipt: Receipt) -> bytes:
    """The acknowledgement, on the topic of the readings' ones: `of` tells them apart."""
    return said(receipt, of="waveforms")


WAVEFORMS: Final = Wire(
    stream=STREAM,
    subject=SUBJECT,
    parted="waveforms",
    storage=StorageType.MEMORY,
    most_bytes=STREAM_BYTES,
    arrive=_arrive,
    answer=answer,
    gather=GATHER,
    busy=GATHER,
)
"""A stream of its own, in memory (nearly two minutes of 40 patients): readings never wait behind waveforms, on the wire
or for the disk, and only the acknowledgement after the commit is a promise. The broker's 16 MB of memory hold it."""
