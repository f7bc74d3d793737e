"""Which notices ask their reader for an act, within which time, and how it is known that they were opened. Pure.

Not here: what an alarm's ladder, a wall or somebody in the visit waits for anyway (monitoring.waiting, visits.link),
and codes for signing in, which whoever asked for them is looking at. The times are site choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Asks:
    """within: after it was sent; urgent: the same of an urgent one. sign_in: whoever signed in since has seen it; else
    the room that asked says when its page was opened (`messaging.opened`)."""

    within: timedelta
    urgent: timedelta
    sign_in: bool = True


DAY = timedelta(days=1)
ASKS = {
    "access.invitation": Asks(5 * DAY, 5 * DAY),
    "access.licence-ends": Asks(7 * DAY, 7 * DAY),
    "monitoring.read": Asks(DAY, timedelta(minutes=30), sign_in=False),
    "monitoring.check-device": Asks(DAY, DAY, sign_in=False),
    "prescribing.refused": Asks(DAY, DAY),
    "prescribing.handed": Asks(DAY, DAY),
    "orders.handed": Asks(DAY, DAY),
    "visits.handed": Asks(timedelta(hours=1), timedelta(hours=1)),
}


def until(template: str, sent: datetime, *, urgent: bool) -> datetime | None:
    """Until when one that was sent then is to be opened; None: it asks for nothing."""
    asks = ASKS.get(template)
    return sent + (asks.urgent if urgent else asks.within) if asks else None
