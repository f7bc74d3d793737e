"""Reading back: the newest values, spans, conflicts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.monitoring.devices.service.devices import microseconds, moment_of
from bedside.monitoring.ingest.model.metrics import BY_NAME, METRICS, Metric, fresh_for
from bedside.monitoring.ingest.model.pack import SECOND, words
from bedside.monitoring.series.model.identity import Identity, identity
from bedside.monitoring.series.model.reading import Conflict, Gap, Latest, Point, Reading, Series, Summary
from bedside.monitoring.series.service.landing import standing
from bedside.monitoring.series.store import doubts, stretches, summaries
from bedside.monitoring.series.store import latest as stored_latest
from bedside.monitoring.series.store import readings as stored_readings

LONGEST: Final = 100_000
"""Readings handed to a rule at most."""
WHOLE: Final = 5_000
"""Readings of a series that come one by one."""
STRETCHES: Final = 500
"""Of a longer one: each gives its lowest and its highest."""
HOUR: Final = 3600 * SECOND
NEWEST: Final = 100
"""Of a longer one, the newest that come one by one."""


def metric_of(name: str) -> Metric:
    """By short name or LOINC code. Raises Invalid."""
    found = BY_NAME.get(name)
    if found is None:
        raise Invalid("That metric is not known.", where="metric")
    return found


async def latest(ctx: Ctx, patients: Sequence[str]) -> dict[str, list[Latest]]:
    """The newest value of each metric of each patient, in the order of the table of metrics."""
    for patient in patients:
        await access.authorise(ctx, patient, "R", what="Observation")
    newest = await stored_latest.latest(ctx.sql, ctx.tenant, list(patients))
    now = ctx.clock.now()
    return {
        patient: [newest_of(int(key), row, now) for key, row in sorted(newest.get(patient, {}).items(), key=_number)]
        for patient in patients
    }


def _number(item: tuple[str, Any]) -> int:
    return int(item[0])


def newest_of(number: int, row: list[Any], now: datetime) -> Latest:
    """A row of monitoring.latest (landing.standing) as it reads at `now`."""
    time, raw, bits, device_number, device, kind, source, received, method = row
    metric = METRICS[number]
    measured = moment_of(time)
    stale_at = measured + timedelta(seconds=fresh_for(metric, kind))
    flags = words(bits)
    return Latest(
        id=Identity(device_number, number, time).id,
        metric=metric.name,
        value=metric.charted(raw),
        unit=metric.unit,
        device_time=measured,
        received_at=moment_of(received),
        age=now - measured,
        stale=now >= stale_at,
        stale_at=stale_at,
        source=source,
        flags=flags | {"cuffless"} if method == "cuffless" else flags,
        device=device,
        device_kind=kind,
    )


async def one(ctx: Ctx, patient: str, reading_id: str) -> list[Latest]:
    """What stands of one reading: its value, of a blood pressure each; none where it was withdrawn.

    reading_id: a FHIR id. Raises NotFound where the patient has no such reading.
    """
    await access.authorise(ctx, patient, "R", what="Observation")
    found = identity(reading_id)
    members = () if found is None else found.members
    rows = await stored_readings.by_identity(
        ctx.sql, ctx.tenant, [m.device for m in members], [m.metric for m in members], [m.time for m in members]
    )
    mine = [row for row in rows if row["patient"] == patient]
    if not mine:
        raise NotFound("There is no such reading.")
    now = ctx.clock.now()
    stands = [reading_of(row) for row in mine if row["withdrawn_at"] is None]
    return [newest_of(each.number, standing(each), now) for each in stands]


def reading_of(row: dict[str, Any]) -> Reading:
    """A row of stored_readings.readings or stored_readings.by_identity."""
    return Reading(
        number=row["number"],
        raw=row["raw"],
        time=row["time"],
        patient=row["patient"],
        device_number=row["device_number"],
        device=row["device"] if row["source"] == "device" else None,
        device_kind=row["device_kind"],
        source=row["source"],
        received_at=row["received_at"],
        bits=row["bits"],
        method=row["method"],
        sent=None if row["sent_unit"] is None else (row["sent_value"], row["sent_unit"]),
    )


async def series(ctx: Ctx, patient: str, metric: str, since: datetime, until: datetime) -> Series:
    """One metric from `since` until just before `until`, withdrawn readings marked, with the gaps between.

    More than WHOLE readings are thinned, see Series: a year of a monitor is one request like any other.
    """
    await access.authorise(ctx, patient, "R", what="Observation")
    found, first, last = metric_of(metric), microseconds(since), microseconds(until)
    extent = await stretches.extent(ctx.sql, ctx.tenant, patient, found.number, first, last)
    thinned = extent.held > WHOLE and not found.letters
    if thinned:
        points, gaps = await _thinned(ctx, patient, found, extent)
    else:
        rows = await stored_readings.readings(ctx.sql, ctx.tenant, patient, [found.number], first, last, limit=LONGEST)
        points, gaps = _whole(found, rows)
    count = extent.held if thinned else len(points)
    kept = await _summaries(ctx, patient, found.number, first, last)
    if kept:
        # Where hours stand for readings there is no gap: something was measured, and is no longer kept.
        gaps = [gap for gap in gaps if not any(one.since < gap.until and one.until > gap.since for one in kept)]
    return Series(patient, found.name, found.display, found.loinc, found.unit, points, gaps, count, thinned, kept)


async def _summaries(ctx: Ctx, patient: str, metric: int, first: int, last: int) -> tuple[Summary, ...]:
    width = max(HOUR, (last - first) // STRETCHES)
    rows = await summaries.stretches(ctx.sql, ctx.tenant, patient, metric, first, last, width)
    return tuple(
        Summary(moment_of(row["first"]), moment_of(row["last"]), row["n"], row["low"], row["high"], row["mean"])
        for row in rows
    )


def _whole(metric: Metric, rows: list[dict[str, Any]]) -> tuple[list[Point], list[Gap]]:
    points: list[Point] = []
    gaps: list[Gap] = []
    before: tuple[datetime, str] | None = None
    for row in rows:
        new = reading_of(row)
        points.append(_point(new, withdrawn=row["withdrawn"]))
        if row["withdrawn"]:
            continue
        at = new.device_time
        if before is not None and at - before[0] > timedelta(seconds=fresh_for(metric, before[1])):
            gaps.append(Gap(before[0], at))
        before = (at, new.device_kind)
    return points, gaps


def _point(new: Reading, *, withdrawn: bool) -> Point:
    return Point(new.id, new.device_time, new.received_at, new.value, new.source, new.device, new.flags, withdrawn)


async def _thinned(ctx: Ctx, patient: str, metric: Metric, extent: stretches.Extent) -> tuple[list[Point], list[Gap]]:
    first, last = extent.first, extent.last
    known = await stretches.devices(ctx.sql, extent.devices)
    fresh = min(fresh_for(metric, kind) for _, kind, _ in known.values()) * SECOND
    width = max(1, (last - first) // STRETCHES)
    found = await stretches.stretches(ctx.sql, ctx.tenant, patient, metric.number, first, last, width, fresh)
    extremes = sorted({one.time: one for each in found for one in (each.low, each.high)}.values(), key=lambda e: e.time)
    tail = await stretches.tail(ctx.sql, ctx.tenant, patient, metric.number, last)
    begin = first if tail is None else max(first, tail)
    rows = await stored_readings.readings(
        ctx.sql, ctx.tenant, patient, [metric.number], begin, last, limit=NEWEST, newest_first=True
    )
    newest, _ = _whole(metric, rows[::-1])
    begins = newest[0].device_time if newest else moment_of(last)
    points: list[Point] = []
    for one in extremes:
        at = moment_of(one.time)
        if at < begins:
            name, _, source = known[one.device]
            device = name if source == "device" else None
            points.append(Point("", at, None, metric.charted(one.value), source, device, frozenset(), withdrawn=False))
    return points + newest, [Gap(moment_of(a), moment_of(b)) for each in found for a, b in each.gaps]


async def readings(ctx: Ctx, patient: str, metrics: Sequence[str], since: datetime, until: datetime) -> list[Reading]:
    """For rules: what is valid (not withdrawn) in a span of device time, oldest first. Authorises nothing: the caller
    judges in the transaction of an arrival or has authorised the patient."""
    numbers = [metric_of(name).number for name in metrics]
    rows = await stored_readings.readings(
        ctx.sql, ctx.tenant, patient, numbers, microseconds(since), microseconds(until), withdrawn=False
    )
    return [reading_of(row) for row in rows]


async def conflicts(ctx: Ctx, patient: str, at: datetime | None = None) -> list[Conflict]:
    """Moments that were sent with two values, newest first. at: of that moment alone."""
    await access.authorise(ctx, patient, "R", what="Observation")
    return [
        Conflict(
            id=Identity(row["number"], row["metric"], row["time"]).id,
            metric=METRICS[row["metric"]].name,
            device=row["device"],
            device_time=moment_of(row["time"]),
            kept=METRICS[row["metric"]].charted(row["kept"]),
            other=METRICS[row["metric"]].charted(row["value"]),
            unit=METRICS[row["metric"]].unit,
            received_at=row["received_at"],
            withdrawn=row["withdrawn"],
            source=row["source"],
        )
        for row in await doubts.conflicts(ctx.sql, ctx.tenant, patient, None if at is None else microseconds(at))
    ]
