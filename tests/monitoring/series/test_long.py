"""A long series is thinned: no peak is lost, no withdrawn value comes back, and the newest stand whole."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.monitoring.series.test_landing import device, sent

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.series.service import reading
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]

START = datetime(2026, 11, 19, tzinfo=UTC)


async def kept(ctx: Ctx, count: int, step: float) -> tuple[str, list[tuple[float, float]]]:
    """A monitor's heart rates, with one peak and one hole, as (Unix time, value)."""
    name = await device(ctx, kind="monitor")
    rng = random.Random(5)
    made = [(START.timestamp() + n * step, 70.0 + rng.randint(-5, 5)) for n in range(count)]
    made[count // 3] = (made[count // 3][0], 199.0)
    made = made[: count // 2] + made[count // 2 + 600 :]
    for first in range(0, len(made), 900):
        part = made[first : first + 900]
        await sent(
            ctx, name, pack(None, *(("heart-rate", value, "/min", at) for at, value in part)), at=part[-1][0] + 1
        )
    return name, made


async def test_extremes_stay_gaps_are_named_and_the_newest_stand_whole(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WHOLE", 3000)
    monkeypatch.setattr(reading, "STRETCHES", 40)
    name, made = await kept(ctx, 6000, 2.0)
    since, until = START - timedelta(minutes=5), START + timedelta(seconds=12_000)
    async with access.work(ctx, "looked") as inner:
        series = await monitoring.series(inner, "p1", "heart-rate", since, until)
    assert series.thinned
    assert series.count == 5400
    assert len(series.points) <= 2 * 41 + reading.NEWEST
    values = [point.value for point in series.points]
    assert max(values) == 199.0
    assert min(values) == 65.0
    newest = [(point.device_time.timestamp(), point.value) for point in series.points[-reading.NEWEST :]]
    assert newest == made[-reading.NEWEST :]
    assert all(point.received_at is not None for point in series.points[-reading.NEWEST :])
    times = [point.device_time for point in series.points]
    assert times == sorted(times)
    ((gap),) = series.gaps
    assert (gap.since.timestamp(), gap.until.timestamp()) == (made[2999][0], made[3000][0])

    # The peak was somebody else's: taken back, it is not drawn, wherever it stands.
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "took into care") as inner:
        await access.relate(inner, person=nurse.id, patient="p1", kind="care", source="test")
    async with access.work(ctx, "looked") as inner:
        number = await inner.sql.fetchval("select number from monitoring.device where name = $1", name)
    peak = f"r.{number}.{BY_NAME['heart-rate'].number}.{round(made[2000][0] * 1e6)}"
    async with access.work(acting(ctx, nurse), "took back") as inner:
        await monitoring.withdraw(inner, peak, "artefact")
        series = await monitoring.series(inner, "p1", "heart-rate", since, until)
    assert max(point.value for point in series.points) == 75.0
