"""What happens to an alarm, whoever makes it happen: one way to move it, so that none moves unlogged or untold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bedside import access
from bedside.foundation import jobs, telemetry
from bedside.foundation.context import Ctx
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms import model
from bedside.monitoring.alarms.model import CLOSED, Alarm, Event, Rung, State
from bedside.monitoring.alarms.service import home, tell
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import timers
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.tables import Pace

AFTERWARDS = timedelta(hours=24)
"""Whoever was asked keeps a relationship so long after the alarm has closed."""
ANSWERERS = frozenset({"nurse", "clinician"})
RAISED = telemetry.counter("bedside_alarms_raised", "Alarms that were raised, by priority.", "priority")
TIMERS = ("escalate", "return", "recheck", "delay", "pause")


def pace(alarm: Alarm, at: datetime) -> Pace:
    """The times of an alarm of this priority."""
    return tables.paces(at.date())[alarm.priority]


async def locked(ctx: Ctx, id: str) -> Alarm:
    """The alarm, locked until the transaction ends. Raises NotFound, Forbidden."""
    found = await store.one(ctx.sql, ctx.tenant, id, lock=True)
    if found is None:
        raise await access.absent(ctx, "U", "alarm", "There is no such alarm.")
    return found


async def begin(ctx: Ctx, new: Alarm) -> None:
    """A new alarm: kept, logged, on its way up the ladder, and told to whoever looks."""
    await store.insert(ctx.sql, ctx.tenant, new)
    await _log(ctx, new, "raise", "", new.state, "", {"rule": new.finding.get("rule"), "priority": new.priority})
    ctx.trail.entities.append(f"Alarm/{new.id}")
    await climb(ctx, new)
    await home.tell(ctx, new)
    await publish(ctx, new.id, new.patient)

    async def count() -> None:
        RAISED.labels(new.priority).inc()

    ctx.after_commit.append(count)


async def climb(ctx: Ctx, alarm: Alarm, late: timedelta = timedelta(0)) -> None:
    """The ladder from its first step. late: how long after its time, see `ask`."""
    now = ctx.clock.now()
    await ask(ctx, alarm, 1, late)
    await arm(ctx, alarm, "escalate", now + pace(alarm, now).escalate)


async def wait(ctx: Ctx, new: Alarm, until: datetime) -> None:
    """A new alarm that waits for its delay: kept, logged, with a timer; nobody is told."""
    await store.insert(ctx.sql, ctx.tenant, new)
    await _log(ctx, new, "wait", "", new.state, "", {"rule": new.finding.get("rule"), "priority": new.priority})
    ctx.trail.entities.append(f"Alarm/{new.id}")
    await arm(ctx, new, "delay", until)


async def move(
    ctx: Ctx, alarm: Alarm, event: Event, *, note: str = "", data: dict[str, Any] | None = None, **columns: Any
) -> State:
    """Take an alarm (locked by `locked`) through the table of states. Raises Conflict when it may not go there."""
    state = model.after(alarm.state, event)
    now = ctx.clock.now()
    closes = state in CLOSED
    if alarm.state == "paused" and state != "paused":
        columns = {"paused_until": None, "paused_reason": None, **columns}
        await disarm(ctx, alarm, "pause")
    await store.change(ctx.sql, ctx.tenant, alarm.id, state=state, closed_at=now if closes else None, **columns)
    await _log(ctx, alarm, event, alarm.state, state, note, data or {})
    if closes:
        await timers.disarm(ctx.sql, ctx.tenant, alarm.id, TIMERS, at=now)
        await access.unrelate(ctx, source=f"Alarm/{alarm.id}", at=now + AFTERWARDS)
    if state in {"false-alarm", "withdrawn"} or (event == "end" and alarm.technical):
        await home.take_back(ctx, alarm)
    elif alarm.state == "false-alarm":
        await home.tell(ctx, alarm)
    if state != "passed":  # nobody knew of it
        await publish(ctx, alarm.id, alarm.patient)
    return state


async def note(ctx: Ctx, alarm: Alarm, event: str, data: dict[str, Any], **columns: Any) -> None:
    """A line in the history that changes no state."""
    if columns:
        await store.change(ctx.sql, ctx.tenant, alarm.id, **columns)
    await _log(ctx, alarm, event, alarm.state, alarm.state, "", data)
    await publish(ctx, alarm.id, alarm.patient)


async def _log(ctx: Ctx, alarm: Alarm, event: str, before: str, state: str, note: str, data: dict[str, Any]) -> None:
    person = ctx.actor if ctx.actor.kind == "person" else None
    await store.log(
        ctx.sql,
        ctx.tenant,
        alarm.id,
        at=ctx.clock.now(),
        event=event,
        before=before,
        state=state,
        person=person.id if person else None,
        person_name=person.name if person else None,
        note=note,
        data=data,
    )


async def arm(ctx: Ctx, alarm: Alarm, kind: str, due: datetime) -> None:
    """Set one of the alarm's timers, in place of a running one of its kind. The job is only a wake-up."""
    await timers.disarm(ctx.sql, ctx.tenant, alarm.id, [kind], at=ctx.clock.now())
    timer = uuid7()
    await timers.arm(ctx.sql, ctx.tenant, id=timer, kind=kind, due=due, alarm=alarm.id)
    await jobs.enqueue(ctx, "monitoring.timer", {"timer": timer}, at=due, key=timer)


