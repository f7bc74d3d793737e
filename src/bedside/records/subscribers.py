"""What the record runs beside requests: Bulk Data's work, tidying what has expired, the index after an upgrade."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bedside.foundation.context import Ctx
from bedside.foundation.settings import Ground
from bedside.records.service import bulk, contents, reindexing, shelf
from bedside.records.service.export_job import export
from bedside.records.service.import_job import import_

JOBS: dict[str, Callable[[Ctx, dict[str, Any]], Awaitable[None]]] = {
    bulk.EXPORT: export,
    bulk.IMPORT: import_,
    "records.bulk_tidy": bulk.tidy,
    "records.sweep_contents": contents.sweep,
    "records.reindex": reindexing.catch_up,
}
EVERY: dict[str, timedelta] = {
    "records.bulk_tidy": timedelta(minutes=15),
    "records.sweep_contents": timedelta(hours=1),
    "records.reindex": timedelta(hours=1),  # at a worker's start, which is when an upgrade has left work
}


def settle(ground: Ground) -> None:
    """Files of Bulk Data stand under this home."""
    shelf.use(ground.database, ground.settings.home)
