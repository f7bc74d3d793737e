"""Messages of waveforms as a device would write them."""

from __future__ import annotations

import json
import lzma
from array import array
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import cbor2

DATA = Path(__file__).parents[3] / "shared/data/ecg_mitbih_ds1"


def lead(name: str, at: float, samples: Sequence[int], hz: float = 250, **more: Any) -> dict[str, Any]:
    """One lead, samples as raw numbers."""
    unit = {"pleth": "1", "resp": "Ohm", "abp": "mm[Hg]"}.get(name, "mV")
    raw = cbor2.CBORTag(77, array("h", samples).tobytes())
    return {"n": name, "t": at, "hz": hz, "u": unit, "k": 0.005, "o": 0, "s": raw, **more}


def message(seq: int | None, *leads: Any) -> bytes:
    """The whole."""
    return cbor2.dumps([*([] if seq is None else [{"seq": seq}]), *leads])


def record(name: str) -> Sequence[int]:
    """A record of MIT-BIH, raw numbers (shared/data/README.md)."""
    index = json.loads((DATA / "index.json").read_text())
    packed = lzma.decompress((DATA / "lead.xz").read_bytes())
    half, length = len(packed) // 2, index["shape"][1]
    at = index["records"].index(name) * length
    low, high = packed[at : at + length], packed[half + at : half + at + length]
    steps = (above << 8 | below for above, below in zip(high, low, strict=True))
    return [(one + 0x8000) % 0x10000 - 0x8000 for one in accumulate(steps)]
