"""Packs that are no news stand in chunks: smaller, and the same to everybody who asks."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from tests.monitoring.series.keeping import AT_ONCE, Keeping
from tests.monitoring.series.test_landing import NOON, device, events, points, sent

from bedside import access
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.series.service.compaction import AFTER, RELATIVE_AFTER, compact
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


@pytest.fixture
def kept() -> None:
    """These say themselves when packs are put together."""
    Keeping.chunks = False


async def standing(ctx: Ctx) -> tuple[int, list[int]]:
    """Packs, and the readings in each chunk."""
    async with access.work(ctx, "looked") as inner:
        packs = await inner.sql.fetchval("select count(*) from monitoring.pack")
        chunks = await inner.sql.fetch("select n from monitoring.chunk order by metric, t_min")
        return packs, [row["n"] for row in chunks]


def hour(seq: int, start: float, size: int = 1000) -> bytes:
    names = ("heart-rate", "spo2", "respiratory-rate", "temperature")
    units = ("/min", "%", "/min", "Cel")
    base = (70.0, 90.0, 16.0, 36.5)
    rng = random.Random(seq)
    readings = [
        (names[k % 4], base[k % 4] + rng.randint(0, 9) / (10 if k % 4 == 3 else 1), units[k % 4], start + k // 4)
        for k in range(size)
    ]
    return pack(seq, *readings)


async def test_at_most_24_bytes_a_reading(ctx: Ctx) -> None:
    """Everything included: rows, what PostgreSQL put aside of them, and every index."""
    names = [await device(ctx, kind="monitor"), await device(ctx, "p2", kind="monitor")]
    for name in names:
        await sent(ctx, name, *(hour(n, NOON - 20_000 + 250 * n) for n in range(24)))
    assert await compact(ctx, AT_ONCE) == 48_000
    packs, sizes = await standing(ctx)
    assert packs == 0
    assert sum(sizes) == 48_000
    assert len(sizes) == 48
    async with access.work(ctx, "looked") as inner:
        size = await inner.sql.fetchval("select pg_total_relation_size('monitoring.chunk')")
    print(f"{size / 48_000:.1f} bytes a reading")
    assert size / 48_000 <= 24
    async with access.work(ctx, "looked") as inner:
        stored = await inner.sql.fetchval("select count(*) from monitoring.reading where patient = 'p1' and metric = 1")
    assert stored == 6000


async def test_a_pack_goes_when_it_is_an_hour_old_and_one_of_relative_times_after_a_week(
    ctx: Ctx, clock: TurnableClock
) -> None:
    name = await device(ctx)
    now = clock.now().timestamp()
    relative = pack(2, ("heart-rate", 71, "/min", None))
    await sent(ctx, name, pack(1, ("heart-rate", 70, "/min", now - 9)), relative, at=now)
    assert await compact(ctx) == 0
    clock.turn(AFTER + timedelta(seconds=1))
    assert await compact(ctx) == 1
    assert await standing(ctx) == (1, [1])
    # Its repeat is still known by its counter and bytes.
    await sent(ctx, name, relative, at=now + 3601)
    assert len(await points(ctx, "heart-rate")) == 2
    clock.turn(RELATIVE_AFTER)
    assert await compact(ctx) == 1
    assert await standing(ctx) == (0, [2])


async def test_what_nobody_held_waits_in_its_pack(ctx: Ctx) -> None:
    name = await device(ctx, None)
    await sent(ctx, name, pack(1, ("heart-rate", 70, "/min", NOON)))
    assert await compact(ctx, AT_ONCE) == 0
    assert await standing(ctx) == (1, [])


async def test_late_readings_find_their_place_and_repeats_and_conflicts_are_known(ctx: Ctx) -> None:
    name = await device(ctx, kind="monitor")
    times = [NOON - 9000 + n for n in range(2100)]
    late = times[1::7]
    rest = [time for time in times if time not in set(late)]
    for chunk in (rest[:900], rest[900:]):
        await sent(ctx, name, pack(None, *(("heart-rate", 70 + time % 5, "/min", time) for time in chunk)))
        await compact(ctx, AT_ONCE)
    await sent(ctx, name, pack(None, *(("heart-rate", 70 + time % 5, "/min", time) for time in late)))
    await compact(ctx, AT_ONCE)
    found = await points(ctx, "heart-rate")
    assert found == [(time, 70 + time % 5) for time in times]
    _, sizes = await standing(ctx)
    assert sum(sizes) == 2100
    assert len(sizes) <= 4
    # Once more, and one of them with another value.
    async with access.work(ctx, "landed packs") as inner:
        again = pack(9, *(("heart-rate", 70 + time % 5, "/min", time) for time in times[:900]))
        other = pack(10, ("heart-rate", 99, "/min", times[500]))
        receipts = await land(inner, [arrival(name, again, NOON), arrival(name, other, NOON)])
    assert [receipt.stored for receipt in receipts] == [900, 1]
    assert await points(ctx, "heart-rate") == found
    told = await events(ctx)
    assert (told["repeat"], told["conflict"]) == (900, 1)


async def test_units_flags_and_receipts_stay(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pack(1, ("temperature", 98.6, "[degF]", NOON - 5)), at=NOON)
    await sent(ctx, name, pack(2, ("temperature", 36.9, "Cel", NOON - 4)), at=NOON + 60)
    query = """select metric, time, value, received_at from monitoring.reading order by time"""
    async with access.work(ctx, "looked") as inner:
        before = await inner.sql.fetch(query)
    assert await compact(ctx, AT_ONCE) == 2
    async with access.work(ctx, "looked") as inner:
        assert await inner.sql.fetch(query) == before
        row = await inner.sql.fetchrow("select * from monitoring.chunk")
    assert row["metric"] == BY_NAME["temperature"].number
    assert list(row["sent_value"]) == [98.6, None]
    assert list(row["sent_unit"]) == ["[degF]", None]
    assert row["flags"][0]