async def disarm(ctx: Ctx, alarm: Alarm, *kinds: str) -> None:
    """Stop timers."""
    await timers.disarm(ctx.sql, ctx.tenant, alarm.id, kinds, at=ctx.clock.now())


async def watch_silence(ctx: Ctx, patient: str, device: str, kind: str, heard: datetime) -> None:
    """From now on the device's silence is noticed, where its kind has a limit. The sweep rings this timer."""
    limit = tables.silence(heard.date()).get(kind)
    if limit is not None:
        due = heard + limit.after
        await timers.arm(ctx.sql, ctx.tenant, id=uuid7(), kind="silence", due=due, patient=patient, device=device)


async def ladder(ctx: Ctx, patient: str) -> list[Rung]:
    """Who is on duty now where the patient is watched, step by step; of a patient whom no place watches, everywhere."""
    steps: dict[int, dict[str, str]] = {}
    places: list[str | None] = [stay.place for stay in await access.places_of(ctx, patient)]
    for place in places or [None]:
        for duty in await access.on_duty(ctx, place=place, role=None, at=ctx.clock.now()):
            if duty.role in ANSWERERS:
                steps.setdefault(duty.step, {})[duty.person] = duty.name
    return [Rung(step, tuple(people.items())) for step, people in sorted(steps.items())]


async def ask(ctx: Ctx, alarm: Alarm, step: int, late: timedelta = timedelta(0)) -> None:
    """Ask the step's people: they get a relationship and a notice; at the ladder's end the administrators are told.

    late: how long after its time. Each further step whose time has passed meanwhile (Bedside was down) is asked at once
    too, so that nobody waits longer than they would have, and nobody is left out.
    """
    rungs = await ladder(ctx, alarm.patient)
    for due in model.steps_due(rungs, step, late, pace(alarm, ctx.clock.now()).escalate):
        await _ask(ctx, alarm, rungs, due)


async def _ask(ctx: Ctx, alarm: Alarm, rungs: Sequence[Rung], step: int) -> None:
    rung, ended = model.rung_at(rungs, step)
    people = rung.people if rung else ()
    source = f"Alarm/{alarm.id}"
    for person, _ in people:
        await access.relate(ctx, person=person, patient=alarm.patient, kind="alarm", source=source)
    await tell.staff(ctx, alarm, [person for person, _ in people])
    await store.change(
        ctx.sql, ctx.tenant, alarm.id, step=step, asked=[name for _, name in people], nobody=ended or alarm.nobody
    )
    data = {"step": step, "asked": [name for _, name in people], "people": [person for person, _ in people]}
    await _log(ctx, alarm, "ask", alarm.state, alarm.state, "", data)
    if ended and not alarm.nobody:
        told = await tell.administrators(ctx)
        await _log(ctx, alarm, "nobody", alarm.state, alarm.state, "", {"told": told})


async def publish(ctx: Ctx, alarm: str | None, patient: str, *, withdrawn: bool = False) -> None:
    """After the commit the walls are told that something changed; they read what from the store."""
    message = {"alarm": alarm, "patient": patient, "withdrawn": withdrawn}

    async def tell_walls() -> None:
        await ctx.bus.publish(f"monitoring.alarm.{ctx.tenant}.{patient}", message)

    ctx.then(tell_walls)


async def redraw(ctx: Ctx, patient: str) -> None:
    """A reading was taken back: after the commit the walls draw anew whatever shows it."""
    await publish(ctx, None, patient, withdrawn=True)
