"""Daily medians: of packs and chunks alike, without what was withdrawn or is in doubt, against a plain reckoning."""

from __future__ import annotations

import random
from statistics import median

import pytest
from tests.monitoring.series.test_landing import DAY, NOON, device, sent

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.series.store.daily import medians
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]

SECOND = 1_000_000


async def test_each_day_by_its_median(ctx: Ctx) -> None:
    rng, name = random.Random(1), await device(ctx)
    by_day: dict[int, list[float]] = {}
    for n in range(10):
        at = NOON - (10 - n) * DAY
        values = [float(rng.randint(60, 90)) for _ in range(rng.randint(1, 6))]
        readings = [("heart-rate", value, "/min", at + 60 * k) for k, value in enumerate(values)]
        # 29 is implausible: it counts for nothing.
        await sent(ctx, name, pack(None, *readings, ("heart-rate", 29, "/min", at + 3000)), at=at + 3600)
        by_day[n] = values
    since, until = round((NOON - 7.5 * DAY) * SECOND), round((NOON - 1.5 * DAY) * SECOND)
    expected = [(median(by_day[n]), len(by_day[n])) for n in range(3, 9)]
    number = BY_NAME["heart-rate"].number
    async with access.work(ctx, "looked") as inner:
        found = await medians(inner.sql, inner.tenant, "p1", number, since, until, int(Flag.CLOCK | Flag.IMPLAUSIBLE))
        assert found == expected
        assert await medians(inner.sql, inner.tenant, "p2", number, since, until, 0) == []
