"""What a datetime-local field says."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bedside.foundation.errors import Invalid
from bedside.web.kit.places import N_


def moment(text: str, zone: ZoneInfo, where: str) -> datetime | None:
    """What a datetime-local field holds, as an instant of the reader's zone; None when empty. Raises Invalid."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Invalid(N_("That is no date and time."), where=where) from None
