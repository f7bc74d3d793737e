"""Packs become durable here, whole, many in one transaction, and are judged in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import msgspec

from bedside.foundation.context import Ctx
from bedside.monitoring.devices.model import Held
from bedside.monitoring.devices.service import devices
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.ingest.model.pack import Flag, Pack, Refusal
from bedside.monitoring.series.model.landing import Key, doubtful, mark_late, sort, together
from bedside.monitoring.series.model.reading import Reading
from bedside.monitoring.series.store import doubts, latest, packs
from bedside.monitoring.series.store import readings as stored

Judge = Callable[[Ctx, dict[str, list[Reading]]], Awaitable[None]]
"""What alarms do with new readings, by patient, in the transaction that stores them."""
NEVER_NEWEST: Final = Flag.CLOCK


class Arrival(Protocol):
    """A decoded pack and the name of the device that sent it."""

    @property
    def device(self) -> str: ...
    @property
    def pack(self) -> Pack: ...


@dataclass(slots=True)
class Receipt:
    """What is now held of one pack: what its device is told after the commit. known: whether there is such a device."""

    seq: int | None
    stored: int = 0
    refused: list[Refusal] = field(default_factory=list)
    known: bool = True


@dataclass(slots=True)
class _Landing:
    """One tenant's part of a transaction under way."""

    ctx: Ctx
    stored: dict[int, dict[Key, float]]
    """What was held before of devices whose packs here are not all new."""
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    conflicts: list[tuple[Any, ...]] = field(default_factory=list)
    fresh: dict[str, list[Reading]] = field(default_factory=dict)
    heard: dict[int, int] = field(default_factory=dict)
    notes: dict[tuple[str, str], tuple[int, str | None, dict[str, Any]]] = field(default_factory=dict)
    known: dict[int, dict[Key, float]] = field(default_factory=dict)
    """What is held of a device with this transaction's own packs, once one of them is not all new."""

    def note(self, kind: str, device: Held, count: int, patient: str | None = None, **detail: Any) -> None:
        before = self.notes.get((kind, device.name), (0, None, {}))[0]
        self.notes[kind, device.name] = (before + count, patient, detail)


async def land(ctx: Ctx, arrivals: Sequence[Arrival], judge: Judge | None = None) -> list[Receipt]:
    """Store packs, each whole, in the order given, in ctx's transaction; judge what is new; one receipt for each.

    The receipts are true once the transaction is committed and not before. What has been held is never stored twice
    and never changed: the same value is a repeat, another value a conflict that is kept beside it.
    """
    held = await devices.hold(ctx, {arrival.device for arrival in arrivals})
    tenants: dict[int, _Landing] = {}
    receipts: list[Receipt] = []
    known = await _known(ctx, held, arrivals)
    for arrival in arrivals:
        device, pack = held.get(arrival.device), arrival.pack
        if device is None:
            await note(ctx, "unknown-device", arrival.device)
            receipts.append(Receipt(pack.seq, known=False))
            continue
        landing = tenants.get(device.tenant)
        if landing is None:
            landing = tenants[device.tenant] = _Landing(ctx.with_(tenant=device.tenant), known)
        receipts.append(await _take(landing, device, pack))
    for landing in tenants.values():
        await _write(landing, held, judge)
    return receipts


