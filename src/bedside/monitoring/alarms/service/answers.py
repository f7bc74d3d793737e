"""What people do with an alarm. Each asks the policy first, and leaves a line with a name."""

from __future__ import annotations

from datetime import timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid
from bedside.monitoring.alarms.model import OPEN, UNDO_SECONDS, Alarm
from bedside.monitoring.alarms.service import life, tell
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.rules.model import tables


async def _mine(ctx: Ctx, id: str, action: str = "U") -> Alarm:
    """The alarm, locked, for a person who may answer for it."""
    alarm = await life.locked(ctx, id)
    await access.authorise(ctx, alarm.patient, action, what="alarm")
    if ctx.actor.kind != "person":
        raise Forbidden("Only a person can answer for an alarm.")
    ctx.trail.entities.append(f"Alarm/{alarm.id}")
    return alarm


async def acknowledge(ctx: Ctx, id: str, note: str = "") -> None:
    """'I have seen it, I have it.' Not yet handled: without an action it returns. One that is over is closed by it.

    Raises NotFound, Forbidden, Conflict. Acknowledging what oneself holds changes nothing.
    """
    alarm = await _mine(ctx, id)
    if alarm.holder == ctx.actor.id and alarm.state in {"acknowledged", "acted"}:
        return
    now = ctx.clock.now()
    state = await life.move(
        ctx,
        alarm,
        "acknowledge",
        note=note.strip(),
        holder=ctx.actor.id,
        holder_name=ctx.actor.name,
        acknowledged_at=now,
        nobody=False,
    )
    if state == "acknowledged":
        await life.disarm(ctx, alarm, "escalate")
        await life.arm(ctx, alarm, "return", now + life.pace(alarm, now).returns)


async def act(ctx: Ctx, id: str, action: str, reason: str = "") -> None:
    """Say what was done (called the patient, invited to video, changed a medicine). The alarm is then handled, and
    comes back if its condition still stands after the recheck time. Raises Invalid for an empty action, Conflict.
    """
    alarm = await _mine(ctx, id)
    if not action.strip():
        raise Invalid("Say what was done.", where="action")
    now = ctx.clock.now()
    seen = {} if alarm.acknowledged_at and not alarm.unseen else {"acknowledged_at": now}
    state = await life.move(
        ctx,
        alarm,
        "act",
        note=reason.strip(),
        data={"action": action.strip()},
        holder=ctx.actor.id,
        holder_name=ctx.actor.name,
        acted_at=now,
        nobody=False,
        **seen,
    )
    if state == "acted":
        await life.disarm(ctx, alarm, "escalate", "return")
        await life.arm(ctx, alarm, "recheck", now + life.pace(alarm, now).recheck)


async def hand_over(ctx: Ctx, id: str, person: str, reason: str) -> None:
    """Give the alarm, with the reason, to somebody else, who gets a relationship with the patient and a notice.

    It still returns if they do nothing. Raises Invalid without a reason, NotFound for an unknown person.
    """
    alarm = await _mine(ctx, id)
    if not reason.strip():
        raise Invalid("Say why you hand it over.", where="reason")
    to = await access.person(ctx, person)
    if not to.roles & {"clinician", "nurse"}:
        raise Invalid("An alarm is handed to a clinician or a nurse.", where="person")
    now = ctx.clock.now()
    await access.relate(
        ctx, person=to.id, patient=alarm.patient, kind="alarm", source=f"Alarm/{alarm.id}", reason=reason.strip()
    )
    state = await life.move(
        ctx,
        alarm,
        "hand-over",
        note=reason.strip(),
        data={"to": to.id, "to_name": to.name},
        holder=to.id,
        holder_name=to.name,
        acknowledged_at=alarm.acknowledged_at or now,
        nobody=False,
    )
    await tell.holder(ctx, alarm, to.id)
    if state == "acknowledged":
        await life.disarm(ctx, alarm, "escalate")
        await life.arm(ctx, alarm, "return", now + life.pace(alarm, now).returns)


