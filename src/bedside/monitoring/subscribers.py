"""What the processes run for monitoring."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bedside import access
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.monitoring import settings
from bedside.monitoring.alarms.service.picture import DETECTED_ISSUES, GOVERNED_ALARM
from bedside.monitoring.alarms.subscribers import EVERY as ALARMS_EVERY
from bedside.monitoring.alarms.subscribers import JOBS as ALARM_JOBS
from bedside.monitoring.devices.model import ours
from bedside.monitoring.devices.service.broker import BrokerLog, CutOff, watch
from bedside.monitoring.devices.service.callout import Callout
from bedside.monitoring.ingest.model.budget import Budget
from bedside.monitoring.ingest.service.ingest import Ingest
from bedside.monitoring.retention import service as retention
from bedside.monitoring.rules.model.pregnancy import says_pregnancy
from bedside.monitoring.series.service.compaction import compact
from bedside.monitoring.series.service.provider import OBSERVATIONS
from bedside.monitoring.service import acquaint, land
from bedside.monitoring.waves.service import compaction as waves
from bedside.monitoring.waves.service.landing import WAVEFORMS
from bedside.monitoring.waves.service.landing import land as land_waves
from bedside.records import Governed, Heed, ReadProvider

READ_PROVIDERS: list[ReadProvider] = [OBSERVATIONS, DETECTED_ISSUES]
"""Handed to records.provide by app."""
GOVERNED: list[Governed] = [
    Governed(
        "Device", "monitoring", ours, "Add devices with `bedside device add`, assign them in Bedside's own pages."
    ),
    GOVERNED_ALARM,
]
"""Handed to records.govern by app."""

PROFILE, COMPACT = "monitoring.profile", "monitoring.compact"
WAVES, OLD_WAVES = "monitoring.waves", "monitoring.old_waves"
RETENTION = "monitoring.retention"
HEEDED: list[Heed] = [
    Heed("Patient", lambda patient: True, PROFILE),
    Heed("Condition", says_pregnancy, PROFILE),
]
"""Handed to records.heed by app: what the record says of a patient decides which rules may judge them."""

__all__ = ["EVERY", "GOVERNED", "HEEDED", "JOBS", "READ_PROVIDERS", "ingest"]


async def profile(ctx: Ctx, payload: dict[str, Any]) -> None:
    """The record has a new version of a patient, or of a pregnancy. Idempotent."""
    async with access.work(ctx, "took the rules' facts from the record") as work:
        await acquaint(work, str(payload["patient"]))


async def put_together(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Packs that are no news go into chunks. Idempotent."""
    await compact(ctx)


async def waves_together(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Waveforms that are no news are put together by the minute. Idempotent."""
    await waves.compact(ctx)


async def old_waves(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Waveforms older than the site keeps go, but those of a tenant with a policy of its own. Idempotent."""
    async with access.work(ctx, "looked for old waveforms", readonly=True) as work:
        own = await retention.with_waves(work)
    await waves.forget(ctx, settings.of(ctx.database).wave_days, own)


async def keep_house(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """Old readings are thinned and deleted as each tenant's policy says. Idempotent."""
    await retention.keep_house(ctx)


JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {
    **ALARM_JOBS,
    PROFILE: profile,
    COMPACT: put_together,
    WAVES: waves_together,
    OLD_WAVES: old_waves,
    RETENTION: keep_house,
}
EVERY: dict[str, timedelta] = {
    **ALARMS_EVERY,
    COMPACT: timedelta(minutes=10),
    WAVES: timedelta(minutes=2),
    OLD_WAVES: timedelta(hours=1),
    RETENTION: timedelta(hours=6),
}
"""Periodic jobs and their periods: foundation.jobs.Worker(every=...)."""


async def ingest(
    ctx: Ctx, *, seed: bytes, system: Bus | None, stop: asyncio.Event, broker_log: Path | None = None
) -> None:
    """The ingest process: answer for devices at NATS's door, land what they send, until stop.

    ctx: the process's own (actor kind job), outside a transaction, on a connected bus. seed: the account's nkey seed
    that signs the answers. system: a link to NATS's system account, which tells why it cut devices off, and does it.
    broker_log: the embedded server's log, which tells what it dropped of them.
    """
    callout = Callout(ctx, seed)
    chosen = settings.of(ctx.database)
    budget = Budget(chosen.messages)
    wire = Ingest(ctx, land, budget, copies=chosen.copies)
    waveforms = Ingest(ctx, land_waves, budget, WAVEFORMS, copies=chosen.copies)
    await callout.start()
    beside: list[asyncio.Task[None]] = []
    try:
        await wire.start()
        await waveforms.start()
        if broker_log is not None:
            beside.append(asyncio.create_task(BrokerLog(ctx, broker_log).follow(stop)))
        if system is not None:
            await watch(ctx, system)
            beside.append(asyncio.create_task(CutOff(ctx, system).run(stop)))
        beside.append(asyncio.create_task(waveforms.run(stop)))
        await wire.run(stop)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await callout.stop()
