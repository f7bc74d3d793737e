"""The keys of messages are not kept for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from bedside.exchange import store
from bedside.foundation.context import Ctx

REMEMBERED: Final = timedelta(days=90)
"""For how long a message's key is kept: what is sent again later is held once by its readings' identity alone."""


async def forget_messages(ctx: Ctx) -> int:
    """Drop the keys of messages that nobody sends again; how many."""
    return await store.forget(ctx.sql, ctx.clock.now() - REMEMBERED)
