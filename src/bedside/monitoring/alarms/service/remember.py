"""What the judge keeps of a patient from pack to pack: the newest values, and the last ones of a few metrics."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.store import baselines
from bedside.monitoring.alarms.store.watch import Memory
from bedside.monitoring.rules.model.limits import Plan
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.past import Baseline, Past

WEIGHTS_KEPT: Final = timedelta(days=7)
Usual = Mapping[tuple[str, int], Baseline]


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


class Named(Protocol):
    """A reading, as far as its metric goes."""

    @property
    def metric(self) -> str: ...


async def usual(ctx: Ctx, plans: Mapping[str, Plan], new: Mapping[str, Sequence[Named]]) -> dict[str, Usual]:
    """The baselines that the new readings ask for, by patient, in one query; none where nobody has such a rule."""
    needy = [patient for patient, plan in plans.items() if plan.usual and _asked(plan, new[patient])]
    return {**await baselines.read(ctx.sql, ctx.tenant, needy)} if needy else {}


def _asked(plan: Plan, new: Sequence[Named]) -> bool:
    metrics = {metric for metric, _ in plan.usual}
    return any(one.metric in metrics for one in new)


def forget(memory: Memory, reading: str) -> None:
    """A reading was taken back."""
    memory.newest = {metric: found for metric, found in memory.newest.items() if found.id != reading}
    memory.weights = [found for found in memory.weights if found.id != reading]
    memory.recent = {metric: [one for one in found if one.id != reading] for metric, found in memory.recent.items()}
