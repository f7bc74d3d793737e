"""What every door asks of one reading, in whatever format: a unit that is known, a value that can be, a time."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import orjson

from bedside.monitoring.ingest.model.metrics import DIASTOLIC, SYSTOLIC, UNITS, Metric
from bedside.monitoring.ingest.model.pack import (
    AHEAD_TOLERANCE,
    HORIZON,
    MILLENNIUM,
    MOST_READINGS,
    MOST_RECORDS,
    SECOND,
    Flag,
    Pack,
    Refusal,
)

INSTRUMENT_SPECIALS: Final = frozenset(
    # IEEE 11073 SFLOAT and FLOAT words for NaN, NRes, ±INF and reserved, which careless gateways pass on as numbers
    {2045.0, 2046.0, 2047.0, -2046.0, -2047.0, -2048.0, 8388607.0, 8388606.0, 8388605.0, -8388608.0, -8388606.0}
)
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)")
"""A time of day with its zone: RFC 3339, and FHIR's dateTime where it is that exact."""
LONGEST_SPAN: Final = 3600 * SECOND
"""µs: what was measured over a longer span is a statistic, and no reading of its end (site choice)."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NotAPack(ValueError):
    """The message as a whole cannot be read; the text says why, without its content."""


class Refused(Exception):
    """One reading, or one record of several, is refused; the text is the reason, without values."""


class Taken(NamedTuple):
    """A reading that can be stored. time: device time, µs since 1970. value: in the metric's charted unit.
    sent: value and unit as sent, where they were others."""

    metric: Metric
    time: int
    value: float
    sent: tuple[float, str] | None


@dataclass(slots=True)
class Told:
    """What a message of records told, each record taken whole or refused whole. records: how many there were.

    places: for each reading of the pack the index of the record that told it. patients: index to the patient whose a
    record says it is, where it says so.
    """

    pack: Pack
    places: list[int] = field(default_factory=list)
    patients: dict[int, str] = field(default_factory=dict)
    records: int = 1
    several: bool = False
    """Whether it came as several records, not as one alone."""


def number(value: Any, what: str) -> float:
    """A JSON or CBOR number as a float; inf where it is too large for one. Raises Refused."""
    if type(value) not in {int, float, Decimal}:
        raise Refused(f"{what} is not a number")
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf


def charted(metric: Metric, sent: float, unit: Any) -> tuple[float, tuple[float, str] | None]:
    """A value in its metric's charted unit, and as it was sent where that was another. Raises Refused."""
    if not math.isfinite(sent):
        raise Refused("the value is not a number")
    if unit is None:
        raise Refused(f"the unit is missing, {metric.unit} for example")
    scale = UNITS[metric.number].get(unit) if type(unit) is str else None
    if scale is None:
        raise Refused(f"wrong unit: {', '.join(UNITS[metric.number])} are taken")
    factor, offset = scale
    # Where the number is a plausible measurement it is one: two seconds between two beats are 2047 ms.
    least, most = metric.plausible
    if sent in INSTRUMENT_SPECIALS and factor == 1 and not least <= sent <= most:
        raise Refused("a special value of the instrument, no measurement")
    value = sent
    if factor != 1 or offset != 0:
        value = round(sent * factor + offset, metric.decimals)
    low, high = metric.possible
    if not low <= value <= high:
        raise Refused("an impossible value")
    return value, ((sent, unit) if unit != metric.unit else None)


def timely(moment: int, received: int) -> int:
    """A device time that can be one. Raises Refused."""
    if moment < MILLENNIUM:
        raise Refused("the time is before the year 2000")
    if moment > received + HORIZON * SECOND:
        raise Refused("the time is more than 48 h ahead of now")
    return moment


def instant(text: Any, what: str) -> int:
    """µs since 1970 of a time of day with its zone. Raises Refused."""
    if type(text) is not str or MOMENT.fullmatch(text) is None:
        raise Refused(f"{what} is not a date and time with a zone")
    try:
        return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise Refused(f"{what} is not a date and time with a zone") from None


