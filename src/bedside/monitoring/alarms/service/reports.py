"""What a person says that no device measured: danger symptoms, and 'that was not me'."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.service import life, remember
from bedside.monitoring.alarms.service.judge import raise_alarm
from bedside.monitoring.alarms.service.remember import measured
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.alarms.store.watch import Reading
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import Finding


async def report_symptoms(ctx: Ctx, patient: str, symptoms: Iterable[str]) -> None:
    """The patient ticks danger symptoms: a high alarm, of whatever age they are; more of them wake it again.

    The page shows the emergency number in the same breath; no alarm stands in for that call. Raises Invalid for a
    symptom that is not in the list, Forbidden.
    """
    await access.authorise(ctx, patient, "C", what="symptom")
    now = ctx.clock.now()
    row = tables.report_row(now.date())
    ticked = sorted(set(symptoms))
    if not ticked or not set(ticked) <= row.codes:
        raise Invalid("Tick what you feel.", where="symptoms")
    finding = Finding(
        cause=row.cause,
        rule=row.id,
        version=tables.version(),
        priority=row.priority,
        metric=row.metric,
        comparison=row.comparison,
        limit=0,
        source=row.source,
        hazard=row.hazard,
        inputs=(),
        value=", ".join(ticked),
    )
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [patient])
    known = memory.open_causes.get(row.cause)
    if known is None:
        await raise_alarm(ctx, memory, finding, now, None)
        return
    alarm = await life.locked(ctx, known.id)
    before = str(alarm.finding.get("value", ""))
    more = [one for one in ticked if one not in before.split(", ")]
    if not more:
        return
    described = {**alarm.finding, "value": ", ".join([*before.split(", "), *more])}
    await life.note(ctx, alarm, "more-symptoms", {"symptoms": more}, finding=described, breach_at=now)
    if not alarm.unseen:
        await life.move(ctx, alarm, "return", data={"after": "more-symptoms"}, holder=None, holder_name=None)
        await life.ask(ctx, alarm, 1)
        await life.disarm(ctx, alarm, "return", "recheck")
        await life.arm(ctx, alarm, "escalate", now + life.pace(alarm, now).escalate)


async def reading_withdrawn(ctx: Ctx, patient: str, reading: str, newest: Sequence[Reading], reason: str) -> None:
    """'That was not me': the judge forgets the reading, and an alarm that rests on it alone is withdrawn with it.

    newest: the newest readings left, by metric, as series knows them now. An alarm that a later reading has kept up
    stays, with a line in its history. The caller has authorised it.
    """
    (memory,) = await watch.locked(ctx.sql, ctx.tenant, [patient])
    remember.forget(memory, reading)
    for left in newest:
        memory.newest.setdefault(left.metric, measured(left))
    await watch.keep(ctx.sql, ctx.tenant, [memory])
    for alarm in await store.resting_on(ctx.sql, ctx.tenant, patient, reading):
        if alarm.breach_at > alarm.measured_at or _enough_left(alarm):
            await life.note(ctx, alarm, "input-withdrawn", {"reading": reading, "reason": reason})
        else:
            await life.move(ctx, alarm, "withdraw", note=reason, data={"reading": reading})


def _enough_left(alarm: Alarm) -> bool:
    """Whether n of the last m still lie beyond the limit without one of them."""
    finding = alarm.finding
    return finding.get("kind") == "persistence" and finding["count"] - 1 >= finding["least"]
