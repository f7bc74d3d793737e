"""What people do to the series by hand: type a reading, record an observation, take one back, give packs a holder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, Unprocessable
from bedside.monitoring.devices.service import devices
from bedside.monitoring.ingest.model.metrics import DIASTOLIC, SYSTOLIC, UNITS, Metric, live_for
from bedside.monitoring.ingest.model.pack import HORIZON, MILLENNIUM, SECOND, Flag, Pack
from bedside.monitoring.series.model.identity import identity
from bedside.monitoring.series.model.reading import NewReading, Reading, Typed
from bedside.monitoring.series.service.landing import Judge, Receipt, land, reading, standing
from bedside.monitoring.series.service.reading import metric_of, reading_of
from bedside.monitoring.series.store import doubts, latest, packs
from bedside.monitoring.series.store import readings as stored

STAFF: Final = frozenset({"clinician", "nurse", "pharmacist", "administrator"})


@dataclass(slots=True, frozen=True)
class _Typed:
    device: str
    pack: Pack


async def enter(ctx: Ctx, new: NewReading, judge: Judge | None = None) -> list[Reading]:
    """Store what a person typed of one moment, as theirs. Returns the readings, in the order typed.

    Raises Invalid (unknown metric, unit, time, impossible value) and Unprocessable when a value is implausible and was
    not confirmed: look again, then confirm.
    """
    await access.authorise(ctx, new.patient, "C", what="Observation")
    now = devices.microseconds(ctx.clock.now())
    at = now if new.at is None else devices.microseconds(new.at)
    if at < MILLENNIUM or at > now + HORIZON * SECOND:
        raise Invalid("That time cannot be.", where="at")
    pack = Pack(received=now, digest=b"")
    for typed in (Typed(new.metric, new.value, new.unit), *new.also):
        _take(pack, typed, at, confirmed=new.confirmed)
    _below(pack)
    source = "staff" if ctx.actor.roles & STAFF else "patient"
    name = await devices.hands_of(ctx, new.patient, source)
    receipts = await land(ctx, [_Typed(name, pack)], judge)
    return await _held(ctx, name, pack, new.patient, receipts[0])


async def _held(ctx: Ctx, name: str, pack: Pack, patient: str, receipt: Receipt) -> list[Reading]:
    if receipt.stored != len(pack.time):
        raise Invalid("The reading could not be kept.")
    device = (await devices.hold(ctx, {name}))[name]
    received = devices.moment_of(pack.received)
    return [reading(device, pack, k, patient, received) for k in range(len(pack.time))]


def _take(pack: Pack, typed: Typed, at: int, *, confirmed: bool) -> None:
    metric = metric_of(typed.metric)
    value, sent = _charted(metric, typed)
    bits = Flag.CONVERTED if sent is not None else 0
    low, high = metric.plausible
    if not low <= value <= high:
        if not confirmed:
            raise Unprocessable(
                "%(what)s: this is unusual. Is it right?",
                where=metric.name,
                what=metric.display,
                remedy="Look again, then confirm.",
            )
        bits |= Flag.IMPLAUSIBLE
    if pack.received - at > live_for(metric, "typed") * SECOND:
        bits |= Flag.LATE
    elif at > pack.received + 60 * SECOND:
        bits |= Flag.CLOCK
    if sent is not None:
        pack.sent[len(pack.value)] = sent
    pack.metric.append(metric.number)
    pack.time.append(at)
    pack.value.append(value)
    pack.flags.append(bits)


def _charted(metric: Metric, typed: Typed) -> tuple[float, tuple[float, str] | None]:
    if metric.letters:
        if typed.value not in metric.letters:
            raise Invalid(
                "%(what)s: one of %(letters)s.", where=metric.name, what=metric.display, letters=metric.letters
            )
        return float(metric.letters.index(str(typed.value))), None
    if isinstance(typed.value, str | bool):
        raise Invalid("%(what)s: a number is needed.", where=metric.name, what=metric.display)
    unit = metric.unit if typed.unit is None else typed.unit
    scale = UNITS[metric.number].get(unit)
    if scale is None:
        raise Invalid("%(what)s: that unit is not taken.", where=metric.name, what=metric.display)
    number, (factor, offset) = float(typed.value), scale
    value = number if factor == 1 and offset == 0 else round(number * factor + offset, metric.decimals)
    low, high = metric.possible
    if not low <= value <= high:
        raise Invalid(
            "%(what)s: this cannot be.",
            where=metric.name,
            remedy="Check the number and its unit.",
            what=metric.display,
        )
    return value, ((number, unit) if unit != metric.unit else None)


def _below(pack: Pack) -> None:
    values = dict(zip(pack.metric, pack.value, strict=True))
    if SYSTOLIC in values and DIASTOLIC in values and values[DIASTOLIC] >= values[SYSTOLIC]:
        raise Invalid("The lower number must be below the upper one.", where="diastolic")


async def withdraw(ctx: Ctx, reading_id: str, reason: str) -> list[Reading]:
    """ "That was not me": from now on it reads entered-in-error; it stays in the history. Returns what was withdrawn.

    reading_id: a FHIR id; a blood pressure is withdrawn whole. Raises NotFound, Invalid without a reason.
    """
    if not reason.strip():
        raise Invalid("A reason is needed.", where="reason")
    found = identity(reading_id)
    rows: list[dict[str, Any]] = []
    if found is not None:
        members = found.members
        rows = await stored.by_identity(
            ctx.sql, ctx.tenant, [m.device for m in members], [m.metric for m in members], [m.time for m in members]
        )
    rows = [row for row in rows if row["patient"] is not None]
    if not rows:
        raise await access.absent(ctx, "U", "reading", "There is no such reading.")
    patient: str = rows[0]["patient"]
    await access.authorise(ctx, patient, "U", what="reading")
    newest = (await latest.hold_latest(ctx.sql, ctx.tenant, [patient]))[patient]
    identities = [(row["device_number"], row["number"], row["time"]) for row in rows]
    by = (ctx.actor.id, ctx.actor.name)
    await doubts.withdraw(ctx.sql, ctx.tenant, identities, patient, reason.strip(), by, ctx.clock.now())
    now = devices.microseconds(ctx.clock.now())
    for device, metric, time in identities:
        stands = newest.get(str(metric))
        if stands is not None and stands[0] == time and stands[3] == device:
            newest.pop(str(metric))
            for row in await stored.readings(
                *(ctx.sql, ctx.tenant, patient, [metric], 0, now),
                limit=20,
                newest_first=True,
                withdrawn=False,
            ):
                if not row["bits"] & Flag.CLOCK:
                    newest[str(metric)] = standing(reading_of(row))
                    break
    await latest.set_latest(ctx.sql, ctx.tenant, [patient], [newest])
    return [reading_of(row) for row in rows]


async def assign(
    ctx: Ctx, device: str, patient: str | None, since: datetime | None, until: datetime | None, judge: Judge | None
) -> int:
    """Give a device to a patient from a time; what it sent from that time and waited for a holder is theirs now.

    Returns how many waiting readings found their patient.
    """
    if patient is not None:
        await access.authorise(ctx, patient, "U", what="Device")
    start = ctx.clock.now() if since is None else since
    number = await devices.assign(ctx, device, patient, start, until)
    waiting = await packs.unassigned(ctx.sql, ctx.tenant, number)
    if patient is None or not waiting:
        return 0
    held = (await devices.hold(ctx, {device}))[device]
    given = 0
    moved: list[tuple[Any, ...]] = []
    removed: list[int] = []
    fresh: list[Reading] = []
    for row in waiting:
        split: dict[str | None, list[int]] = {}
        for k, time in enumerate(row["time"]):
            split.setdefault(held.holder(time), []).append(k)
        if set(split) == {None}:
            continue
        removed.append(row["id"])
        for holder, places in split.items():
            moved.append(_part(row, holder, places))
            if holder is not None:
                given += len(places)
                part = moved[-1]
                pack = Pack(0, b"", None, list(part[8]), list(part[9]), list(part[10]), list(part[11]))
                fresh += [reading(held, pack, k, holder, row["received_at"]) for k in range(len(places))]
    await packs.remove(ctx.sql, removed)
    await packs.append(ctx.sql, moved)
    await _adopt(ctx, fresh, judge)
    return given


def _part(row: dict[str, Any], patient: str | None, places: list[int]) -> tuple[Any, ...]:
    """Some readings of a stored pack as a pack of their own (packs.PACK)."""
    columns = [[row[name][k] for k in places] for name in ("metric", "time", "value", "flags")]
    sent = [row[name] and [row[name][k] for k in places] for name in ("sent_value", "sent_unit")]
    times = columns[1]
    return (
        *(row["tenant"], row["device"], patient, row["received_at"], row["seq"], row["digest"]),
        *(min(times), max(times), *columns, *sent),
    )


async def _adopt(ctx: Ctx, fresh: list[Reading], judge: Judge | None) -> None:
    by_patient: dict[str, list[Reading]] = {}
    for new in fresh:
        by_patient.setdefault(new.patient, []).append(new)
    if not by_patient:
        return
    newest = await latest.hold_latest(ctx.sql, ctx.tenant, list(by_patient))
    for patient, readings in by_patient.items():
        for new in readings:
            stands = newest[patient].get(str(new.number))
            if not new.bits & Flag.CLOCK and (stands is None or stands[0] < new.time):
                newest[patient][str(new.number)] = standing(new)
    await latest.set_latest(ctx.sql, ctx.tenant, list(newest), list(newest.values()))
    if judge is not None:
        await judge(ctx, by_patient)
