"""Long computations beside the event loop, so that a process goes on answering others meanwhile.

One thread for all of them: several that compute at once would not be done sooner, and would leave the loop a smaller
share each. What must stay in the loop, since it speaks with the database in between, lets others in by `breath`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="aside")
_SLICE = 50


async def aside(work: Callable[[], T]) -> T:
    """What work returns or raises; it must be pure, and begins when those before it have ended."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, work)


async def breath(n: int) -> None:
    """Called for the n-th of many pieces of a tenth of a millisecond: every so often others are let in."""
    if n % _SLICE == _SLICE - 1:
        await asyncio.sleep(0)