async def pause(ctx: Ctx, id: str, minutes: int, reason: str) -> None:
    """Let this one alarm be quiet for a while (washing, suction, a patient who is moved): it neither sounds nor climbs,
    and is raised again at the end. Again is another pause, logged and counted too. Raises Invalid without a reason, or
    for longer than its priority allows; Conflict, Forbidden.
    """
    alarm = await _mine(ctx, id)
    now = ctx.clock.now()
    if not reason.strip():
        raise Invalid("Say why it is paused.", where="reason")
    if not timedelta(0) < timedelta(minutes=minutes) <= life.pace(alarm, now).pause:
        raise Invalid(
            "An alarm of this priority may be paused for %(minutes)s minutes at most.",
            where="minutes",
            minutes=int(life.pace(alarm, now).pause.total_seconds() // 60),
        )
    until = now + timedelta(minutes=minutes)
    await life.move(
        ctx,
        alarm,
        "pause",
        note=reason.strip()[:200],
        data={"minutes": minutes, "until": until.isoformat()},
        holder=ctx.actor.id,
        holder_name=ctx.actor.name,
        acknowledged_at=alarm.acknowledged_at or now,
        paused_until=until,
        paused_reason=reason.strip()[:200],
        nobody=False,
    )
    await life.disarm(ctx, alarm, "escalate", "return", "recheck")
    await life.arm(ctx, alarm, "pause", until)


async def unpause(ctx: Ctx, id: str) -> None:
    """End a pause before its time, one's own or another's: it is raised again, its ladder from the first step."""
    alarm = await _mine(ctx, id)
    data = {"holder": alarm.holder, "holder_name": alarm.holder_name}
    await life.move(ctx, alarm, "unpause", data=data, holder=None, holder_name=None)
    await life.climb(ctx, alarm)


def longest_pause(alarm: Alarm) -> int:
    """Minutes, by its priority."""
    return int(life.pace(alarm, alarm.raised_at).pause.total_seconds() // 60)


async def resolve(ctx: Ctx, id: str, note: str = "") -> None:
    """Close an alarm one has seen. Raises Conflict while a continuous measurement is still outside its limits: then
    say what you do (act), or change the patient's limits.
    """
    alarm = await _mine(ctx, id)
    now = ctx.clock.now()
    metrics = {str(found["metric"]) for found in alarm.finding.get("inputs", ())}
    settle = max((tables.settle(metric, now.date()) for metric in metrics), default=timedelta(0))
    if alarm.state in OPEN and now - alarm.breach_at < settle:
        raise Conflict(
            "The values are still outside their limits.",
            remedy="Say what you do about it, or change this patient's limits.",
        )
    await life.move(ctx, alarm, "resolve", note=note.strip())


async def dismiss(ctx: Ctx, id: str, reason: str) -> None:
    """A false alarm, with the reason. Raises Invalid without one."""
    alarm = await _mine(ctx, id)
    if not reason.strip():
        raise Invalid("Say why it is a false alarm.", where="reason")
    await life.move(ctx, alarm, "dismiss", note=reason.strip(), holder=ctx.actor.id, holder_name=ctx.actor.name)


async def undo(ctx: Ctx, id: str) -> None:
    """Take back one's own acknowledge or dismiss within 30 s. Raises Conflict later, or for anything else."""
    alarm = await _mine(ctx, id)
    last = await store.last_event(ctx.sql, ctx.tenant, alarm.id)
    now = ctx.clock.now()
    if (
        last["event"] not in {"acknowledge", "dismiss"}
        or last["person"] != ctx.actor.id
        or now - last["at"] > timedelta(seconds=UNDO_SECONDS)
    ):
        raise Conflict("This can no longer be taken back.", remedy="Acknowledge it, or say what was done.")
    if not alarm.open and await store.open_of(ctx.sql, ctx.tenant, alarm.patient, alarm.cause) is not None:
        raise Conflict("A newer alarm has taken its place.")
    await life.move(ctx, alarm, "undo", holder=None, holder_name=None, acknowledged_at=None)
    await life.disarm(ctx, alarm, "return")
    await life.ask(ctx, alarm, alarm.step)
    await life.arm(ctx, alarm, "escalate", now + life.pace(alarm, now).escalate)
