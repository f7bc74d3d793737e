"""SenML whose times are absolute: what waits for days must not be taken for now when it arrives. Pure.

A record's time may be relative to the moment of sending (RFC 8428, section 4.5.3). The gateway was there then, so it
writes the moment down and resolves the records (section 4.6) before it keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cbor2
import orjson

RELATIVE_BELOW: Final = 2**28
"""Seconds: a smaller time is relative."""
LABELS: Final = {-1: "bver", -2: "bn", -3: "bt", -4: "bu", -5: "bv", -6: "bs", 0: "n", 1: "u", 2: "v", 3: "vs", 4: "vb"}
LABELS_MORE: Final = {5: "s", 6: "t", 7: "ut", 8: "vd"}
BASES: Final = ("bn", "bt", "bu", "bv", "bs")
JSON: Final = "application/senml+json"
CBOR: Final = "application/senml+cbor"
SEQ: Final = "seq"


class NotSenml(ValueError):
    """The message is no SenML pack; the text says why, without its content."""


def resolved(body: bytes, media: str, at: float) -> tuple[bytes, int]:
    """The pack with absolute times and without bases, and how many records it has. at: Unix time of its receipt.

    Raises NotSenml.
    """
    base: dict[str, Any] = {}
    made: list[dict[str, Any]] = []
    for record in _records(body, media):
        base |= {key: record[key] for key in BASES if key in record}
        one = {key: value for key, value in record.items() if key not in BASES}
        if record.get("n") == SEQ:
            made.append(one)
        elif one:  # a record may only set bases
            time = _number(record.get("t", 0)) + _number(base.get("bt", 0))
            made.append(_with_bases(one, base) | {"t": time if time >= RELATIVE_BELOW else at + time})
    return _written(made, media), len(made)


def joined(packs: Sequence[bytes], media: str) -> bytes:
    """Several such packs as one. Their counters go: each reading is known by its time."""
    return _written([one for pack in packs for one in _records(pack, media) if one.get("n") != SEQ], media)


def _written(records: list[dict[str, Any]], media: str) -> bytes:
    return orjson.dumps(records) if media == JSON else cbor2.dumps(records)


def _with_bases(record: dict[str, Any], base: dict[str, Any]) -> dict[str, Any]:
    made = dict(record)
    if "bn" in base:
        made["n"] = f"{base['bn']}{record.get('n', '')}"
    if "bu" in base:
        made.setdefault("u", base["bu"])
    for key, value in (("v", "bv"), ("s", "bs")):
        if value in base:
            made[key] = _number(record.get(key, 0)) + _number(base[value])
    return made


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotSenml("a time or a base value is no number")
    return value


def _records(body: bytes, media: str) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(body) if media == JSON else cbor2.loads(body)
    except Exception as error:  # a decoder's own surprise must not stop the door
        raise NotSenml("it cannot be read") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise NotSenml("it is not an array of records")
    if media == JSON:
        return found
    labels: dict[Any, str] = LABELS | LABELS_MORE
    return [{labels.get(key, key): value for key, value in one.items()} for one in found]
