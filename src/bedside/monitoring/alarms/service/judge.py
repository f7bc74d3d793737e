"""The judge: every live reading against its patient's rules, in the transaction that stores the reading.

So there is no moment at which a reading is kept and its alarm is not. One judge a patient at a time: the patient's
row in monitoring.watch is the fence. What is late, of a doubtful clock, in conflict or cuffless raises nothing live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from bedside.foundation.context import Ctx
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms.model import TECHNICAL, Alarm
from bedside.monitoring.alarms.service import battery, delay, functions, late, life, remember, rhythm
from bedside.monitoring.alarms.service.described import described
from bedside.monitoring.alarms.service.remember import measured
from bedside.monitoring.alarms.store import alarms as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.alarms.store.watch import Memory, OpenAlarm, Reading
from bedside.monitoring.rules.model import limits, news2, tables
from bedside.monitoring.rules.model.limits import Finding, Plan, Verdict
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.past import Past

SCORED = frozenset(news2.PARAMETERS)
CLOSELY = frozenset({"weight", battery.METRIC, rhythm.METRIC})
"""Metrics that no glance suffices for."""


async def judge(ctx: Ctx, patient: str, readings: Sequence[Reading]) -> None:
    """Judge one patient's new readings. Call it in the transaction that stores them, with new readings only."""
    await judge_all(ctx, {patient: readings})


async def judge_all(ctx: Ctx, readings: Mapping[str, Sequence[Reading]]) -> None:
    """The same for several patients, locked in one order. Fits series' landing as its `judge`."""
    if not readings:
        return
    judged = await functions.alarms_on(ctx)
    memories = await watch.locked(ctx.sql, ctx.tenant, list(readings))
    now = ctx.clock.now()
    plans = {memory.patient: limits.plan(memory.profile, memory.own, now.date()) for memory in memories}
    usual = await remember.usual(ctx, plans, readings) if judged else {}
    if judged:
        await remember.fill(ctx, memories, plans, readings)
    beats: dict[str, list[Measured]] = {}
    for memory in memories:
        new, rules = readings[memory.patient], plans[memory.patient]
        await _hear(ctx, memory, {r.device: r.device_kind for r in new if r.device and r.source == "device"})
        calm = _calm(memory, rules, new) if judged else [one for one in new if measured(one).sound]
        if calm is None:
            these = [measured(reading) for reading in new]
            await _judge(ctx, memory, rules, these, usual.get(memory.patient, {}))
            live = [one for one in these if one.metric == rhythm.METRIC and one.unfit is None and one.device]
            if live and rules.without_defaults is None:
                beats[memory.patient] = live
        else:
            for reading in calm:
                memory.bring(watch.packed(reading))
            if not judged:
                memory.recent = {}  # what comes meanwhile is not kept: the series fills it again
            elif rules.remembered:
                remember.take(memory, rules, (measured(one) for one in new if one.metric in rules.remembered), now)
                remember.trim(memory, rules)
    told = await rhythm.judge(ctx, beats)
    for memory in memories:
        if memory.patient in told:
            at, verdict = told[memory.patient]
            await _settle(ctx, memory, verdict, [rhythm.METRIC], at)
    await watch.keep(ctx.sql, ctx.tenant, memories)


def _calm(memory: Memory, rules: Plan, readings: Sequence[Reading]) -> list[Reading] | None:
    """The newest reading of each metric, when it can be told at a glance that judging every moment would find nothing:
    nothing is open, nothing flagged, no extreme outside a limit, no score possible. Else None.

    Most packs are so, and a glance costs a twentieth.
    """
    if any(not cause.startswith(TECHNICAL) for cause in memory.open_causes):
        return None
    newest: dict[str, Reading] = {}
    for reading in readings:
        metric, value = reading.metric, reading.value
        if reading.flags or isinstance(value, str) or metric in CLOSELY:
            return None
        band = rules.calm.get(metric)
        if band is not None:
            above, least, most, below = band
            # What is not beyond the limit itself raises nothing for n of the last m either.
            if not (above < value < below and least <= value <= most):
                return None
        known = newest.get(metric)
        if known is None or reading.time > known.time:
            newest[metric] = reading
    scored = "news2" in rules.by_metric and memory.metrics | newest.keys() >= SCORED
    return None if scored and newest.keys() & SCORED else list(newest.values())


