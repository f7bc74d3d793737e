"""A year of a monitor, its old hours thinned: charts say so, draw them as what they are, and hold what can be drawn."""

from datetime import timedelta
from typing import Any

import pytest
from tests.monitoring.series.test_landing import device

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.monitoring.retention import service
from bedside.monitoring.testing import chunked

pytestmark = pytest.mark.engine
MINUTES = 250_000


async def test_thinned_hours_are_said_and_drawn_in_chart_and_overlay(ward: Any) -> None:
    name = await device(ward.ctx, ward.rosa_id, kind="monitor")
    async with access.work(ward.ctx, "laid a past") as ctx:
        start = ctx.clock.now() - timedelta(minutes=MINUTES)
        values = [60.0 + n % 60 for n in range(MINUTES)]
        await chunked(ctx, name, "heart-rate", start, timedelta(minutes=1), values)
    pat = await someone(ward.ctx, "administrator", name="Pat Morgan")
    async with access.work(acting(ward.ctx, pat), "set") as ctx:
        await monitoring.set_retention(ctx, "readings", 95, None, "storage is short")
    await service.keep_house(ward.ctx)
    async with ward.as_(ward.nurse) as client:
        for path in ("", "/overlay"):
            text = (await client.get(f"/patients/{ward.rosa_id}{path}?span=year&show=heart-rate")).text
            assert "readings were thinned by the clinic" in text, path
            assert "is no measured value" in text
        assert text.count("lane-summary") > 80
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        now = ctx.clock.now()
        series = await monitoring.series(ctx, ward.rosa_id, "heart-rate", now - timedelta(days=365), now)
    # As much as a screen draws, however much was measured.
    assert 80 < len(series.summaries) < 1_000
    assert 0 < len(series.points) < 2_000
