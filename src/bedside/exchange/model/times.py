"""HL7 v2 timestamps (TS, DTM) as instants. One without an offset is of MSH-7's offset, else of the interface's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SECOND: Final = 1_000_000
_SHAPE: Final = re.compile(r"(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(?:(\d\d)(?:\.(\d{1,9}))?)?)?([+-]\d{4})?", re.ASCII)


class NoTime(ValueError):
    """The text says no instant; it says why, without the value."""


def offset(text: str) -> tzinfo | None:
    """The offset that stands at the end of a timestamp; None where none does. Raises NoTime for one that cannot be."""
    found = _SHAPE.fullmatch(text)
    return None if found is None or found[8] is None else _zone(found[8])


def instant(text: str, zone: tzinfo, received: int) -> int:
    """µs since 1970 UTC. zone: of a text without an offset. received: likewise, when it came.

    An hour that the clocks showed twice is taken as the one nearer to the receipt; one that they left out is none.
    Raises NoTime, also for a day without a time of day.
    """
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise NoTime("not a timestamp")
    if found[4] is None:
        raise NoTime("a day without a time of day")
    if found[8] is not None:
        zone = _zone(found[8])
    micro = int((found[7] or "0").ljust(6, "0")[:6])
    try:
        local = datetime(*(int(found[n] or 0) for n in range(1, 7)), micro, tzinfo=zone)  # type: ignore[arg-type, misc]
        candidates = {_since(local), _since(local.replace(fold=1))}
    except (ValueError, OverflowError):
        raise NoTime("a time that does not exist") from None
    naive = local.replace(tzinfo=None)
    real = [one for one in candidates if _back(one, zone) == naive]
    if not real:
        raise NoTime("a time that the clocks of the zone left out")
    return min(real, key=lambda one: (abs(one - received), one))


def _since(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def _back(micro: int, zone: tzinfo) -> datetime:
    return (EPOCH + timedelta(microseconds=micro)).astimezone(zone).replace(tzinfo=None)


def _zone(text: str) -> tzinfo:
    minutes = int(text[1:3]) * 60 + int(text[3:])
    if minutes >= 24 * 60 or int(text[3:]) >= 60:
        raise NoTime("an offset that does not exist")
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def zone_named(name: str) -> ZoneInfo:
    """An IANA zone. Raises ValueError."""
    try:
        return ZoneInfo(name)
    except Exception as error:  # zoneinfo raises many kinds for a name that is none
        raise ValueError("no such zone") from error
