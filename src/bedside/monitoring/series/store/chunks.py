"""SQL of chunks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.series.model.chunk import Chunk, Kept
from bedside.monitoring.series.model.reading import EPOCH

BLOCK = 100
"""Readings whose lowest and highest stand in the chunk's row."""
COLUMNS = (
    *("tenant", "device", "metric", "patient", "t_min", "t_max", "received_at", "n", "low", "high"),
    *("block_span", "block_begin", "block_end", "block_low", "block_high"),
    *("place", "value", "received", "flags", "sent_value", "sent_unit"),
)


async def around(sql: Connection, device: int, metric: int, first: int, last: int) -> list[Chunk]:
    """The chunks of a device and metric that overlap a span, and the last that begins before it, in order."""
    rows = await sql.fetch(
        """select patient, t_min, received_at, place, value, received, flags, sent_value, sent_unit
           from monitoring.chunk where device = $1 and metric = $2 and t_min <= $4
             and t_min >= coalesce((select max(t_min) from monitoring.chunk
                                    where device = $1 and metric = $2 and t_min <= $3), $3)
           order by t_min""",
        *(device, metric, first, last),
    )
    return [Chunk(list(_kept(row))) for row in rows]


def _kept(row: Any) -> Iterable[Kept]:
    size = len(row["place"])
    base, received_at = row["t_min"], (row["received_at"] - EPOCH) // timedelta(microseconds=1)
    nothing = [None] * size
    return map(
        Kept,
        [base + place for place in row["place"]],
        row["value"],
        [received_at + later for later in row["received"]],
        [row["patient"]] * size,
        row["flags"] or [0] * size,
        row["sent_value"] or nothing,
        row["sent_unit"] or nothing,
    )


async def replace(
    sql: Connection, tenant: int, device: int, metric: int, gone: Sequence[int], made: Sequence[Chunk]
) -> None:
    """Put chunks in the place of others (their t_min)."""
    if gone:
        await sql.execute(
            "delete from monitoring.chunk where device = $1 and metric = $2 and t_min = any($3)", device, metric, gone
        )
    await sql.copy_records_to_table(
        "chunk",
        schema_name="monitoring",
        columns=COLUMNS,
        records=[_row(tenant, device, metric, chunk) for chunk in made],
    )


def _row(tenant: int, device: int, metric: int, chunk: Chunk) -> tuple[object, ...]:
    times, values, received, patients, flags, sent_values, sent_units = map(list, zip(*chunk.kept, strict=True))
    first, arrived = chunk.t_min, min(received)
    places = [time - first for time in times]
    blocks = [(n, min(n + BLOCK, len(times))) for n in range(0, len(times), BLOCK)]
    return (
        *(tenant, device, metric, patients[0], first, chunk.t_max),
        *(EPOCH + timedelta(microseconds=arrived), len(times), min(values), max(values)),
        max(places[end - 1] - places[n] for n, end in blocks),
        *([places[n] for n, _ in blocks], [places[end - 1] for _, end in blocks]),
        *([min(values[n:end]) for n, end in blocks], [max(values[n:end]) for n, end in blocks]),
        *(places, values, [one - arrived for one in received]),
        flags if any(flags) else None,
        *((sent_values, sent_units) if any(unit is not None for unit in sent_units) else (None, None)),
    )
