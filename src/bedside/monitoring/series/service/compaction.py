"""Packs are put into chunks once they are no news: the same readings, in a fifth of the room.

A device's head is locked meanwhile, as landing locks it, so nothing of it lands between looking and writing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.devices.service import devices
from bedside.monitoring.series.model.chunk import Kept, merge
from bedside.monitoring.series.store import chunks, packs

AFTER: Final = timedelta(hours=1)
"""From its receipt until a pack goes into chunks."""
RELATIVE_AFTER: Final = timedelta(days=7)
"""The same where times were relative: only seq and digest tell a repeat of such a pack, and they stay in its row."""
AT_ONCE: Final = 100
"""Packs in one transaction, at most: their device lands nothing meanwhile."""
DEVICES: Final = 500


async def compact(ctx: Ctx, after: timedelta = AFTER) -> int:
    """Put every pack that is old enough into chunks, device by device. Idempotent, and may end anywhere.

    Returns how many readings went.
    """
    now = ctx.clock.now()
    before, relative_before = now - after, now - RELATIVE_AFTER
    total = 0
    while True:
        async with access.work(ctx, "looked for packs to put together", readonly=True) as work:
            waiting = await packs.old(work.sql, before, relative_before, DEVICES)
        if not waiting:
            return total
        for tenant, device in waiting:
            while went := await _device(ctx.with_(tenant=tenant), device, before, relative_before):
                total += went


async def _device(ctx: Ctx, name: str, before: datetime, relative_before: datetime) -> int:
    async with access.work(ctx, "put packs together") as work:
        held = (await devices.hold(work, {name}))[name]
        by_metric: dict[int, list[Kept]] = {}
        for row in await packs.take(work.sql, held.number, before, relative_before, AT_ONCE):
            _sort(row, by_metric)
        for metric, kept in by_metric.items():
            first, last = min(kept).time, max(kept).time
            around = await chunks.around(work.sql, held.number, metric, first, last)
            await chunks.replace(work.sql, held.tenant, held.number, metric, *merge(around, kept))
    return sum(map(len, by_metric.values()))


def _sort(row: dict[str, Any], by_metric: dict[int, list[Kept]]) -> None:
    received, nothing = devices.microseconds(row["received_at"]), [None] * len(row["time"])
    columns = (row[name] for name in ("metric", "time", "value", "flags"))
    sent = (row["sent_value"] or nothing, row["sent_unit"] or nothing)
    for metric, time, value, flags, sent_value, sent_unit in zip(*columns, *sent, strict=True):
        kept = Kept(time, value, received, row["patient"], flags, sent_value, sent_unit)
        by_metric.setdefault(metric, []).append(kept)
