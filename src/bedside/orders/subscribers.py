"""Jobs of orders, and what app tells the record that they heed."""

from __future__ import annotations

from typing import Any

from bedside import records
from bedside.foundation.context import Ctx
from bedside.orders.model import in_question
from bedside.orders.service import arriving


async def result_came(ctx: Ctx, payload: dict[str, Any]) -> None:
    """Versions of results were written."""
    await arriving.take_in(ctx, payload["references"])


JOBS = {"orders.result_came": result_came}

HEEDED = tuple(
    records.Heed(type_, in_question, "orders.result_came", each=True) for type_ in ("DiagnosticReport", "Observation")
)
