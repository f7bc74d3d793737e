"""An alarm whose limit must stand broken for a while: it waits, unheard, and is raised when the while is over.

Only a reading within limits ends the wait: nothing heard is not "fine". What another rule of the same cause would raise
sooner is raised then, as the worst that stands: no delay keeps back what another rule asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bedside.foundation.context import Ctx
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms.model import Alarm, Delay
from bedside.monitoring.alarms.service import functions, home, life
from bedside.monitoring.alarms.service.described import described
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import timers, watch
from bedside.monitoring.alarms.store.alarms import packed_delays
from bedside.monitoring.alarms.store.timers import Timer
from bedside.monitoring.alarms.store.watch import Memory, OpenAlarm
from bedside.monitoring.rules.model import limits, tables
from bedside.monitoring.rules.model.limits import Finding
from bedside.monitoring.rules.model.tables import Priority


def delays(memory: Memory, broken: Iterable[Finding], now: datetime, at: datetime) -> dict[str, Delay]:
    """The delays of the rules that are broken now, those that run already going on; none when one of them has none, or
    is over: then the worst of them is raised at once.

    broken: of one cause. at: the device time of what broke them.
    """
    found: dict[str, Delay] = {}
    running: dict[str, Delay] = {}
    for finding in broken:
        asked = _of(memory, finding)
        if asked <= timedelta(0):
            return {}
        known = memory.open_causes.get(finding.cause)
        running = known.delays if known is not None else {}
        seconds = asked.total_seconds()
        old = running.get(finding.rule)
        found[finding.rule] = old if old is not None and old.seconds == seconds else Delay(now, at, seconds)
    return {} if any(one.over(now, at) for one in found.values()) else found


def _of(memory: Memory, finding: Finding) -> timedelta:
    """As a clinician set it for the patient; else by the table, of what the device measured itself without doubt."""
    if finding.own:
        return finding.delay
    newest = next((one for one in finding.inputs if one.metric == finding.metric), None)
    if newest is None or finding.kind != "limit" or "implausible" in newest.flags or newest.source != "device":
        return timedelta(0)
    _, kind = memory.heard.get(newest.device or "", (None, ""))
    return tables.default_delay(kind, finding.metric, finding.priority, newest.device_time.date())


async def again(ctx: Ctx, patient: str, finding: Finding) -> Finding | None:
    """The finding, with how often it passed of late, where that is so often that it does not wait once more: what
    flutters at its limit is one alarm. None where it waits. A clinician's own delay holds every time.
    """
    now = ctx.clock.now()
    times, span = tables.again(now.date())
    if finding.own:
        return None
    found = await store.passed(ctx.sql, ctx.tenant, patient, finding.cause, now - span)
    if found < times:
        return None
    return replace(finding, told={**finding.told, "passed": found, "minutes": int(span.total_seconds() // 60)})


async def stand(ctx: Ctx, memory: Memory, finding: Finding, at: datetime, running: Mapping[str, Delay]) -> None:
    """A breach that has a delay, or comes while one runs. running: see `delays`."""
    now = ctx.clock.now()
    known = memory.open_causes.get(finding.cause)
    if known is None:
        until = min(one.until for one in running.values())
        new = Alarm(
            id=uuid7(),
            patient=memory.patient,
            episode=uuid7(),
            cause=finding.cause,
            priority=finding.priority,
            state="pending",
            finding=described(finding),
            raised_at=now,
            measured_at=at,
            breach_at=at,
            pending_until=until,
            delays=dict(running),
        )
        await life.wait(ctx, new, until)
        memory.open_causes[finding.cause] = OpenAlarm(
            *(new.id, new.episode, new.priority, "pending", at, finding.rule), until, dict(running)
        )
        return
    known.breach_at = max(known.breach_at, at)
    other: dict[str, Any] = {} if finding.rule == known.rule else {"finding": described(finding), "measured_at": at}
    if not running:
        alarm = await life.locked(ctx, known.id)
        await sound(ctx, alarm, known, finding.priority, breach_at=known.breach_at, **other)
        known.rule = finding.rule
        return
    if not other and running.keys() == known.delays.keys() and running == known.delays:
        await store.continued(ctx.sql, ctx.tenant, known.id, at)
        return
    until = min(one.until for one in running.values())
    alarm = await life.locked(ctx, known.id)
    columns: dict[str, Any] = {"priority": finding.priority, "pending_until": until, **other}
    columns |= {"delays": packed_delays(running), "breach_at": known.breach_at}
    await store.change(ctx.sql, ctx.tenant, known.id, **columns)
    await life.arm(ctx, alarm, "delay", until)
    known.priority, known.rule = finding.priority, finding.rule
    known.pending_until, known.delays = until, dict(running)


async def sound(
    ctx: Ctx,
    alarm: Alarm,
    known: OpenAlarm | None,
    priority: Priority,
    late: timedelta = timedelta(0),
    **columns: Any,
) -> None:
    """The wait is over: raised now, asked, told, as any new alarm. known: the judge's memory of it."""
    now = ctx.clock.now()
    rule = columns.get("finding", alarm.finding).get("rule")
    data = {"rule": rule, "priority": priority, "waited": int((now - alarm.raised_at).total_seconds())}
    await life.move(
        ctx, alarm, "raise", data=data, priority=priority, raised_at=now, pending_until=None, delays={}, **columns
    )
    await life.disarm(ctx, alarm, "delay")
    raised = replace(alarm, state="raised", priority=priority, raised_at=now, pending_until=None)
    await life.climb(ctx, raised, late)
    await home.tell(ctx, raised)
    if known is not None:
        known.state, known.priority, known.pending_until, known.delays = "raised", priority, None, {}


