"""What happens because nothing happened: escalation, return, recheck, silence, a delay or a pause that is over.

A timer is a row; a job wakes it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bedside.foundation import telemetry
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.service import battery, delay, functions, life, outages, tell
from bedside.monitoring.alarms.service.judge import raise_alarm
from bedside.monitoring.alarms.store import timers, watch
from bedside.monitoring.alarms.store.timers import Timer
from bedside.monitoring.devices.service import devices, wire
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import Finding

AT_ONCE = 200
"""Timers rung in one sweep; the next one takes the rest."""


AWAY = timedelta(seconds=30)
"""A longer gap between two sweeps means that Bedside itself was away: no device was silent then, we were deaf."""


BACK = timedelta(seconds=15)
"""The clock went back by more than this since the last sweep: it was set, and is not merely being kept right."""

log = telemetry.logger("monitoring")


async def overdue(ctx: Ctx) -> list[Timer]:
    """The sweep comes round. Timers whose time has come: those whose wake-up was lost, and the silences, which have
    none.
    """
    went = await timers.beat(ctx.sql, ctx.clock.now(), AWAY, BACK)
    if went is not None:
        log.warning("the clock went back: running timers went with it", seconds=round(went.total_seconds()))
    awake = await timers.awake_since(ctx.sql)
    if awake is not None and ctx.clock.now() - awake > wire.DEAF:  # else the ingest process is starting as we are
        for tenant in await wire.tell(ctx):
            await tell.deaf(ctx.with_(tenant=tenant))
    await outages.over(ctx)
    return await timers.overdue(ctx.sql, ctx.clock.now(), AT_ONCE)


async def ring(ctx: Ctx, id: str) -> None:
    """Do what a timer is for, once; before its time or after its end, nothing."""
    known = await timers.look(ctx.sql, id)
    if known is None or known.due > ctx.clock.now():
        return
    if known.kind == "silence":
        await _silence(ctx, known)
        return
    if known.kind == "delay":
        await delay.ring(ctx, known)
        return
    # The alarm first, its timers after: in the order in which everybody else takes them.
    alarm = await life.locked(ctx, known.alarm or "")
    if await timers.take(ctx.sql, id) is None:
        return
    now = ctx.clock.now()
    await timers.done(ctx.sql, id, now)
    ctx.trail.entities.append(f"Alarm/{alarm.id}")
    late = now - known.due
    if known.kind == "escalate" and alarm.unseen:
        await life.move(ctx, alarm, "escalate", data=_late(late))
        await life.ask(ctx, alarm, alarm.step + 1, late)
        await life.arm(ctx, alarm, "escalate", now + life.pace(alarm, now).escalate)
    elif (known.kind == "return" and alarm.state == "acknowledged") or (
        known.kind == "recheck" and alarm.state == "acted"
    ):
        data = {"after": known.kind, "holder": alarm.holder, "holder_name": alarm.holder_name, **_late(late)}
        await life.move(ctx, alarm, "return", data=data, holder=None, holder_name=None)
        await life.climb(ctx, alarm, late)
    elif known.kind == "pause" and alarm.state == "paused":
        data = {"holder": alarm.holder, "holder_name": alarm.holder_name, **_late(late)}
        await life.move(ctx, alarm, "unpause", data=data, holder=None, holder_name=None)
        await life.climb(ctx, alarm, late)


def _late(late: timedelta) -> dict[str, int]:
    """For the history: a minute or more after its time, a timer says so."""
    minutes = int(late.total_seconds() // 60)
    return {"late_minutes": minutes} if minutes else {}


async def _silence(ctx: Ctx, timer: Timer) -> None:
    """The device spoke since: look again when it is due. It did not: raise, and keep looking."""
    patient, device = timer.patient or "", timer.device or ""
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [patient])
    if await timers.take(ctx.sql, timer.id) is None:
        return
    now = ctx.clock.now()
    heard = memory.heard.get(device)
    limit = tables.silence(now.date()).get(heard[1]) if heard else None
    if heard is None or limit is None:
        await timers.done(ctx.sql, timer.id, now)
        return
    at, kind = heard
    hearing = await wire.state(ctx)
    if wire.deaf(hearing, now):
        await timers.put_off(ctx.sql, timer.id, now + wire.DEAF)
        return
    at = max(at, await timers.awake_since(ctx.sql) or at, hearing.hears_since if hearing else at)
    at = min(at, now)  # heard while the clock was ahead: as of now
    if now - at < limit.after:
        await timers.put_off(ctx.sql, timer.id, at + limit.after)
        return
    if await _given_back(ctx, patient, device, now):
        await timers.done(ctx.sql, timer.id, now)
        return
    await timers.put_off(ctx.sql, timer.id, now + limit.after)
    if not await functions.alarms_on(ctx):
        return
    cause = f"silence:{device}"
    if cause in memory.open_causes:
        return
    if await outages.explains(ctx, patient, device, at, limit.after):
        return
    minutes = int((now - at).total_seconds() // 60)
    finding = Finding(
        cause=cause,
        rule=f"silence-{kind}",
        version=tables.timing_version(),
        priority=limit.priority,
        metric="silence",
        comparison=">=",
        limit=limit.after.total_seconds() / 60,
        source=limit.source,
        hazard="H21",
        inputs=(),
        value=minutes,
    )
    ctx.trail.patients.setdefault(patient, set()).add("C")
    await raise_alarm(ctx, memory, finding, at, None)


async def _given_back(ctx: Ctx, patient: str, device: str, now: datetime) -> bool:
    """Whether the patient's stay with the device was planned to end and has: nobody was there to say so when it did."""
    held = (await devices.hold(ctx, {device}, lock=False)).get(device)
    if held is None or not held.given(patient) or held.expected(patient, microseconds(now)):
        return False
    await forget_device(ctx, patient, device)
    return True


async def expecting(ctx: Ctx, device: str) -> list[str]:
    """The patients from whom this device is expected to be heard."""
    return await watch.expecting(ctx.sql, ctx.tenant, device)


async def forget_device(ctx: Ctx, patient: str, device: str) -> None:
    """The patient no longer holds it: its silence or battery is no alarm, and one that is open ends."""
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [patient])
    memory.heard.pop(device, None)
    memory.newest.pop(battery.cause_of(device), None)
    await watch.keep(ctx.sql, ctx.tenant, [memory])
    for cause in (f"silence:{device}", battery.cause_of(device)):
        known = memory.open_causes.get(cause)
        if known is not None and known.state != "ended":
            await life.move(ctx, await life.locked(ctx, known.id), "end", ended_at=ctx.clock.now())


async def expect_device(ctx: Ctx, patient: str, device: str, kind: str, since: datetime) -> None:
    """The patient holds it from then on, which may lie ahead: never hearing of it at all is silence too."""
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [patient])
    if device not in memory.heard:
        memory.heard[device] = (since, kind)
        await watch.keep(ctx.sql, ctx.tenant, [memory])
        await life.watch_silence(ctx, patient, device, kind, since)
