"""Patients' usual values, once a day (UTC) for those who have a rule that compares with them.

Not in the judge: two weeks of a monitor are a million readings, and a landing that opens them keeps others waiting.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.store import baselines as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.rules.model import limits, past
from bedside.monitoring.series.store import daily

DOUBTFUL: Final = Flag.CLOCK | Flag.IMPLAUSIBLE
"""What counts for nobody's usual value."""
AT_ONCE: Final = 200
"""Patients looked at in one transaction."""


async def renew(ctx: Ctx) -> int:
    """Reckon those that are not of today. Idempotent, and may end anywhere. Returns how many were reckoned."""
    async with access.work(ctx, "looked for patients' usual values to renew", readonly=True) as work:
        needy = await store.needy(work.sql)
    reckoned = 0
    for tenant in dict.fromkeys(tenant for tenant, _ in needy):
        patients = [patient for one, patient in needy if one == tenant]
        for first in range(0, len(patients), AT_ONCE):
            async with access.work(ctx.with_(tenant=tenant), "renewed patients' usual values") as work:
                reckoned += await _renew(work, patients[first : first + AT_ONCE])
    return reckoned


async def _renew(ctx: Ctx, patients: list[str]) -> int:
    today = ctx.clock.now().astimezone(UTC).date()
    held = await store.read(ctx.sql, ctx.tenant, patients)
    reckoned = 0
    for memory in await watch.read(ctx.sql, ctx.tenant, patients):
        there = held.get(memory.patient, {})
        for metric, span in sorted(limits.plan(memory.profile, memory.own, today).usual):
            known = there.get((metric, span))
            if known is None or known.as_of != today:
                await _one(ctx, memory.patient, metric, span, today)
                reckoned += 1
                ctx.trail.patients.setdefault(memory.patient, set()).add("R")
    return reckoned


async def _one(ctx: Ctx, patient: str, metric: str, span: int, today: date) -> None:
    until = datetime.combine(today, time(), UTC)
    days = await daily.medians(
        *(ctx.sql, ctx.tenant, patient, BY_NAME[metric].number),
        *(microseconds(until - timedelta(days=span)), microseconds(until), int(DOUBTFUL)),
    )
    await store.put(ctx.sql, ctx.tenant, patient, past.baseline_of(metric, span, today, days))
