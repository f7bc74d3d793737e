"""What arrives, what landing says of it, and what its device is told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.pack import Pack, Refusal


@dataclass(slots=True, frozen=True)
class Arrival:
    """A decoded pack and the name of the device whose subject it came on."""

    device: str
    pack: Pack


class Receipt(Protocol):
    """What landing answers for a pack."""

    @property
    def seq(self) -> int | None: ...
    @property
    def stored(self) -> int: ...
    @property
    def refused(self) -> list[Refusal]: ...
    @property
    def known(self) -> bool: ...


class Arriving(Protocol):
    """A decoded message of a device."""

    @property
    def device(self) -> str: ...


Land = Callable[[Ctx, list[Any]], Awaitable[Sequence[Receipt]]]
"""Stores (and judges) what arrived in ctx's transaction; one receipt for each, in order."""


def malformed(why: str) -> bytes:
    """The acknowledgement of what is no pack."""
    return orjson.dumps({"seq": None, "stored": 0, "refused": [{"index": None, "reason": why}]})


def answer(receipt: Receipt, **more: str) -> bytes:
    """The acknowledgement on the device's own subject, and at every other door. more: what else it says."""
    refused: list[dict[str, Any]] = [{"index": r.index, "reason": r.reason} for r in receipt.refused]
    return orjson.dumps({"seq": receipt.seq, "stored": receipt.stored, "refused": refused, **more})
