"""Which sets may go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bedside.foundation.backup.manifest import Set


def outlived(sets: Sequence[Set], now: datetime, keep: timedelta) -> list[Set]:
    """Those of one line that nobody needs any more, oldest first.

    Every moment within `keep` must stay restorable: by a set that was ready by then, and by all that it was made after.
    The newest set and its chain never go, however old; nor does a set of the future (a clock that was wrong).
    """
    ordered = sorted(sets, key=lambda one: one.began)
    if not ordered:
        return []
    oldest = now - keep
    ready = [one for one in ordered if one.ended <= oldest]
    # From this one on each is needed: it answers for the oldest moment that is kept.
    needed = set(range(ordered.index(ready[-1]) if ready else 0, len(ordered)))
    place = {one.id: n for n, one in enumerate(ordered)}
    for n in sorted(needed, reverse=True):
        at: int | None = n
        while at is not None and ordered[at].parent:
            at = place.get(ordered[at].parent)
            if at is not None:
                needed.add(at)
    return [one for n, one in enumerate(ordered) if n not in needed]
