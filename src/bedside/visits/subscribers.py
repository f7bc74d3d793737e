"""Jobs of visits, and what app tells the record of them."""

from __future__ import annotations

from typing import Any

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.visits.model.governed import is_note, is_signed, is_visit
from bedside.visits.service import running


async def close_empty(ctx: Ctx, payload: dict[str, Any]) -> None:
    """An hour after the last one left."""
    async with access.work(ctx, "closed an empty visit") as inner:
        await running.close_empty(inner, payload["visit"])


JOBS = {"visits.close_empty": close_empty}

GOVERNED = (
    records.Governed("Encounter", "visits", is_visit, "Use the visit itself: join, end or cancel it."),
    records.Governed("DocumentReference", "visits", is_note, "A signed note takes amendments, in the visit."),
    records.Governed("DocumentReference", "visits", is_signed, "A signed note stays as it is: write another one."),
)
