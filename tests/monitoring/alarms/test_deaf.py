"""One cause that silences everybody is one matter: while nothing can be heard no device is silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, monitoring
from bedside.monitoring.alarms.testing import reading
from bedside.monitoring.devices.service import wire

pytestmark = pytest.mark.engine


async def measured_by(ward: Ward, count: int) -> None:
    """So many monitors of one patient are heard of."""
    for n in range(count):
        await ward.measure(reading("heart-rate", 70, ward.clock.now(), device=f"m{n}"))
    async with access.work(ward.ctx, "added a monitor") as ctx:
        await monitoring.add_device(ctx, monitoring.NewDevice(kind="monitor"))


async def deaf_events(ward: Ward) -> list[monitoring.TechnicalEvent]:
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        return [event for event in await monitoring.technical_events(ctx) if event.kind == "deaf"]


async def told(ward: Ward) -> list[str]:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        rows = await ctx.sql.fetch("select person from messaging.notice where template = 'monitoring.deaf'")
    return sorted(row["person"] for row in rows)


async def live(ward: Ward, *, beats: bool, **span: float) -> None:
    """Time passes, the sweep comes round, and the ingest process hears or does not."""
    left = timedelta(**span)
    while left > timedelta(0):
        ward.clock.turn(timedelta(seconds=10))
        left -= timedelta(seconds=10)
        if beats:
            await wire.beat(ward.ctx)
        await ward.sweep()


async def test_deaf_is_one_matter_and_silence_counts_from_when_we_hear_again(ward: Ward) -> None:
    await wire.beat(ward.ctx)
    await live(ward, beats=True, minutes=1)
    await measured_by(ward, 6)
    await live(ward, beats=False, minutes=30)
    assert await ward.alarms() == []
    (event,) = await deaf_events(ward)
    assert (event.device, event.count) == ("bedside", 1)
    assert await told(ward) == ["administrator", "clinician", "nurse"]
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        since = await monitoring.deaf_since(ctx)
        assert since is not None
        assert ward.clock.now() - since >= timedelta(minutes=30)
    # Heard again: the monitors have their time, and are then silent, each for itself.
    await live(ward, beats=True, seconds=40)
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        assert await monitoring.deaf_since(ctx) is None
    assert await ward.alarms() == []
    await live(ward, beats=True, minutes=20)
    found = await ward.alarms()
    assert {alarm.cause for alarm in found} == {f"silence:m{n}" for n in range(6)}
    assert {alarm.patient for alarm in found} == {PATIENT}
    # Deaf once more is told once more.
    await live(ward, beats=False, minutes=2)
    assert len(await told(ward)) == 6


async def test_a_start_after_a_long_stop_is_not_called_deaf(ward: Ward) -> None:
    await wire.beat(ward.ctx)
    await measured_by(ward, 1)
    ward.clock.turn(timedelta(hours=9))
    await ward.sweep()
    await live(ward, beats=True, minutes=2)
    assert await deaf_events(ward) == []
    assert await told(ward) == []