async def _judge(ctx: Ctx, memory: Memory, rules: Plan, readings: list[Measured], usual: remember.Usual) -> None:
    remember.take(memory, rules, readings, ctx.clock.now())
    known = remember.past(memory, usual)
    for at, verdict in battery.judge(memory, (r for r in readings if r.metric == battery.METRIC)):
        await _settle(ctx, memory, verdict, [battery.METRIC], at)
    readings = [r for r in readings if r.metric != battery.METRIC]
    live = sorted((r for r in readings if r.unfit is None), key=lambda r: r.device_time)
    for at, group in groupby(live, key=lambda r: r.device_time):
        await _judge_moment(ctx, memory, rules, at, list(group), known)
    await _judge_late(ctx, memory, rules, [r for r in readings if r.unfit == "late"], known)
    # What is sound and late is no live finding, but may still be the newest value known.
    for reading in readings:
        if reading.unfit is not None and reading.sound:
            remember.newest(memory, reading)
    remember.trim(memory, rules)


async def _judge_late(ctx: Ctx, memory: Memory, rules: Plan, readings: list[Measured], known: Past) -> None:
    """Each late moment by the values that stood then: what is outside a limit goes to the work list, not the wall."""
    found: list[tuple[datetime, Finding, dict[str, object]]] = []
    for at, group in groupby(sorted(readings, key=lambda r: r.device_time), key=lambda r: r.device_time):
        now = {reading.metric: reading for reading in group}
        view = {metric: r for metric, r in memory.newest.items() if r.device_time <= at} | now
        found += [
            (at, verdict.finding, described(verdict.finding))
            for verdict in limits.judge(now.keys(), view, rules, at, known)
            if verdict.finding is not None and not _known(memory, verdict.cause)
        ]
    if found:
        await late.note(ctx, memory.patient, found)


def _known(memory: Memory, cause: str) -> bool:
    """Whether somebody has been told of this cause: of one that waits for its delay nobody has."""
    found = memory.open_causes.get(cause)
    return found is not None and found.state != "pending"


async def _judge_moment(
    ctx: Ctx, memory: Memory, rules: Plan, at: datetime, group: list[Measured], known: Past
) -> None:
    view = {metric: r for metric, r in memory.newest.items() if r.device_time <= at or metric not in rules.by_metric}
    behind = False
    for reading in group:
        view[reading.metric] = reading
        behind |= not remember.newest(memory, reading)
    changed = {reading.metric for reading in group}
    verdicts = limits.judge(changed, view, rules, at, known)
    if changed & set(news2.PARAMETERS):
        scored = limits.judge_score(news2.score(view, memory.profile, at), rules)
        if scored is not None:
            verdicts.append(scored)
    for verdict in verdicts:
        if verdict.finding is not None:
            await _breach(ctx, memory, verdict, at)
            if behind:
                await _overtaken(ctx, memory, rules, verdict.cause, known)
        elif all(reading.sound for reading in group):
            await _within(ctx, memory, verdict, changed, at)
    if behind and changed & rules.remembered.keys():
        await _filled(ctx, memory, rules, changed & rules.remembered.keys(), known)


async def _overtaken(ctx: Ctx, memory: Memory, rules: Plan, cause: str, known: Past) -> None:
    """A breach that came out of order: newer values may have shown already that it is over."""
    metrics = rules.metrics_of(cause) & set(memory.newest)
    if not metrics:
        return
    at = max(memory.newest[metric].device_time for metric in metrics)
    for verdict in limits.judge(metrics, memory.newest, rules, at, known):
        if verdict.cause == cause and verdict.finding is None:
            await _within(ctx, memory, verdict, metrics, at)


async def _filled(ctx: Ctx, memory: Memory, rules: Plan, metrics: Iterable[str], known: Past) -> None:
    """A reading in time, but out of order, has filled a gap: n of the last m may be reached only now."""
    for metric in metrics:
        newest = memory.newest[metric]
        for verdict in limits.judge([metric], memory.newest, rules, newest.device_time, known):
            if verdict.finding is not None and verdict.finding.kind == "persistence" and newest.unfit is None:
                await _breach(ctx, memory, verdict, newest.device_time)


