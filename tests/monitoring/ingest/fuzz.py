"""SenML packs that were damaged or made up, JSON and CBOR, and what must hold of whatever a decoder makes of one."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import cbor2

from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.ingest.model.pack import MILLENNIUM, SECOND, Pack
from bedside.monitoring.ingest.model.senml import NotSenml, decode

NOW = 1_795_953_600 * SECOND
SLOW = 0.5
"""Seconds for one message, on a machine that does other things."""
AHEAD = 48 * 3600 * SECOND
NAMES = [
    "8480-6",
    "8462-4",
    "8867-4",
    "spo2",
    "temperature",
    "weight",
    "glucose",
    "consciousness",
    "battery",
    "x",
    "",
    "seq",
]
UNITS: list[Any] = [
    "mm[Hg]",
    "kPa",
    "/min",
    "%",
    "Cel",
    "[degF]",
    "kg",
    "[lb_av]",
    "mg/dL",
    "mmol/L",
    "",
    "furlong",
    None,
    7,
]
SOUND = [("8480-6", "mm[Hg]", 132), ("8867-4", "/min", 71), ("temperature", "[degF]", 98.6), ("glucose", "mmol/L", 5.9)]
NUMBERS: list[Any] = [
    *(0, 1, -1, 72, 98.6, 178, 101, 5.9, 2047, -2048, 1e-300, 1e300, 2**63, -(2**63), 2**1000),
    *(float("nan"), float("inf"), -float("inf"), True, None, "72", [], {}),
]
TIMES: list[Any] = [
    *(0, -1, -60.5, NOW / SECOND, NOW / SECOND - 3600, NOW / SECOND + 86400, 0.5, 2**28, 2**28 - 1, 4_070_908_800),
    *(1e12, 1e13, -1e13, float("nan"), float("inf"), None, "now", 2**80),
]
KEYS = ["n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "bn", "bt", "bu", "bv", "bs", "bver", "x_", "x", 0, -2, 2, 99]


def records(dice: random.Random) -> list[Any]:
    """A pack that begins well and has something wrong with it, more often than not."""
    made: list[Any] = [{"n": "seq", "v": dice.choice([1, 7, 2**62, *NUMBERS])}] if dice.random() < 0.5 else []
    for _ in range(dice.randrange(8)):
        odd = (dice.choice(NAMES), dice.choice(UNITS), dice.choice(NUMBERS))
        record: Any = dict(zip("nuv", dice.choice([*SOUND, odd]), strict=True))
        if dice.random() < 0.4:
            record["t"] = dice.choice(TIMES)
        while dice.random() < 0.2:
            record[dice.choice(KEYS)] = dice.choice([*NUMBERS, *TIMES, *UNITS, *NAMES])
        if dice.random() < 0.1:
            del record[dice.choice(list(record))]
        made.append(dice.choice([record] * 60 + NUMBERS))
    return made


def damaged(dice: random.Random, whole: bytes) -> bytes:
    """Some bytes changed, gone, doubled or added."""
    found = bytearray(whole)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(found) + 1)
        match dice.randrange(5):
            case 0:
                found[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del found[at : at + dice.randint(1, 12)]
            case 2:
                found[at:at] = dice.randbytes(dice.randint(1, 12))
            case 3:
                found[at:at] = found[max(0, at - 20) : at]
            case _:
                found[at:at] = b"[" * dice.choice([1, 5, 5000])
    return bytes(found)


def messages(seed: int) -> Iterator[bytes]:
    """For ever."""
    dice = random.Random(seed)
    while True:
        made = records(dice)
        try:
            whole = json.dumps(made).encode() if dice.random() < 0.5 else cbor2.dumps(made)
        except (ValueError, TypeError, OverflowError, cbor2.CBORError):
            continue
        yield whole if dice.random() < 0.5 else damaged(dice, whole)


def _seconds(payload: bytes) -> float:
    """Of processor that reading it takes."""
    begun = time.process_time()
    with suppress(NotSenml):
        decode(payload, NOW)
    return time.process_time() - begun


def taken_or_refused(payload: bytes) -> Pack | None:
    """What the decoder makes of it, once it was seen to be storable; None where nothing could be read."""
    try:
        pack = decode(payload, NOW)
    except NotSenml as refusal:
        assert str(refusal)
        pack = None
    # Only what is slow each time is the decoder's: a first one may have had this process's garbage to collect.
    assert any(_seconds(payload) < SLOW for _ in range(3))
    if pack is None:
        return None
    assert len(pack.metric) == len(pack.time) == len(pack.value) == len(pack.flags)
    assert pack.seq is None or 0 <= pack.seq < 2**63
    for number, at, value in zip(pack.metric, pack.time, pack.value, strict=True):
        metric = METRICS[number]
        assert math.isfinite(value)
        assert metric.possible[0] <= value <= metric.possible[1]
        assert MILLENNIUM <= at <= NOW + AHEAD
    assert all(place < len(pack.value) and math.isfinite(sent[0]) for place, sent in pack.sent.items())
    places = [one.index for one in pack.refused]
    assert all(one.reason for one in pack.refused)
    assert len(set(places)) == len(places)
    return pack
