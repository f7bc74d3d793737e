"""Messages of waveforms as a device would write them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import cbor2


def lead(name: str, at: float, samples: Sequence[int], hz: float = 250, **more: Any) -> dict[str, Any]:
    """One lead, samples as raw numbers."""
    unit = {"pleth": "1", "resp": "Ohm", "abp": "mm[Hg]"}.get(name, "mV")
    raw = cbor2.CBORTag(77, array("h", samples).tobytes())
    return {"n": name, "t": at, "hz": hz, "u": unit, "k": 0.005, "o": 0, "s": raw, **more}


def message(seq: int | None, *leads: Any) -> bytes:
    """The whole."""
    return cbor2.dumps([*([] if seq is None else [{"seq": seq}]), *leads])
