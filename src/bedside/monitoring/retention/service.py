"""Raw readings grow old: thinned to hours, then deleted, by the tenant's policy, a bounded transaction at a time.

Each transaction holds the device's head, as landing and compaction do, and writes what it did, how far it came and its
audit entry together: one that is cut off has done nothing, and the next run goes on where the last one was.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from bedside import access, messaging, records
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring import settings
from bedside.monitoring.devices.service import devices
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.retention import store
from bedside.monitoring.retention.model import (
    HOUR,
    KINDS,
    LONGEST,
    NOTICES,
    NOTICES_LEAST,
    SHORTEST,
    Evidence,
    Judged,
    Policy,
    Preview,
    Run,
    forget,
    horizon,
    thin,
    times_of,
)
from bedside.monitoring.series.model.chunk import Chunk, Kept, merge
from bedside.monitoring.series.model.identity import identity
from bedside.monitoring.series.model.reading import EPOCH
from bedside.monitoring.series.store import chunks, latest

AT_ONCE: Final = 20
"""Chunks of a device and metric in one transaction: some 20,000 readings."""
ROWS: Final = 2000
"""Hours, or rows of waveforms, in one transaction."""
LOOKED_AT: Final = 400
"""Chunks that a preview opens; beyond them it counts whole chunks."""
MARGIN: Final = HOUR
"""Before and after what is evidence as a stretch."""
VISIT: Final = timedelta(hours=24)
"""An encounter of at most this long is a visit, whose readings are kept; a stay in hospital is no single event."""
LEAST_REASON: Final = 5
EVERY: Final = 10_000
HOUSE: Final = Actor("job", "retention", "retention", roles=frozenset({"system"}))
"""Who looks when visits were, to keep what was measured in them."""


async def policy(ctx: Ctx, kind: str) -> Policy:
    """What holds: without one, readings are kept for ever, waveforms for the site's days, notices for NOTICES (n is 0
    then). An administrator's."""
    await access.require(ctx, "administrator")
    without = {"waveforms": settings.of(ctx.database).wave_days, "notices": NOTICES}
    return await store.policy(ctx.sql, ctx.tenant, _kind(kind)) or Policy(delete_days=without.get(kind))


async def runs(ctx: Ctx) -> list[Run]:
    """The last ten. An administrator's."""
    await access.require(ctx, "administrator")
    return await store.runs(ctx.sql, ctx.tenant, 10)


async def set_policy(ctx: Ctx, kind: str, thin_days: int | None, delete_days: int | None, reason: str) -> None:
    """Holds from the next run on. What is gone does not come back. An administrator's; Invalid names the field."""
    await access.require(ctx, "administrator")
    checked(kind, thin_days, delete_days)
    if len(reason.strip()) < LEAST_REASON:
        raise Invalid("Write the reason.", where="reason")
    new = Policy(thin_days, delete_days, reason.strip(), ctx.actor.name, ctx.clock.now())
    await store.put_policy(ctx.sql, ctx.tenant, kind, new, ctx.actor.id)
    ctx.trail.entities.append(f"retention of {kind}")
    ctx.trail.wrote = True


def checked(kind: str, thin_days: int | None, delete_days: int | None) -> None:
    """Raises Invalid."""
    if _kind(kind) == "waveforms" and thin_days is not None:
        raise Invalid("A curve has no summary that would be honest: waveforms are kept or deleted.", where="thin_days")
    if kind == "notices" and thin_days is not None:
        raise Invalid("Notices are kept or deleted.", where="thin_days")
    least = {"readings": SHORTEST, "notices": NOTICES_LEAST}.get(kind, 1)
    for where, days in (("thin_days", thin_days), ("delete_days", delete_days)):
        if days is not None and not least <= days <= LONGEST:
            words = "Write a number of days from %(least)s to %(most)s, or nothing."
            raise Invalid(words, where=where, least=least, most=LONGEST)
    if thin_days is not None and delete_days is not None and delete_days <= thin_days:
        raise Invalid("Deleted is later than thinned.", where="delete_days")


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Invalid("There is no such kind of data.", where="kind")
    return kind


