"""Jobs of visits."""

from __future__ import annotations

from typing import Any

from bedside.foundation.context import Ctx
from bedside.visits.service import running


async def close_empty(ctx: Ctx, payload: dict[str, Any]) -> None:
    """An hour after the last one left."""
    await running.close_empty(ctx, payload["visit"])


JOBS = {"visits.close_empty": close_empty}
