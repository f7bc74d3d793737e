"""FHIR date, dateTime, instant and time: their shape, the real calendar, and the span of time each one means.

Shapes: hl7.org/fhir/R4/datatypes.html. A value of lower precision means a whole span: `2020-02` is all of February.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?", re.ASCII)
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
_ZONE = r"(Z|[+-]((0\d|1[0-3]):[0-5]\d|14:00))"
_INSTANT = re.compile(rf"\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T{_CLOCK}{_ZONE}", re.ASCII)
_TIME = re.compile(_CLOCK, re.ASCII)
# In a search minutes are enough and the zone may be left out (hl7.org/fhir/R4/search.html#date).
_SOUGHT = re.compile(
    rf"(\d{{4}}-\d\d-\d\dT)(([01]\d|2[0-3]):[0-5]\d)(:([0-5]\d|60)(\.\d+)?)?{_ZONE}?",
    re.ASCII,
)

EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


class Span(NamedTuple):
    """A half-open span of time [low, high), both in UTC."""

    low: datetime
    high: datetime


def is_date(text: str) -> bool:
    """Whether text is a FHIR date that exists in the calendar."""
    return _DATE.fullmatch(text) is not None and _real_day(text)


def is_instant(text: str) -> bool:
    """Whether text is a FHIR instant (to the second, with zone) on a day that exists."""
    return _INSTANT.fullmatch(text) is not None and _real_day(text[:10])


def is_datetime(text: str) -> bool:
    """Whether text is a FHIR dateTime: a date, or a full instant."""
    return is_date(text) if len(text) <= 10 else is_instant(text)


def is_time(text: str) -> bool:
    """Whether text is a FHIR time of day."""
    return _TIME.fullmatch(text) is not None


def span(text: str, zone: tzinfo = UTC) -> Span:
    """The span of time that a date, dateTime or instant means; zone applies where the text names none.

    Minutes without seconds are taken too, as in searches. Raises ValueError for a wrong shape or an impossible day.
    """
    if len(text) <= 10:
        return _date_span(text, zone)
    match = _SOUGHT.fullmatch(text)
    if match is None:
        raise ValueError("not a FHIR date, dateTime or instant")
    day, clock, _, seconds, second, fraction, offset, *_ = match.groups()
    if offset and seconds and second != "60" and not fraction:
        low = datetime.fromisoformat(text)  # the everyday form, quickly
        step = _SECOND
    else:
        low = datetime.fromisoformat(f"{day}{clock}:00{offset or ''}")
        low += timedelta(seconds=int(second or 0))  # a leap second is the first of the next minute
        step = _MINUTE if seconds is None else _SECOND
        if fraction:
            digits = len(fraction) - 1
            low += timedelta(microseconds=int(fraction[1:7].ljust(6, "0")))
            step = timedelta(microseconds=10 ** max(0, 6 - digits))
    low = _utc(low, zone)
    return Span(low, _after(low, step))


_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


def _date_span(text: str, zone: tzinfo) -> Span:
    if _DATE.fullmatch(text) is None:
        raise ValueError("not a FHIR date, dateTime or instant")
    year = int(text[:4])
    if len(text) == 10:
        low = datetime(year, int(text[5:7]), int(text[8:10]), tzinfo=zone)
        return Span(_utc(low, zone), LATEST if low.date() == LATEST.date() else _utc(low + _DAY, zone))
    month = int(text[5:7]) if len(text) == 7 else None
    low = datetime(year, month or 1, 1, tzinfo=zone)
    if month is not None and month < 12:
        high = low.replace(month=month + 1)
    elif year == 9999:
        return Span(_utc(low, zone), LATEST)
    else:
        high = low.replace(year=year + 1, month=1)
    return Span(_utc(low, zone), _utc(high, zone))


def _real_day(text: str) -> bool:
    if len(text) == 10:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return False
        return True
    return not text.startswith("0000")


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first and last hours that Python can tell, in a far zone
        return EARLIEST if moment.year == 1 else LATEST


def _after(moment: datetime, step: timedelta) -> datetime:
    try:
        return moment + step
    except OverflowError:
        return LATEST