async def preview(ctx: Ctx, kind: str, thin_days: int | None, delete_days: int | None) -> Preview:
    """What a policy would do if it held now; nothing is written. An administrator's."""
    await access.require(ctx, "administrator")
    checked(kind, thin_days, delete_days)
    now = microseconds(ctx.clock.now())
    if kind == "notices":
        if delete_days is None:
            return Preview()
        may_go, stays = await messaging.keeping.old(ctx, _moment_of(horizon(now, delete_days)))
        return Preview(deleted=may_go, evidence=stays)
    # Counting reads no value to anybody: it is the clinic's own work, not a look at a record.
    if kind == "waveforms":
        before = 0 if delete_days is None else horizon(now, delete_days)
        rows = await store.old_waves(ctx.sql, ctx.tenant, before, 0, 100_000)
        held = await _evidence(ctx, {row["patient"] for row in rows})
        kept = sum(held.covers(row["patient"], row["t_min"], row["t_max"]) for row in rows)
        return Preview(deleted=len(rows) - kept, evidence=kept, exact=len(rows) < 100_000)
    gone = 0 if delete_days is None else horizon(now, delete_days)
    before = max(gone, 0 if thin_days is None else horizon(now, thin_days))
    thinned = hours = deleted = evidence = opened = 0
    for one in await store.due(ctx.sql, ctx.tenant, before, None):
        since = 0
        while spans := await store.spans(ctx.sql, one.device, one.metric, since, before, AT_ONCE):
            since = spans[-1][1] + 1
            opened += len(spans)
            if opened > LOOKED_AT:
                deleted += sum(n for first, _, n in spans if first < gone)
                thinned += sum(n for first, _, n in spans if first >= gone)
                continue
            found = [k for chunk in await _chunks(ctx, one, spans) for k in chunk.kept]
            held = await _evidence(ctx, {k.patient for k in found})
            stay, out, pointed = forget(found, (one.device, one.metric), held, gone)
            deleted, evidence = deleted + out, evidence + pointed
            if thin_days is not None:
                known = await store.hours(ctx.sql, one.device, one.metric, spans[0][0] - HOUR, spans[-1][1])
                judged = thin(stay, (one.device, one.metric), held, before, horizon(now, thin_days), known)
                thinned, hours = thinned + judged.thinned, hours + len(judged.hours)
    return Preview(thinned, hours, deleted, evidence, opened <= LOOKED_AT)


async def with_waves(ctx: Ctx) -> frozenset[int]:
    """Tenants with a policy of their own for waveforms: the site's setting is not theirs."""
    found = await store.tenants(ctx.sql)
    return frozenset([one for one in found if await store.policy(ctx.sql, one, "waveforms") is not None])


async def keep_house(ctx: Ctx) -> dict[int, Run]:
    """Do what each tenant's policies say. Idempotent, may end anywhere; what was done, by tenant."""
    async with access.work(ctx, "looked for old readings", readonly=True) as work:
        found = sorted({*await store.tenants(work.sql), *await messaging.keeping.tenants(work)})
    done = {}
    for tenant in found:
        done[tenant] = await _tenant(ctx.with_(tenant=tenant))
    return done


async def _tenant(ctx: Ctx) -> Run:
    async with access.work(ctx, "looked for old readings", readonly=True) as work:
        readings = await store.policy(work.sql, ctx.tenant, "readings") or Policy()
        waves = await store.policy(work.sql, ctx.tenant, "waveforms") or Policy()
        notices = await store.policy(work.sql, ctx.tenant, "notices") or Policy(delete_days=NOTICES)
    now = ctx.clock.now()
    thinned = hours = deleted = pieces = 0
    if readings.delete_days is not None:
        before = horizon(microseconds(now), readings.delete_days)
        async with access.work(ctx, "looked for old readings", readonly=True) as work:
            old = await store.due(work.sql, ctx.tenant, before, None)
        for one in old:
            deleted += await _forget(ctx, one, before)
        deleted += await _forget_hours(ctx, before)
    if readings.thin_days is not None:
        before = horizon(microseconds(now), readings.thin_days)
        async with access.work(ctx, "looked for old readings", readonly=True) as work:
            old = await store.due(work.sql, ctx.tenant, before, readings.n)
        for one in old:
            more = True
            while more:
                step, more = await _thin(ctx, one, readings.n, before)
                thinned, hours = thinned + step.thinned, hours + len(step.hours)
    if waves.delete_days is not None:
        pieces = await _forget_waves(ctx, horizon(microseconds(now), waves.delete_days))
    gone = 0
    if notices.delete_days is not None:
        gone = await messaging.keeping.forget_old(ctx, _moment_of(horizon(microseconds(now), notices.delete_days)))
    run = Run(thinned, hours, deleted, pieces, gone, now)
    if thinned or deleted or pieces or gone:
        async with access.work(ctx, "noted what retention did") as work:
            await store.add_run(work.sql, ctx.tenant, run)
    return run


