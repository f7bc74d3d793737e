"""Pieces are put together by the minute once they are no news; what is older than is kept goes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from bedside import access
from bedside.foundation.aside import aside
from bedside.foundation.context import Ctx
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.waves import store
from bedside.monitoring.waves.model.message import Piece
from bedside.monitoring.waves.model.packed import minutes

AFTER: Final = timedelta(minutes=3)
"""From its receipt until a piece goes into a minute's row."""
AT_ONCE: Final = 4000
"""Pieces of one lead in one transaction."""
LOOKED_AT: Final = 20_000


async def compact(ctx: Ctx, after: timedelta = AFTER) -> int:
    """Put every piece that is old enough into rows of minutes. Idempotent, may end anywhere; returns how many went."""
    before, total = ctx.clock.now() - after, 0
    while True:
        async with access.work(ctx, "looked for waveforms to put together", readonly=True) as work:
            waiting = await store.waiting(work.sql, before, LOOKED_AT)
        went = 0
        for tenant, device, lead in waiting:
            went += await _lead(ctx.with_(tenant=tenant), device, lead, before)
        total += went
        if not went:
            return total


async def _lead(ctx: Ctx, device: int, lead: int, before: datetime) -> int:
    async with access.work(ctx, "put waveforms together") as work:
        taken = await store.take(work.sql, device, lead, before, AT_ONCE)
        # What came again after it had gone into a row is dropped here: it was acknowledged, and is held.
        known = await store.held(work.sql, [(device, lead, piece.time) for _, piece in taken])
        by_patient: dict[str, list[Piece]] = {}
        for patient, piece in taken:
            if (device, lead, piece.time) not in known:
                by_patient.setdefault(patient, []).append(piece)
        for patient, pieces in by_patient.items():
            made = await aside(lambda pieces=pieces: minutes(pieces))  # type: ignore[misc]  # mypy: default of a lambda
            await store.keep(work.sql, work.tenant, device, patient, made)
    return len(taken)


async def forget(ctx: Ctx, days: int, but: Collection[int] = ()) -> int:
    """Remove what is older than `days`: waveforms are kept for looking back, the record keeps what was concluded.

    but: tenants with a policy of their own.
    """
    async with access.work(ctx, "removed old waveforms") as work:
        return await store.forget(work.sql, microseconds(ctx.clock.now() - timedelta(days=days)), but)
