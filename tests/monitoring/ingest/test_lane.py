"""Packs that come by several land together; one that comes alone does not wait."""

from __future__ import annotations

import asyncio
from itertools import count
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.service.lane import SEVERAL, Lane, Waiting
from bedside.monitoring.ingest.service.shares import Shares
from bedside.monitoring.ingest.service.wire import READINGS

pytestmark = pytest.mark.unit

PLACES = count()


def put(lane: Lane, device: str) -> None:
    metadata = SimpleNamespace(sequence=SimpleNamespace(stream=next(PLACES)))
    lane.put(0, device, cast("Any", SimpleNamespace(data=b"[]", metadata=metadata)))


async def landed(monkeypatch: pytest.MonkeyPatch, together: int) -> list[int]:
    """The sizes of the batches: `together` packs at once, then two that come one after the other."""
    lane = Lane(cast("Ctx", None), cast("Any", None), READINGS, cast("Shares", None))
    sizes: list[int] = []
    first, all_ = asyncio.Event(), asyncio.Event()

    async def land_all(batch: list[Waiting], _: asyncio.Event) -> None:
        sizes.append(len(batch))
        first.set()
        if sum(sizes) == together + 2:
            all_.set()

    monkeypatch.setattr(lane, "_land_all", land_all)
    stop = asyncio.Event()
    for n in range(together):
        put(lane, f"m{n}")
    running = asyncio.create_task(lane.run(stop))
    await first.wait()
    put(lane, "a")
    for _ in range(20):  # turns of the loop, in which whoever does not wait has landed
        await asyncio.sleep(0)
    put(lane, "b")
    await all_.wait()
    stop.set()
    await running
    return sizes


async def test_after_a_batch_of_several_the_next_is_let_come_together(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await landed(monkeypatch, SEVERAL) == [SEVERAL, 2]


async def test_where_packs_come_alone_each_lands_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await landed(monkeypatch, 1) == [1, 1, 1]
