"""How the readings of a test stand while it looks at them: as they landed, or put into chunks after every pack."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bedside.foundation.context import Ctx
from bedside.monitoring.series.service.compaction import compact

AT_ONCE: Final = timedelta(days=-400)
"""A pack goes into chunks at once, whatever its receipt."""


class Keeping:
    """chunks: whether they are put into chunks."""

    chunks = False


async def settle(ctx: Ctx) -> None:
    """After packs have landed."""
    if Keeping.chunks:
        await compact(ctx, AT_ONCE)