async def back(ctx: Ctx, memory: Memory, cause: str, at: datetime) -> bool:
    """Values within limits at device time `at`, newer than the last breach: it has passed. Where the delay had ended
    before that, and nobody rang (Bedside was away), it is raised all the same: True, and it may end as any other.
    """
    known = memory.open_causes[cause]
    now = ctx.clock.now()
    alarm = await life.locked(ctx, known.id)
    if known.pending_until is not None and min(at, now) >= known.pending_until:
        await sound(ctx, alarm, known, alarm.priority, now - known.pending_until)
        return True
    await life.move(ctx, alarm, "end", ended_at=now)
    del memory.open_causes[cause]
    return False


async def ring(ctx: Ctx, timer: Timer) -> None:
    """The delay is over: nothing within limits was heard, so it is raised, if its limit still holds."""
    known = await store.one(ctx.sql, ctx.tenant, timer.alarm or "")
    if known is None:
        return
    # The patient first, then the alarm, its timers last: in the order in which the judge takes them.
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [known.patient])
    alarm = await life.locked(ctx, known.id)
    running = await timers.take(ctx.sql, timer.id)
    now = ctx.clock.now()
    if running is None or running.due > now:
        return
    await timers.done(ctx.sql, timer.id, now)
    if alarm.state != "pending":
        return
    ctx.trail.entities.append(f"Alarm/{alarm.id}")
    ctx.trail.patients.setdefault(alarm.patient, set()).add("U")
    if _holds(memory, alarm, now) and await functions.alarms_on(ctx):
        await sound(ctx, alarm, None, alarm.priority, now - running.due)
    else:
        # The limit was changed or taken away meanwhile, or alarms switched off.
        await life.move(ctx, alarm, "end", data={"limit": "changed"}, ended_at=now)


def _holds(memory: Memory, alarm: Alarm, now: datetime) -> bool:
    """Whether a rule in force today still calls the value a breach that this alarm rests on."""
    rows = limits.plan(memory.profile, memory.own, now.date()).rows
    metric, value = alarm.finding.get("metric"), alarm.finding["value"]
    return any(row.cause == alarm.cause and row.metric == metric and row.breached_by(value) for row in rows)
