"""SenML (RFC 8428), JSON and CBOR, to a Pack. A pure function of the bytes and their receipt."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import cbor2

from bedside.monitoring.ingest.model.metrics import BY_NAME, Metric
from bedside.monitoring.ingest.model.pack import MOST_READINGS, MOST_RECORDS, SECOND, Pack, Refusal
from bedside.monitoring.ingest.model.taken import (
    NotAPack,
    Refused,
    Taken,
    add,
    charted,
    empty,
    json_of,
    number,
    refuse_impossible_pairs,
    timely,
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
SEQ: Final = "seq"


class NotSenml(NotAPack):
    """The message as a whole is not a SenML pack; the text says why, without its content."""


def decode(payload: bytes, received: int, form: Literal["json", "cbor"] | None = None) -> Pack:
    """Read a pack that was received at `received` (µs since 1970). form: what it was said to be; None: either.

    Raises NotSenml when nothing of it can be read. Each reading that cannot be taken is in `refused`; index counts
    records as sent, the seq record included.
    """
    records = _records(payload, form)
    pack = empty(payload, received)
    base: dict[str, Any] = {}
    places: list[int] = []
    for index, record in enumerate(records):
        try:
            if type(record) is not dict:
                raise Refused("not a SenML record")
            if not BASES.isdisjoint(record):
                _take_base(base, record)
            if record.get("n") == SEQ:
                pack.seq = _counter(record)
                continue
            if "n" not in record and VALUES.isdisjoint(record) and "bv" not in base:
                continue  # a record that only sets bases
            if len(places) >= MOST_READINGS:
                raise Refused(f"a pack holds at most {MOST_READINGS} readings")
            _take(pack, base, record)
        except Refused as refusal:
            pack.refused.append(Refusal(index, str(refusal)))
        else:
            places.append(index)
    refuse_impossible_pairs(pack, places)
    return pack


def _records(payload: bytes, form: Literal["json", "cbor"] | None) -> list[Any]:
    looks = "json" if payload[:64].lstrip()[:1] in {b"[", b"{"} else "cbor"
    if form is not None and looks != form:
        raise NotSenml("not JSON" if form == "json" else "not CBOR")
    try:
        if looks == "json":
            found = json_of(payload)
        else:
            found = cbor2.loads(payload)
            if isinstance(found, list):
                found = [_named(record) for record in found]
    except Exception as error:  # a decoder's own surprise must not stop the door
        raise NotSenml("neither JSON nor CBOR") from error
    if not isinstance(found, list):
        raise NotSenml("not an array of SenML records")
    if len(found) > MOST_RECORDS:
        raise NotSenml(f"more than {MOST_RECORDS} records")
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
        raise Refused("seq is not a whole number from 0 to 2^63-1")
    return value


def _take(pack: Pack, base: dict[str, Any], record: dict[str, Any]) -> None:
    metric = _metric(base, record)
    if not record.keys() <= KNOWN and any(type(key) is str and key.endswith("_") for key in record):
        raise Refused("a field that must be understood is not known here")
    moment, relative = _time(base, record, pack.received)
    value, sent = _value(metric, base, record)
    add(pack, Taken(metric, moment, value, sent))
    pack.relative |= relative


def _metric(base: dict[str, Any], record: dict[str, Any]) -> Metric:
    name = record.get("n", "")
    prefix = base.get("bn", "")
    if type(name) is not str or type(prefix) is not str:
        raise Refused("the name is not text")
    found = BY_NAME.get(name)
    if found is None:
        full = prefix + name
        found = BY_NAME.get(full) or BY_NAME.get(full.replace("/", ":").rsplit(":", 1)[-1])
    if found is None:
        raise Refused("unknown metric")
    return found


def _time(base: dict[str, Any], record: dict[str, Any], received: int) -> tuple[int, bool]:
    seconds = number(record.get("t", 0), "the time") + number(base.get("bt", 0), "the base time")
    if not math.isfinite(seconds) or abs(seconds) > 1e12:
        raise Refused("the time is not a time")
    relative = seconds < RELATIVE_BELOW
    moment = round(seconds * SECOND) + (received if relative else 0)
    return timely(moment, received), relative


def _value(metric: Metric, base: dict[str, Any], record: dict[str, Any]) -> tuple[float, tuple[float, str] | None]:
    if "s" in record or "bs" in base:
        raise Refused("sums are not taken")
    if metric.letters:
        letter = record.get("vs")
        if type(letter) is not str or letter not in metric.letters:
            raise Refused(f"the value is none of {' '.join(metric.letters)}")
        return float(metric.letters.index(letter)), None
    if "v" not in record and "bv" not in base:
        raise Refused("there is no number in v")
    sent = number(record.get("v", 0), "the value") + number(base.get("bv", 0), "the base value")
    return charted(metric, sent, record.get("u", base.get("bu")))
