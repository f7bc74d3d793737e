"""What a datetime-local field says."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bedside.foundation.errors import Invalid
from bedside.web.kit.places import N_

SLIP = timedelta(minutes=5)
"""A form's clock shows whole minutes, and may run ahead of ours."""


def moment(text: str, zone: ZoneInfo, where: str) -> datetime | None:
    """What a datetime-local field holds, as an instant of the reader's zone; None when empty. Raises Invalid."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Invalid(N_("That is no date and time."), where=where) from None


def begun(text: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When somebody began to hold a device; None when empty. Raises Invalid, also for a time to come: who holds it
    now must go on being missed when it falls silent, until it is really handed over."""
    found = moment(text, zone, "since")
    if found is not None and found > now + SLIP:
        raise Invalid(
            N_("That time is still to come."), where="since", remedy=N_("Give the device when you hand it over.")
        )
    return found
