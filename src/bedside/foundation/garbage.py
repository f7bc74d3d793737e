"""Python's collector of garbage, set for processes that live long."""

from __future__ import annotations

import gc


def settle() -> None:
    """What stands now stands for good: the collector looks at what comes later, and not so often.

    Requests and packs make and drop hundreds of small containers each: a look at the young ones after every 700 that
    are left, as is usual, costs a request as much as its round trip to the database.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
