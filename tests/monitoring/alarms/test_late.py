"""What comes too late for an alarm is on the work list: together, once, and never in the way of an alarm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, monitoring
from bedside.foundation.errors import Conflict, Forbidden, NotFound
from bedside.monitoring.alarms.testing import pressure, reading

pytestmark = pytest.mark.engine

HOUR = 3600


def events(alarm: monitoring.Alarm) -> list[str]:
    return [line.event for line in alarm.events]


async def listed(ward: Ward) -> list[monitoring.LateFinding]:
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        return await monitoring.late_findings(ctx)


async def test_a_backlog_is_one_finding_by_its_worst(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(
        *pressure(165, 95, now, ago=9 * HOUR, flags="late"), *pressure(130, 80, now, ago=8 * HOUR, flags="late")
    )
    await ward.measure(
        *pressure(191, 99, now, ago=7 * HOUR, flags="late"), *pressure(171, 95, now, ago=6 * HOUR, flags="late")
    )
    await ward.measure(reading("spo2", 97, now, ago=5 * HOUR, flags="late"))
    assert await ward.alarms(open_only=False) == []
    (found,) = await listed(ward)
    # 191 is the worst, though 171 came after it.
    assert (found.patient, found.cause, found.priority, found.count) == (PATIENT, "blood-pressure-high", "high", 3)
    assert found.finding["value"] == 191
    assert (found.first_at, found.last_at) == (now - timedelta(hours=9), now - timedelta(hours=6))


async def test_it_repeats_and_ends_no_alarm(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*pressure(178, 112, now))
    before = await ward.only()
    await ward.measure(
        *pressure(195, 125, now, ago=3 * HOUR, flags="late"), *pressure(120, 80, now, ago=2 * HOUR, flags="late")
    )
    assert await listed(ward) == []
    assert await ward.only() == before


async def test_what_is_doubtful_is_no_finding(ward: Ward) -> None:
    now = ward.clock.now()
    for flags in ("late clock", "late cuffless", "late conflict"):
        await ward.measure(*pressure(195, 125, now, ago=3 * HOUR, flags=flags))
    assert await listed(ward) == []


async def test_a_slip_is_taken_back_for_half_a_minute_by_whoever_made_it(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*pressure(195, 125, now, ago=3 * HOUR, flags="late"))
    (found,) = await listed(ward)
    await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_seen(ctx, found.id, "slip"))
    with pytest.raises(Forbidden):
        await ward.by(ward.patient, lambda ctx: monitoring.late_finding_unseen(ctx, found.id))
    await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_unseen(ctx, found.id))
    assert [one.id for one in await listed(ward)] == [found.id]
    await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_seen(ctx, found.id))
    ward.clock.turn(timedelta(seconds=31))
    with pytest.raises(Conflict):
        await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_unseen(ctx, found.id))


async def test_seen_once_by_clinical_staff(ward: Ward) -> None:
    now = ward.clock.now()
    await ward.measure(*pressure(195, 125, now, ago=3 * HOUR, flags="late"))
    (found,) = await listed(ward)
    with pytest.raises(Forbidden):
        await ward.by(ward.patient, lambda ctx: monitoring.late_finding_seen(ctx, found.id))
    await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_seen(ctx, found.id, "rang her: she is well"))
    assert await listed(ward) == []
    with pytest.raises(Conflict):
        await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_seen(ctx, found.id))
    with pytest.raises((Forbidden, NotFound)):
        await ward.by(ward.nurse, lambda ctx: monitoring.late_finding_seen(ctx, "nothing"))
    # The next backlog is another.
    await ward.measure(*pressure(196, 125, now, ago=2 * HOUR, flags="late"))
    (again,) = await listed(ward)
    assert (again.id != found.id, again.count) == (True, 1)


async def test_a_clock_that_goes_back_delays_no_alarm(ward: Ward) -> None:
    """It was two hours ahead when the alarm came, and is put right: by its time the timer would ring in two hours."""
    ward.clock.turn(datetime.now(UTC) - ward.clock.now() + timedelta(hours=2))
    await ward.sweep()
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    ward.clock.turn(timedelta(seconds=5))
    await ward.sweep()
    ward.clock.turn(-timedelta(hours=2))
    await ward.sweep()
    assert events(await ward.only()) == ["raise", "ask"]
    await ward.sweep()
    ward.clock.turn(timedelta(minutes=20))
    await ward.sweep()
    assert "escalate" in events(await ward.only())


async def test_one_machine_that_is_behind_moves_no_timer(ward: Ward) -> None:
    """Its sweep comes between those of a machine whose clock is right."""
    ward.clock.turn(datetime.now(UTC) - ward.clock.now())
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    for _ in range(20):
        await ward.sweep()
        ward.clock.turn(-timedelta(minutes=5))
        await ward.sweep()
        ward.clock.turn(timedelta(minutes=5))
    await ward.sweep()
    assert events(await ward.only()) == ["raise", "ask"]