def _moment_of(time: int) -> datetime:
    """Of µs since 1970."""
    return EPOCH + timedelta(microseconds=time)


async def _thin(ctx: Ctx, due: store.Due, policy: int, before: int) -> tuple[Judged, bool]:
    """One transaction; whether there may be more of this device and metric to do now."""
    async with access.work(ctx, "thinned old readings") as work:
        await devices.hold(work, {due.name})
        since = await store.thinned_until(work.sql, due.device, due.metric, policy)
        if since >= before:
            return Judged(), False
        until = before
        spans = await store.spans(work.sql, due.device, due.metric, since, before, AT_ONCE + 1)
        if len(spans) > AT_ONCE:
            # An hour may begin in one chunk and end in the next: only those are judged that end in what is read.
            until = spans[AT_ONCE][0] // HOUR * HOUR
            if until <= since:
                until = min(before, since // HOUR * HOUR + HOUR)
            spans = await store.spans(work.sql, due.device, due.metric, since, until, EVERY)
        held = await _chunks(work, due, spans)
        everything = [one for chunk in held for one in chunk.kept]
        # What was received since `before` is younger than the policy's age, whatever its device's clock says: it is
        # waited for, so that its hour is judged once and whole.
        young = min((one.time // HOUR * HOUR for one in everything if one.received >= before), default=until)
        until = max(since, min(until, young))
        evidence = await _evidence(work, {one.patient for one in everything})
        first = everything[0].time // HOUR * HOUR if everything else until
        known = await store.hours(work.sql, due.device, due.metric, first, until)
        judged = thin(everything, (due.device, due.metric), evidence, until, before, known)
        if judged.thinned:
            await _put(work, due, held, judged.stay)
            await store.add_hours(work.sql, work.tenant, due.device, due.metric, judged.hours, work.clock.now())
            _touched(work, {hour.patient for hour in judged.hours})
        await store.judged(work.sql, due.device, due.metric, policy, until)
    return judged, since < until < before


async def _chunks(ctx: Ctx, due: store.Due, spans: list[tuple[int, int, int]]) -> list[Chunk]:
    if not spans:
        return []
    begins = {first for first, _, _ in spans}
    found = await chunks.around(ctx.sql, due.device, due.metric, spans[0][0], spans[-1][1])
    return [chunk for chunk in found if chunk.t_min in begins]


async def _put(ctx: Ctx, due: store.Due, held: list[Chunk], stay: list[Kept]) -> None:
    made = merge([], stay).made if stay else []
    await chunks.replace(ctx.sql, ctx.tenant, due.device, due.metric, [chunk.t_min for chunk in held], made)


async def _forget(ctx: Ctx, due: store.Due, before: int) -> int:
    total, since = 0, 0
    while True:
        async with access.work(ctx, "deleted old readings") as work:
            await devices.hold(work, {due.name})
            spans = await store.spans(work.sql, due.device, due.metric, since, before, AT_ONCE)
            if not spans:
                return total
            since = spans[-1][1] + 1
            held = await _chunks(work, due, spans)
            everything = [one for chunk in held for one in chunk.kept]
            patients = {one.patient for one in everything}
            stay, gone, _ = forget(everything, (due.device, due.metric), await _evidence(work, patients), before)
            if gone:
                await _put(work, due, held, stay)
                _touched(work, patients)
                total += gone


async def _forget_hours(ctx: Ctx, before: int) -> int:
    """Summaries that are as old; how many readings they stood for."""
    total, after = 0, 0
    while True:
        async with access.work(ctx, "deleted old summaries") as work:
            rows = await store.old_hours(work.sql, ctx.tenant, before, after, ROWS)
            evidence = await _evidence(work, {row["patient"] for row in rows})
            gone = [row for row in rows if not evidence.covers(row["patient"], row["hour"], row["hour"] + HOUR)]
            await store.drop_hours(work.sql, [(row["device"], row["metric"], row["hour"]) for row in gone])
            if gone:
                _touched(work, {row["patient"] for row in gone})
            total += sum(int(row["n"]) for row in gone)
            if len(rows) < ROWS:
                return total
            # The last hour may not be whole: it is read again, unless nothing else was read.
            after = rows[-1]["hour"] if rows[-1]["hour"] > after else after + HOUR


async def _forget_waves(ctx: Ctx, before: int) -> int:
    total, after = 0, 0
    while True:
        async with access.work(ctx, "deleted old waveforms") as work:
            rows = await store.old_waves(work.sql, ctx.tenant, before, after, ROWS)
            evidence = await _evidence(work, {row["patient"] for row in rows})
            gone = [row for row in rows if not evidence.covers(row["patient"], row["t_min"], row["t_max"])]
            await store.drop_waves(work.sql, [(row["device"], row["lead"], row["t_min"]) for row in gone])
            if gone:
                _touched(work, {row["patient"] for row in gone})
            total += len(gone)
            if len(rows) < ROWS:
                return total
            after = rows[-1]["t_max"] if rows[-1]["t_max"] > after else after + 1


def _touched(ctx: Ctx, patients: Iterable[str]) -> None:
    for patient in patients:
        ctx.trail.patients.setdefault(patient, set()).add("D")
    ctx.trail.wrote = True


async def _evidence(ctx: Ctx, patients: set[str]) -> Evidence:
    """What alarms, late findings, visits, corrections and the newest values of these patients point to."""
    evidence = Evidence()
    if not patients:
        return evidence
    now = microseconds(ctx.clock.now())
    for row in await store.findings(ctx.sql, ctx.tenant, sorted(patients)):
        since, until = microseconds(row["since"]), now if row["until"] is None else microseconds(row["until"])
        inputs = [found for i in row["finding"].get("inputs") or () if (found := identity(str(i.get("id", ""))))]
        for each in (member for one in inputs for member in one.members):
            evidence.times.setdefault((each.device, each.metric), set()).add(each.time)
        evidence.spans.setdefault(row["patient"], []).append((since - MARGIN, until + MARGIN))
    for device, metric, time in await store.pointed_to(ctx.sql, ctx.tenant, sorted(patients)):
        evidence.times.setdefault((device, metric), set()).add(time)
    for newest in (await latest.latest(ctx.sql, ctx.tenant, sorted(patients))).values():
        for device, metric, time in times_of(newest):
            evidence.times.setdefault((device, metric), set()).add(time)
    for patient in sorted(patients):
        evidence.spans.setdefault(patient, []).extend(await _visits(ctx, patient))
    return evidence


async def _visits(ctx: Ctx, patient: str) -> list[tuple[int, int]]:
    # The clinic's own job asks the record when visits were, and reads nothing else of them.
    job = ctx if ctx.actor.kind == "job" else ctx.with_(actor=HOUSE, purpose="HOPERAT")
    found: list[tuple[int, int]] = []
    cursor: str | None = None
    while True:
        params: dict[str, str] = {"patient": patient, "_count": "500"} | ({"_cursor": cursor} if cursor else {})
        page: Any = await records.search(job, "Encounter", params)
        for one in page.entries:
            period = one.get("period") or {}
            since, until = _moment(period.get("start")), _moment(period.get("end"))
            if since is not None and (until is None or until - since <= VISIT):
                found.append((microseconds(since) - MARGIN, microseconds(until or since) + MARGIN))
        cursor = page.next
        if not cursor:
            return found


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str) or "T" not in text:
        return None
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
