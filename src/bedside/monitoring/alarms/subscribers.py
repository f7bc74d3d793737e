"""Jobs of alarms: a timer's wake-up, the sweep that finds whatever no wake-up came for, patients' usual values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.service import baselines, clockwork

TIMER, SWEEP, USUAL = "monitoring.timer", "monitoring.sweep", "monitoring.usual"


async def timer(ctx: Ctx, payload: dict[str, Any]) -> None:
    """Ring one timer. Idempotent: a timer that has rung, or was stopped, does nothing."""
    async with access.work(ctx, "watched over an alarm") as work:
        await clockwork.ring(work, str(payload["timer"]))


async def sweep(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Ring every overdue timer, each in a transaction of its own: at start, and ever after."""
    async with access.work(ctx, "looked for overdue timers") as work:
        found = await clockwork.overdue(work)
    for one in found:
        await timer(ctx.with_(tenant=one.tenant), {"timer": one.id})


async def usual(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Patients' usual values of today. Idempotent."""
    await baselines.renew(ctx)


JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {TIMER: timer, SWEEP: sweep, USUAL: usual}
EVERY: dict[str, timedelta] = {SWEEP: timedelta(seconds=5), USUAL: timedelta(minutes=5)}
"""Periodic jobs and their periods: foundation.jobs.Worker(every=...)."""
