"""What another room's interface measured: looked up, and taken back, by device and moment instead of by FHIR id."""

from __future__ import annotations

from collections.abc import Sequence

from bedside.foundation.context import Ctx
from bedside.monitoring.devices.service import devices
from bedside.monitoring.ingest.model.measured import Measured
from bedside.monitoring.ingest.model.metrics import BY_NAME, METRICS
from bedside.monitoring.series.model.identity import Identity
from bedside.monitoring.series.store import readings as stored


async def held(ctx: Ctx, device: str, metrics: Sequence[str], time: int) -> list[Measured]:
    """What stands of that device at that µs, in charted units; what was withdrawn does not stand."""
    found = (await devices.hold(ctx, {device})).get(device)
    if found is None:
        return []
    numbers = [BY_NAME[metric].number for metric in metrics]
    many = len(numbers)
    rows = await stored.by_identity(ctx.sql, ctx.tenant, [found.number] * many, numbers, [time] * many)
    standing = [row for row in rows if row["withdrawn_at"] is None]
    return [
        Measured(METRICS[row["number"]].name, row["raw"], METRICS[row["number"]].unit, row["time"]) for row in standing
    ]


async def reading_id(ctx: Ctx, device: str, metric: str, time: int) -> str | None:
    """The FHIR id under which a reading of that device is shown; None where there is no such device."""
    found = (await devices.hold(ctx, {device})).get(device)
    return None if found is None else Identity(found.number, BY_NAME[metric].number, time).id