async def _take(landing: _Landing, device: Held, pack: Pack) -> Receipt:
    """Sort one pack into what will be written."""
    receipt = Receipt(pack.seq, refused=pack.refused)
    landing.heard[device.number] = max(pack.received, landing.heard.get(device.number, 0))
    if not device.welcome(pack.received):
        landing.note("revoked-device", device, 1)
        receipt.refused = [Refusal(0, "this device was revoked or has expired")]
        return receipt
    if pack.refused:
        first = [{"index": refusal.index, "reason": refusal.reason} for refusal in pack.refused[:20]]
        holder = device.holder(pack.received)
        landing.note("refused-reading", device, len(pack.refused), holder, seq=pack.seq, refused=first)
    receipt.stored = len(pack.time)
    if not pack.time:
        return receipt
    mark_late(pack, device.kind)
    sql = landing.ctx.sql
    if pack.relative and pack.seq is not None:
        again = any(row[1] == device.number and row[4] == pack.seq and row[5] == pack.digest for row in landing.rows)
        if again or await packs.repeated(sql, device.number, pack.seq, pack.digest):
            landing.note("repeat", device, receipt.stored, device.holder(pack.received), seq=pack.seq)
            return receipt
    known = _known_here(landing, device) if doubtful(pack, device.newest) else None
    told = sort(pack, device, None if known is None else lambda: known)
    if known is None and device.number in landing.known:
        landing.known[device.number].update(zip(zip(pack.metric, pack.time, strict=True), pack.value, strict=True))
    if told.repeats:
        landing.note("repeat", device, told.repeats, device.holder(pack.received), seq=pack.seq)
    received = devices.moment_of(pack.received)
    for k, kept in told.conflicts:
        patient = device.holder(pack.time[k])
        landing.note("conflict", device, 1, patient, seq=pack.seq)
        landing.conflicts.append(
            (device.tenant, device.number, pack.metric[k], pack.time[k], patient, kept, pack.value[k], received)
        )
    _note_times(landing, device, pack, told.fresh)
    for patient, places in _by_holder(device, pack, told.fresh):
        if patient is None:
            landing.note("unassigned", device, len(places), seq=pack.seq)
        landing.rows.append(_row(device, pack, patient, places, received))
        if patient is not None:
            landing.fresh.setdefault(patient, []).extend(reading(device, pack, k, patient, received) for k in places)
    return receipt


async def _known(ctx: Ctx, held: dict[str, Held], arrivals: Sequence[Arrival]) -> dict[int, dict[Key, float]]:
    """What is stored, by device, over the spans of the packs that are not all later than their device's head."""
    spans = {
        (held[one.device].number, min(one.pack.time), max(one.pack.time))
        for one in arrivals
        if one.device in held and one.pack.time and doubtful(one.pack, held[one.device].newest)
    }
    known: dict[int, dict[Key, float]] = {}
    if spans:
        for device, metric, time, value in await stored.held(ctx.sql, together(spans)):
            known.setdefault(device, {})[metric, time] = value
    return known


def _known_here(landing: _Landing, device: Held) -> dict[Key, float]:
    """What is held of the device: stored before, or earlier in this transaction."""
    known = landing.known.get(device.number)
    if known is None:
        known = landing.known[device.number] = landing.stored.get(device.number, {})
        for earlier in landing.rows:
            if earlier[1] == device.number:
                known.update(zip(zip(earlier[8], earlier[9], strict=True), earlier[10], strict=True))
    return known