def end_of(start: int, end: int) -> int:
    """The device time of what was measured over a span: its end, when the value was known. Raises Refused."""
    if end < start:
        raise Refused("the time ends before it begins")
    if end - start > LONGEST_SPAN:
        raise Refused("a value over more than an hour is a statistic, no reading")
    return end


def add(pack: Pack, one: Taken) -> None:
    """Put a reading into the pack, with what is to be known of it."""
    flags = 0
    low, high = one.metric.plausible
    if not low <= one.value <= high:
        flags |= Flag.IMPLAUSIBLE
    age = pack.received - one.time
    if age > one.metric.live * SECOND:
        flags |= Flag.LATE
    elif age < -AHEAD_TOLERANCE * SECOND:
        flags |= Flag.CLOCK
    if one.sent is not None:
        flags |= Flag.CONVERTED
        pack.sent[len(pack.value)] = one.sent
    pack.metric.append(one.metric.number)
    pack.time.append(one.time)
    pack.value.append(one.value)
    pack.flags.append(flags)


def empty(payload: bytes, received: int) -> Pack:
    """A pack with nothing in it yet."""
    return Pack(received=received, digest=hashlib.blake2b(payload, digest_size=16).digest())


def json_of(payload: bytes) -> Any:
    """JSON in which NaN and Infinity, which are none, are read too: the rest of such a message is good, and its place
    can be named. Raises NotAPack."""
    try:
        try:
            return orjson.loads(payload)
        except orjson.JSONDecodeError:
            return json.loads(payload)
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotAPack("this is not JSON") from error


def few(records: list[Any]) -> list[Any]:
    """The records, if they are no more than a message may have. Raises NotAPack."""
    if len(records) > MOST_RECORDS:
        raise NotAPack(f"more than {MOST_RECORDS} records")
    return records


def add_whole(pack: Pack, places: list[int], index: int, readings: Iterable[Taken]) -> None:
    """Put what one record measured into the pack, all of it or nothing. Raises Refused."""
    all_ = list(readings)
    pressures = {one.metric.number: one.value for one in all_}
    if pressures.get(DIASTOLIC, -math.inf) >= pressures.get(SYSTOLIC, math.inf):
        raise Refused("diastolic is not below systolic")
    if len({(one.metric.number, one.time) for one in all_}) < len(all_):
        raise Refused("it tells one metric twice")
    if len(places) + len(all_) > MOST_READINGS:
        raise Refused(f"a pack holds at most {MOST_READINGS} readings")
    for one in all_:
        add(pack, one)
        places.append(index)


def refuse_impossible_pairs(pack: Pack, places: list[int], *, whole: bool = False) -> None:
    """A diastolic pressure not below the systolic of its moment: one of them is wrong, nobody knows which.

    places: for each reading the index of what told it. whole: what a record told goes with it, all or nothing.
    """
    if SYSTOLIC not in pack.metric or DIASTOLIC not in pack.metric:
        return
    systolic = {t: k for k, (m, t) in enumerate(zip(pack.metric, pack.time, strict=True)) if m == SYSTOLIC}
    wrong: set[int] = set()
    for k, (metric, moment) in enumerate(zip(pack.metric, pack.time, strict=True)):
        if metric == DIASTOLIC and moment in systolic and pack.value[k] >= pack.value[systolic[moment]]:
            wrong |= {k, systolic[moment]}
    if whole:
        records = {places[k] for k in wrong}
        wrong = {k for k, place in enumerate(places) if place in records}
    drop(pack, places, wrong, "diastolic is not below systolic")


def drop(pack: Pack, places: list[int], wrong: set[int], reason: str) -> None:
    """Take readings out again and list what told them as refused, once each. wrong: positions in the columns."""
    if not wrong:
        return
    pack.refused += [Refusal(index, reason) for index in sorted({places[k] for k in wrong})]
    pack.refused.sort(key=lambda refusal: refusal.index)
    keep = [k for k in range(len(pack.value)) if k not in wrong]
    pack.sent = {new: pack.sent[old] for new, old in enumerate(keep) if old in pack.sent}
    for column in (pack.metric, pack.time, pack.flags, places):
        column[:] = [column[k] for k in keep]
    pack.value[:] = [pack.value[k] for k in keep]
