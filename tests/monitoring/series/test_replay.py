"""What would have been outside a limit: the same as a naive walk over the readings, in packs and in chunks."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from tests.monitoring.series.test_landing import NOON, device, sent

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.series.store.replay import Episode, episodes, patient_days
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]

METRIC = BY_NAME["heart-rate"].number
SECOND = 1_000_000


def naive(readings: list[tuple[int, float]], outside: Callable[[float], bool], settle: int) -> list[tuple[int, int]]:
    """An alarm's way: begun by a value outside, ended by one within, settle after the last one outside."""
    found: list[tuple[int, int]] = []
    open_ = False
    for time, value in readings:
        if outside(value):
            if open_:
                found[-1] = (found[-1][0], time)
            else:
                found.append((time, time))
                open_ = True
        elif open_ and time - found[-1][1] >= settle:
            open_ = False
    return found


@pytest.mark.parametrize("seed", range(4))
async def test_episodes_are_those_of_a_naive_walk(ctx: Ctx, seed: int) -> None:
    rng = random.Random(seed)
    name = await device(ctx, kind="monitor")
    made: list[tuple[int, float]] = []
    at, value = NOON - 20_000, 95.0
    for _ in range(2500):
        at += rng.choice((1, 1, 2, 5, 40))
        value = min(125, max(55, value + rng.randint(-6, 6)))
        made.append((round(at * SECOND), float(value)))
    for first in range(0, len(made), 800):
        part = made[first : first + 800]
        readings = (("heart-rate", value, "/min", time / SECOND) for time, value in part)
        # Received as measured: nothing is late.
        await sent(ctx, name, pack(None, *readings), at=part[-1][0] / SECOND + 1)
    since, until = made[100][0], made[2400][0]
    inside = [one for one in made if since <= one[0] < until]
    async with access.work(ctx, "looked") as inner:
        for comparison, limit, outside in (
            (">", 110.0, lambda v: v > 110),
            (">=", 118.0, lambda v: v >= 118),
            ("<=", 70.0, lambda v: v <= 70),
            ("<", 56.0, lambda v: v < 56),
        ):
            for settle in (0, 30 * SECOND):
                found = await episodes(
                    inner.sql, inner.tenant, ["p1", "p2"], METRIC, (since, until), comparison, limit, settle, 2
                )
                assert found == [Episode("p1", *span) for span in naive(inside, outside, settle)]
        days = {time // (86_400 * SECOND) for time, _ in inside}
        assert await patient_days(inner.sql, inner.tenant, None, since, until) == len(days)