def _note_times(landing: _Landing, device: Held, pack: Pack, fresh: list[int]) -> None:
    """What a person should know of a device's clock and order."""
    union = dict.fromkeys(("late", "clock", "disorder"), 0)
    for k in fresh:
        bits = pack.flags[k]
        if bits:
            union["late"] += bool(bits & Flag.LATE)
            union["clock"] += bool(bits & Flag.CLOCK)
            union["disorder"] += bool(bits & Flag.DISORDER)
    for kind, count in union.items():
        if count:
            worst = max(abs(pack.received - pack.time[k]) for k in fresh)
            landing.note(kind, device, count, device.holder(pack.time[fresh[-1]]), most_seconds=worst // 1_000_000)


def _by_holder(device: Held, pack: Pack, places: list[int]) -> list[tuple[str | None, list[int]]]:
    """The readings by who held the device at their device time."""
    if not places:
        return []
    if len(device.assignments) == 1:
        only = device.assignments[0]
        times = pack.time if len(places) == len(pack.time) else [pack.time[k] for k in places]
        if only.since <= min(times) and max(times) < only.until:
            return [(only.patient, places)]
    split: dict[str | None, list[int]] = {}
    for k in places:
        split.setdefault(device.holder(pack.time[k]), []).append(k)
    return list(split.items())


def _row(device: Held, pack: Pack, patient: str | None, places: list[int], received: datetime) -> tuple[Any, ...]:
    """As packs.PACK says. A pack for one patient, all new, is written as it came."""
    whole = len(places) == len(pack.time)
    pick = (lambda column: column) if whole else (lambda column: [column[k] for k in places])
    times = pick(pack.time)
    sent: tuple[list[float | None] | None, list[str | None] | None] = (None, None)
    if any(k in pack.sent for k in places):
        nothing = (None, None)
        sent = ([pack.sent.get(k, nothing)[0] for k in places], [pack.sent.get(k, nothing)[1] for k in places])
    return (
        *(device.tenant, device.number, patient, received, pack.seq, pack.digest if pack.relative else None),
        *(min(times), max(times), pick(pack.metric), times, pick(pack.value), pick(pack.flags), *sent),
    )


def reading(device: Held, pack: Pack, k: int, patient: str, received: datetime) -> Reading:
    """One reading of a pack as it crosses the face."""
    return Reading(
        number=pack.metric[k],
        raw=pack.value[k],
        time=pack.time[k],
        patient=patient,
        device_number=device.number,
        device=device.name if device.source == "device" else None,
        device_kind=device.kind,
        source=device.source,
        received_at=received,
        bits=pack.flags[k],
        method=device.method,
        sent=pack.sent.get(k),
    )


def standing(new: Reading) -> list[Any]:
    """A reading as it stands in the newest values of its patient."""
    received = devices.microseconds(new.received_at)
    device = new.device
    return [new.time, new.raw, new.bits, new.device_number, device, new.device_kind, new.source, received, new.method]


async def _write(landing: _Landing, held: dict[str, Held], judge: Judge | None) -> None:
    ctx = landing.ctx
    if landing.rows:
        await packs.append(ctx.sql, landing.rows)
    if landing.conflicts:
        await doubts.add_conflicts(ctx.sql, landing.conflicts)
    opened = [device for device in held.values() if device.number in landing.heard]
    await devices.heard(ctx, opened, landing.heard)
    for (kind, device), (count, patient, detail) in sorted(landing.notes.items()):
        await note(ctx, kind, device, patient=patient, count=count, **detail)
    if landing.fresh:
        await _renew(ctx, landing.fresh)
        if judge is not None:
            await judge(ctx, landing.fresh)
        for patient, readings in landing.fresh.items():
            ctx.then(_tell(ctx, patient, readings))


async def _renew(ctx: Ctx, fresh: dict[str, list[Reading]]) -> None:
    """Bring the newest values of these patients forward; their rows stay locked until the commit."""
    newest = await latest.hold_latest(ctx.sql, ctx.tenant, list(fresh))
    changed: dict[str, dict[str, Any]] = {}
    for patient, landed in fresh.items():
        values = newest[patient]
        for new in landed:
            key = str(new.number)
            stands = values.get(key)
            if not new.bits & NEVER_NEWEST and (stands is None or stands[0] < new.time):
                values[key] = standing(new)
                changed[patient] = values
    if changed:
        await latest.set_latest(ctx.sql, ctx.tenant, list(changed), list(changed.values()))


MOST_TOLD: Final = 60
"""Readings in one live message: a wall needs the newest; a backlog of thousands is read from the series."""


def _tell(ctx: Ctx, patient: str, readings: list[Reading]) -> Callable[[], Awaitable[None]]:
    async def tell() -> None:
        shown = readings if len(readings) <= MOST_TOLD else sorted(readings, key=lambda r: r.time)[-MOST_TOLD:]
        await ctx.bus.publish(f"monitoring.live.{ctx.tenant}.{patient}", LIVE.encode(shown))

    return tell


LIVE: Final = msgspec.msgpack.Encoder()
HEARD: Final = msgspec.msgpack.Decoder(list[Reading])


def live_readings(payload: bytes) -> list[Reading]:
    """What a message on monitoring.live.TENANT.PATIENT says: the readings of one pack, at most MOST_TOLD."""
    return HEARD.decode(payload)