async def _settle(ctx: Ctx, memory: Memory, verdict: Verdict, metrics: Iterable[str], at: datetime) -> None:
    """A verdict that stands by itself."""
    if verdict.finding is not None:
        await _breach(ctx, memory, verdict, at)
    else:
        await _within(ctx, memory, verdict, metrics, at)


async def _breach(ctx: Ctx, memory: Memory, verdict: Verdict, at: datetime) -> None:
    finding = verdict.finding
    if finding is None:
        return
    known = memory.open_causes.get(finding.cause)
    if known is None or known.state == "pending":
        delays = delay.delays(memory, (finding, *verdict.besides), ctx.clock.now(), at)
        fluttering = await delay.again(ctx, memory.patient, finding) if delays and known is None else None
        if fluttering is not None:
            await raise_alarm(ctx, memory, fluttering, at, None)
            return
        if delays or known is not None:
            await delay.stand(ctx, memory, finding, at, delays)
            return
    if known is None or tables.RANK[finding.priority] > tables.RANK[known.priority]:
        await raise_alarm(ctx, memory, finding, at, known)
        return
    known.breach_at = max(known.breach_at, at)
    await store.continued(ctx.sql, ctx.tenant, known.id, at)
    if known.state == "ended":
        alarm = await life.locked(ctx, known.id)
        known.state = await life.move(ctx, alarm, "resume", ended_at=None)


async def raise_alarm(ctx: Ctx, memory: Memory, finding: Finding, at: datetime, known: OpenAlarm | None) -> None:
    """A new alarm; a lesser one of the same episode gives way to it."""
    now = ctx.clock.now()
    episode = known.episode if known is not None else uuid7()
    new = Alarm(
        id=uuid7(),
        patient=memory.patient,
        episode=episode,
        cause=finding.cause,
        priority=finding.priority,
        state="raised",
        finding=described(finding),
        raised_at=now,
        measured_at=at,
        breach_at=at,
    )
    if known is not None:
        lesser = await life.locked(ctx, known.id)
        await life.move(ctx, lesser, "supersede", data={"by": new.id})
    await life.begin(ctx, new)
    memory.open_causes[finding.cause] = OpenAlarm(new.id, episode, new.priority, "raised", at, finding.rule)


async def _within(ctx: Ctx, memory: Memory, verdict: Verdict, changed: Iterable[str], at: datetime) -> None:
    """Values within limits again; an older value never ends a newer breach."""
    known = memory.open_causes.get(verdict.cause)
    if known is None or known.state == "ended" or at <= known.breach_at:
        return
    if verdict.holds or known.rule in verdict.incomplete:
        return
    if known.state == "pending" and not await delay.back(ctx, memory, verdict.cause, at):
        return
    if at - known.breach_at < settle_of(verdict.cause, changed, at.date()):
        return
    alarm = await life.locked(ctx, known.id)
    known.state = await life.move(ctx, alarm, "end", ended_at=ctx.clock.now())
    if known.state != "ended":
        del memory.open_causes[verdict.cause]


def settle_of(cause: str, metrics: Iterable[str], on: date) -> timedelta:
    """How long the cause must stay within limits to count as ended."""
    if cause == "news2":
        return tables.settle("news2", on)
    return max((tables.settle(metric, on) for metric in metrics), default=timedelta(0))


async def _hear(ctx: Ctx, memory: Memory, kinds: Mapping[str, str]) -> None:
    """The devices that spoke are not silent."""
    now = ctx.clock.now()
    for device, kind in kinds.items():
        first = device not in memory.heard
        memory.heard[device] = (now, kind)
        if first:
            await life.watch_silence(ctx, memory.patient, device, kind, now)
        known = memory.open_causes.get(f"silence:{device}")
        if known is not None and known.state != "ended":
            alarm = await life.locked(ctx, known.id)
            known.state = await life.move(ctx, alarm, "end", ended_at=now)
            if known.state != "ended":
                del memory.open_causes[f"silence:{device}"]
