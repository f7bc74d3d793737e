"""SenML (RFC 8428), JSON and CBOR, to a Pack. A pure function of the bytes and their receipt."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Any, Final

import cbor2
import orjson

from bedside.monitoring.ingest.model.metrics import BY_NAME, DIASTOLIC, SYSTOLIC, UNITS, Metric
from bedside.monitoring.ingest.model.pack import (
    AHEAD_TOLERANCE,
    HORIZON,
    MILLENNIUM,
    MOST_READINGS,
    SECOND,
    Flag,
    Pack,
    Refusal,
)

RELATIVE_BELOW: Final = 2**28
"""Seconds: a smaller time is relative to now (RFC 8428, section 4.5.3)."""
VERSION: Final = 10
"""The newest SenML version there is (section 4.4)."""
LABELS: Final = {
    # section 6, table 4: integer labels of CBOR
    **{-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs"},
    **{0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb", 5: "s", 6: "t", 7: "ut", 8: "vd"},
}
BASES: Final = frozenset({"bver", "bn", "bt", "bu", "bv", "bs"})
KNOWN: Final = frozenset(LABELS.values())
VALUES: Final = frozenset({"v", "vs", "vb", "vd", "s"})
INSTRUMENT_SPECIALS: Final = frozenset(
    # IEEE 11073 SFLOAT and FLOAT words for NaN, NRes, ±INF and reserved, which careless gateways pass on as numbers
    {2045.0, 2046.0, 2047.0, -2046.0, -2047.0, -2048.0, 8388607.0, 8388606.0, 8388605.0, -8388608.0, -8388606.0}
)
SEQ: Final = "seq"


class NotSenml(ValueError):
    """The message as a whole is not a SenML pack; the text says why, without its content."""


class _Refused(Exception):
    """One record is refused; the text is the reason."""


def decode(payload: bytes, received: int) -> Pack:
    """Read a pack that was received at `received` (µs since 1970).

    Raises NotSenml when nothing of it can be read. Each reading that cannot be taken is in `refused`; index counts
    records as sent, the seq record included.
    """
    records = _records(payload)
    pack = Pack(received=received, digest=hashlib.blake2b(payload, digest_size=16).digest())
    base: dict[str, Any] = {}
    places: list[int] = []
    for index, record in enumerate(records):
        try:
            if type(record) is not dict:
                raise _Refused("not a SenML record")
            if not BASES.isdisjoint(record):
                _take_base(base, record)
            if record.get("n") == SEQ:
                pack.seq = _counter(record)
                continue
            if "n" not in record and VALUES.isdisjoint(record) and "bv" not in base:
                continue  # a record that only sets bases
            if len(places) >= MOST_READINGS:
                raise _Refused(f"a pack holds at most {MOST_READINGS} readings")
            _take(pack, base, record)
        except _Refused as refusal:
            pack.refused.append(Refusal(index, str(refusal)))
        else:
            places.append(index)
    _refuse_impossible_pairs(pack, places)
    return pack


def _records(payload: bytes) -> list[Any]:
    head = payload[:64].lstrip()[:1]
    try:
        if head in {b"[", b"{"}:
            try:
                found = orjson.loads(payload)
            except orjson.JSONDecodeError:
                # NaN and Infinity are no JSON, but the rest of such a pack is good and its index can be named.
                found = json.loads(payload)
        else:
            found = cbor2.loads(payload)
            if isinstance(found, list):
                found = [_named(record) for record in found]
    except (
        ValueError,
        TypeError,
        RecursionError,
        OverflowError,
        MemoryError,
        cbor2.CBORDecodeError,
        EOFError,
    ) as error:
        raise NotSenml("neither JSON nor CBOR") from error
    except Exception as error:  # a decoder's own surprise must not stop the door
        raise NotSenml("neither JSON nor CBOR") from error
    if not isinstance(found, list):
        raise NotSenml("not an array of SenML records")
    return found


def _named(record: Any) -> Any:
    if type(record) is not dict:
        return record
    return {(LABELS.get(key, key) if isinstance(key, int) else key): value for key, value in record.items()}


def _take_base(base: dict[str, Any], record: dict[str, Any]) -> None:
    version = record.get("bver", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise NotSenml("a SenML version that is not known here")
    for key in ("bn", "bt", "bu", "bv", "bs"):
        if key in record:
            base[key] = record[key]


def _counter(record: dict[str, Any]) -> int:
    value = record.get("v")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value < 2**63:
        raise _Refused("seq is not a whole number from 0 to 2^63-1")
    return value


def _take(pack: Pack, base: dict[str, Any], record: dict[str, Any]) -> None:
    metric = _metric(base, record)
    if not record.keys() <= KNOWN and any(type(key) is str and key.endswith("_") for key in record):
        raise _Refused("a field that must be understood is not known here")
    moment, relative = _time(base, record, pack.received)
    value, sent = _value(metric, base, record)
    flags = 0
    low, high = metric.plausible
    if not low <= value <= high:
        flags |= Flag.IMPLAUSIBLE
    age = pack.received - moment
    if age > metric.live * SECOND:
        flags |= Flag.LATE
    elif age < -AHEAD_TOLERANCE * SECOND:
        flags |= Flag.CLOCK
    if sent is not None:
        flags |= Flag.CONVERTED
        pack.sent[len(pack.value)] = sent
    pack.metric.append(metric.number)
    pack.time.append(moment)
    pack.value.append(value)
    pack.flags.append(flags)
    pack.relative |= relative


def _metric(base: dict[str, Any], record: dict[str, Any]) -> Metric:
    name = record.get("n", "")
    prefix = base.get("bn", "")
    if type(name) is not str or type(prefix) is not str:
        raise _Refused("the name is not text")
    found = BY_NAME.get(name)
    if found is None:
        full = prefix + name
        found = BY_NAME.get(full) or BY_NAME.get(full.replace("/", ":").rsplit(":", 1)[-1])
    if found is None:
        raise _Refused("unknown metric")
    return found


def _number(value: Any, what: str) -> float:
    if type(value) not in {int, float, Decimal}:
        raise _Refused(f"{what} is not a number")
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf


def _time(base: dict[str, Any], record: dict[str, Any], received: int) -> tuple[int, bool]:
    seconds = _number(record.get("t", 0), "the time") + _number(base.get("bt", 0), "the base time")
    if not math.isfinite(seconds) or abs(seconds) > 1e12:
        raise _Refused("the time is not a time")
    relative = seconds < RELATIVE_BELOW
    moment = round(seconds * SECOND) + (received if relative else 0)
    if moment < MILLENNIUM:
        raise _Refused("the time is before the year 2000")
    if moment > received + HORIZON * SECOND:
        raise _Refused("the time is more than 48 h ahead of now")
    return moment, relative


def _value(metric: Metric, base: dict[str, Any], record: dict[str, Any]) -> tuple[float, tuple[float, str] | None]:
    if "s" in record or "bs" in base:
        raise _Refused("sums are not taken")
    if metric.letters:
        letter = record.get("vs")
        if type(letter) is not str or letter not in metric.letters:
            raise _Refused(f"the value is none of {' '.join(metric.letters)}")
        return float(metric.letters.index(letter)), None
    if "v" not in record and "bv" not in base:
        raise _Refused("there is no number in v")
    number = _number(record.get("v", 0), "the value") + _number(base.get("bv", 0), "the base value")
    if not math.isfinite(number):
        raise _Refused("the value is not a number")
    unit = record.get("u", base.get("bu"))
    if unit is None:
        raise _Refused(f"the unit is missing, {metric.unit} for example")
    scale = UNITS[metric.number].get(unit) if type(unit) is str else None
    if scale is None:
        raise _Refused(f"wrong unit: {', '.join(UNITS[metric.number])} are taken")
    factor, offset = scale
    if number in INSTRUMENT_SPECIALS and factor == 1:
        raise _Refused("a special value of the instrument, no measurement")
    charted = number
    if factor != 1 or offset != 0:
        charted = round(number * factor + offset, metric.decimals)
    low, high = metric.possible
    if not low <= charted <= high:
        raise _Refused("an impossible value")
    return charted, ((number, unit) if unit != metric.unit else None)


def _refuse_impossible_pairs(pack: Pack, places: list[int]) -> None:
    """A diastolic pressure not below the systolic of its moment: one of them is wrong, nobody knows which."""
    if SYSTOLIC not in pack.metric or DIASTOLIC not in pack.metric:
        return
    systolic = {t: k for k, (m, t) in enumerate(zip(pack.metric, pack.time, strict=True)) if m == SYSTOLIC}
    wrong: set[int] = set()
    for k, (metric, moment) in enumerate(zip(pack.metric, pack.time, strict=True)):
        if metric == DIASTOLIC and moment in systolic and pack.value[k] >= pack.value[systolic[moment]]:
            wrong |= {k, systolic[moment]}
    if not wrong:
        return
    pack.refused += [Refusal(places[k], "diastolic is not below systolic") for k in sorted(wrong)]
    pack.refused.sort(key=lambda refusal: refusal.index)
    keep = [k for k in range(len(pack.value)) if k not in wrong]
    pack.sent = {new: pack.sent[old] for new, old in enumerate(keep) if old in pack.sent}
    for column in (pack.metric, pack.time, pack.flags):
        column[:] = [column[k] for k in keep]
    pack.value[:] = [pack.value[k] for k in keep]
