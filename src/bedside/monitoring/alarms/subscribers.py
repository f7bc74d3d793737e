"""Jobs of alarms: a timer's wake-up, and the sweep that finds whatever no wake-up came for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.service import clockwork

TIMER, SWEEP = "monitoring.timer", "monitoring.sweep"


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


JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {TIMER: timer, SWEEP: sweep}
EVERY: dict[str, timedelta] = {SWEEP: timedelta(seconds=5)}
"""Periodic jobs and their periods: foundation.jobs.Worker(every=...)."""
