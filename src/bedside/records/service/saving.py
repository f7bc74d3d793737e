"""The record into a folder, as `bedside import` reads it: NDJSON by type, mode 0600."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.records.model.bulk import Place, Wish
from bedside.records.service import exporting
from bedside.records.service.export_job import Files


async def save(ctx: Ctx, folder: Path, wish: Wish, tell: Callable[[int, int], None]) -> Counter[str]:
    """Write what stands now into files of an empty or new folder; how many of each type. ctx: without a transaction.

    tell: given the resources done since the last time, and how many there are, nearly. Raises Conflict for a folder
    that holds something: two exports in one would be one wrong import.
    """
    _empty(folder)
    at, counts = ctx.clock.now(), Counter[str]()
    async with access.work(ctx, "asked for an export") as inner:
        wish = await exporting.settled(inner, wish)
        total = await exporting.total(inner, wish, at) if wish.types else 0
    files = Files(folder, [])
    place: Place | None = Place() if wish.types else None
    try:
        while place is not None:
            async with access.work(ctx, "exported in bulk") as inner:
                step = await exporting.step(inner, wish, at, place)
                await files.write(inner, step.lines)
                await files.secure()
                files.changed()
            counts.update(line.type for line in step.lines if line.part == "output")
            tell(len(step.lines), total)
            place = step.next
    finally:
        files.close()
    return counts


def _empty(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Conflict("%(folder)s is not empty.", remedy="Name an empty or new folder.", folder=str(folder))
