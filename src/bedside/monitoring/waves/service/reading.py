"""Reading waveforms back by range."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bedside import access
from bedside.foundation.aside import aside
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring.devices.service.devices import microseconds, moment_of
from bedside.monitoring.waves import store
from bedside.monitoring.waves.model.leads import BY_NAME
from bedside.monitoring.waves.model.message import Piece
from bedside.monitoring.waves.model.packed import Minute
from bedside.monitoring.waves.model.strip import Strip, Track, tracks

LONGEST: Final = timedelta(hours=1)
"""Read back at once."""
MOST_SAMPLES: Final = 12_000_000
"""The same: an hour of six leads at 500 Hz."""


async def waves(ctx: Ctx, patient: str, since: datetime, until: datetime, leads: Sequence[str] | None = None) -> Strip:
    """A patient's waveforms from `since` until just before `until`, by device time. Raises Invalid, Forbidden."""
    await access.authorise(ctx, patient, "R", what="Observation")
    if not timedelta(0) < until - since <= LONGEST:
        raise Invalid("Waveforms are read back for at most an hour at once.", where="until")
    if leads is not None and not all(name in BY_NAME for name in leads):
        raise Invalid("That lead is not known.", where="lead")
    first, last = microseconds(since), microseconds(until)
    asked = None if leads is None else [BY_NAME[name].number for name in leads]
    fresh, rows = await store.span(ctx.sql, ctx.tenant, patient, first, last, asked)
    count = sum(len(piece.samples) // 2 for _, piece in fresh) + sum(sum(row.n) for _, row in rows)
    if count > MOST_SAMPLES:
        raise Invalid("That is too much at once.", where="until", remedy="Ask for a shorter time, or for fewer leads.")
    names = await store.names(ctx.sql, sorted({device for device, _ in [*fresh, *rows]}))
    found = await aside(lambda: _laid(fresh, rows, names, first, last))
    return Strip(patient, since, until, found)


def _laid(
    fresh: Sequence[tuple[int, Piece]],
    rows: Sequence[tuple[int, Minute]],
    names: dict[int, str],
    first: int,
    last: int,
) -> list[Track]:
    by_device: dict[int, dict[tuple[int, int], Piece]] = {}
    # A piece that came again while its first copy went into a row stands in both for a while: the row's is taken.
    for device, piece in fresh:
        by_device.setdefault(device, {})[piece.lead, piece.time] = piece
    for device, row in rows:
        for piece in row.pieces():
            by_device.setdefault(device, {})[piece.lead, piece.time] = piece
    found = []
    for device, pieces in sorted(by_device.items()):
        within = [piece for piece in pieces.values() if piece.time < last and piece.end > first]
        found += tracks(names[device], within, first, last)
    return found


async def until_when(ctx: Ctx, patient: str) -> datetime | None:
    """Until when there are waveforms of the patient; None: there never were, or they are older than is kept."""
    await access.authorise(ctx, patient, "R", what="Observation")
    newest = await store.newest(ctx.sql, ctx.tenant, patient)
    return None if newest is None else moment_of(newest)
