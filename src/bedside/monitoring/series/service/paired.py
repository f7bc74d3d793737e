"""What a patient's own Bluetooth device measured, read by their browser: of that device, not typed, and held once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, Unprocessable
from bedside.monitoring.devices.model import Paired, device_resource
from bedside.monitoring.devices.service import devices
from bedside.monitoring.ingest.model.measured import Measured, packed
from bedside.monitoring.ingest.model.metrics import BY_NAME, METRICS
from bedside.monitoring.ingest.model.pack import MILLENNIUM, Flag, Pack
from bedside.monitoring.ingest.service.answers import Arrival
from bedside.monitoring.series.model.identity import Identity
from bedside.monitoring.series.service import measured
from bedside.monitoring.series.service.landing import Judge, land

MEASURES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "blood-pressure": (frozenset({"systolic", "diastolic"}), frozenset({"mean-pressure", "heart-rate"})),
    "heart-rate": (frozenset({"heart-rate"}), frozenset()),
    "pulse-oximeter": (frozenset({"spo2"}), frozenset({"heart-rate"})),
    "thermometer": (frozenset({"temperature"}), frozenset()),
    "scale": (frozenset({"weight"}), frozenset()),
    "glucose-meter": (frozenset({"glucose"}), frozenset()),
}
"""By kind: what one measurement must hold, and what it may hold besides (the GATT profiles' own fields)."""

BESIDES: Final = frozenset({"battery"})
"""What any device may tell beside it: the battery service."""


async def take(
    ctx: Ctx, patient: str, read: Paired, sent: Sequence[Measured], judge: Judge | None, *, confirmed: bool
) -> tuple[str, bool]:
    """As land_paired of the room's face says. sent: all of one moment."""
    await access.authorise(ctx, patient, "C", what="Observation")
    pack = _packed(read.kind, sent, devices.microseconds(ctx.clock.now()), confirmed=confirmed)
    name, fresh = await devices.paired(ctx, patient, read)
    if fresh:
        await records.write_governed(ctx, device_resource(name, read.kind, patient), room="monitoring")
    held = (await devices.hold(ctx, {name}))[name]
    if not held.welcome(pack.received):
        raise Forbidden("The clinic has switched this device off.", remedy="Type the reading, or ring the clinic.")
    if held.holder(pack.time[0]) != patient:
        raise Conflict(
            "The clinic has this device down as somebody else's, or nobody's, at that time.",
            remedy="Type the reading, or ring the clinic.",
        )
    await land(ctx, [Arrival(name, pack)], judge)
    metrics = [METRICS[number].name for number in pack.metric]
    # What was withdrawn does not stand, and is no other value.
    stands = {one.metric: one.value for one in await measured.held(ctx, name, metrics, pack.time[0])}
    other = any(stands.get(metric, value) != value for metric, value in zip(metrics, pack.value, strict=True))
    # Named by what was measured, not by a battery that was told before it.
    first = next(metric for metric in metrics if metric in MEASURES[read.kind][0])
    return Identity(held.number, BY_NAME[first].number, pack.time[0]).id, other


def _packed(kind: str, sent: Sequence[Measured], received: int, *, confirmed: bool) -> Pack:
    if kind not in MEASURES:
        kinds = tuple(MEASURES)
        raise Invalid("That kind of device is not known.", where="kind", remedy="One of: %(kinds)s.", kinds=kinds)
    needed, besides = MEASURES[kind]
    besides |= BESIDES
    names = [one.metric for one in sent]
    if not needed <= set(names) or len(set(names)) < len(names) or not set(names) <= needed | besides:
        raise Invalid("This is not what such a device measures.", where="values")
    if len({one.time for one in sent}) > 1:
        raise Invalid("These values are not of one moment.", where="values")
    if sent[0].time < MILLENNIUM:
        raise Invalid("That time cannot be.", where="time")
    pack = packed(sent, received)
    if pack.refused:
        raise Invalid(
            "The device sent something that cannot be a reading.",
            where=names[pack.refused[0].index],
            remedy="Measure again. If it happens again, ring the clinic.",
        )
    for number, flags in zip(pack.metric, pack.flags, strict=True):
        if flags & Flag.IMPLAUSIBLE and not confirmed:
            raise Unprocessable(
                "%(what)s: this is unusual. Is it right?",
                where=METRICS[number].name,
                what=METRICS[number].display,
                remedy="Look again, then confirm.",
            )
    return pack
