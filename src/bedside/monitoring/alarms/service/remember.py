"""What the judge keeps of a patient from pack to pack: the newest values, and the last ones of a few metrics."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.store import baselines
from bedside.monitoring.alarms.store.watch import Memory, Reading
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.rules.model.limits import Plan
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.past import Baseline, Past
from bedside.monitoring.series.service.reading import reading_of
from bedside.monitoring.series.store.lasts import Wanted, lasts

LOOKING: Final = frozenset({"persistence", "change"})
WEIGHTS_KEPT: Final = timedelta(days=7)
Usual = Mapping[tuple[str, int], Baseline]


def measured(reading: Reading) -> Measured:
    """A reading as the rules see it."""
    return Measured(
        reading.id,
        reading.metric,
        reading.value,
        reading.unit,
        reading.device_time,
        reading.received_at,
        reading.device,
        reading.source,
        reading.flags,
    )


def newest(memory: Memory, reading: Measured) -> bool:
    """Take a reading as the newest of its metric, unless a newer one is known. True when taken."""
    known = memory.newest.get(reading.metric)
    if known is not None and known.device_time > reading.device_time:
        return False
    memory.newest[reading.metric] = reading
    return True


def take(memory: Memory, rules: Plan, readings: Iterable[Measured], now: datetime) -> None:
    """Weights of the last week, and the readings of the metrics that a rule looks back at; sound ones alone."""
    for reading in readings:
        if reading.metric == "weight" and reading.sound:
            memory.weights.append(reading)
        elif reading.metric in rules.remembered and reading.sound:
            insort(memory.recent.setdefault(reading.metric, []), reading, key=_when)
    memory.weights = [w for w in memory.weights if now - w.device_time <= WEIGHTS_KEPT]


def trim(memory: Memory, rules: Plan) -> None:
    """Once all is judged, keep of each metric what the next pack may need, and nothing of one no rule looks back at."""
    memory.recent = {
        metric: found[-rules.remembered[metric] :]
        for metric, found in memory.recent.items()
        if metric in rules.remembered
    }


def _when(reading: Measured) -> tuple[datetime, str]:
    return reading.device_time, reading.id


def past(memory: Memory, usual: Usual) -> Past:
    """What rules that look back may look at."""
    weights = {"weight": sorted(memory.weights, key=_when)} if memory.weights else {}
    return Past(memory.recent | weights, usual)


async def fill(
    ctx: Ctx, memories: Sequence[Memory], plans: Mapping[str, Plan], new: Mapping[str, Sequence[Reading]]
) -> None:
    """Of a metric that a rule looks back at only since now, what the series holds: one query, and once a rule.

    new: the new readings; they are in the series already, and are left for `take`.
    """
    wanted = []
    for memory in memories:
        plan = plans[memory.patient]
        for metric in plan.remembered.keys() - memory.recent.keys() if plan.remembered else ():
            times = [one.device_time for one in new[memory.patient] if one.metric == metric]
            if times:
                memory.recent[metric] = []
                window = max(row.window or timedelta() for row in plan.by_metric[metric] if row.kind in LOOKING)
                since = microseconds(min(times) - window)
                wanted.append(
                    Wanted(memory.patient, BY_NAME[metric].number, since, plan.remembered[metric] + len(times))
                )
    if not wanted:
        return
    here = {memory.patient: memory.recent for memory in memories}
    known = {one.id for readings in new.values() for one in readings}
    for row in await lasts(ctx.sql, ctx.tenant, wanted, int(Flag.CLOCK | Flag.IMPLAUSIBLE)):
        one = reading_of(row)
        if one.id not in known:
            here[one.patient][one.metric].append(measured(one))


async def usual(ctx: Ctx, plans: Mapping[str, Plan], new: Mapping[str, Sequence[Reading]]) -> dict[str, Usual]:
    """The baselines that the new readings ask for, by patient, in one query; none where nobody has such a rule."""
    needy = [patient for patient, plan in plans.items() if plan.usual and _asked(plan, new[patient])]
    return {**await baselines.read(ctx.sql, ctx.tenant, needy)} if needy else {}


def _asked(plan: Plan, new: Sequence[Reading]) -> bool:
    metrics = {metric for metric, _ in plan.usual}
    return any(one.metric in metrics for one in new)


def forget(memory: Memory, reading: str) -> None:
    """A reading was taken back."""
    memory.newest = {metric: found for metric, found in memory.newest.items() if found.id != reading}
    memory.weights = [found for found in memory.weights if found.id != reading]
    memory.recent = {metric: [one for one in found if one.id != reading] for metric, found in memory.recent.items()}
