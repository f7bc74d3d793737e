"""The status page: what does not work stands first with what to do, and a job that failed for good is tried again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bedside.access.testing import someone
from bedside.foundation import jobs
from bedside.foundation.bus import Bus, no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.settings import Ground, Settings
from bedside.web import admin

pytestmark = pytest.mark.engine


@pytest.fixture
async def house(ward: Any, tmp_path: Path, bus: Bus) -> Any:
    """ward, with the administrator's pages; .pat is an administrator; .bus is what the program sees of NATS."""
    plain, settings = ward.app_of, Settings(tmp_path, "", "", own_database=True)
    ward.pat, ward.bus = await someone(ward.ctx, "administrator", name="Pat Morgan"), bus

    def app_of(person: Any) -> Any:
        app = plain(person)
        app.router.routes.extend(admin.ROUTES)
        app.state.settings = settings
        app.state.ground = Ground(settings, ward.ctx.database, ward.bus, SystemClock())
        return app

    ward.app_of = app_of
    return ward


async def test_what_works_and_what_does_not(house: Any) -> None:
    async with house.as_(house.pat) as client:
        well = (await client.get("/admin/status")).text
        assert "NATS answers." in well
        assert "There is no backup." in well
        assert "fsync is off" in well, "these tests' own database keeps no promise"
        assert "2 things do not work" in well
        assert "No job is parked." in well
        house.bus = no_bus()
    async with house.as_(house.pat) as client:
        away = (await client.get("/admin/status")).text
        assert "3 things do not work" in away
        assert "readings wait in their devices" in away
        assert away.index("readings wait in their devices") < away.index("The database answers.")
    async with house.as_(house.nurse) as client:
        assert (await client.get("/admin/status")).status_code == 403
        assert (await client.post("/admin/status/release", data={"job": "1"})).status_code == 403


async def test_a_job_that_failed_for_good_is_tried_again(house: Any) -> None:
    async def broken(_: Ctx, __: dict[str, object]) -> None:
        worker.stop()
        raise ValueError("Rosa")

    database = house.ctx.database
    worker = jobs.Worker(database, no_bus(), SystemClock(), {"tests.broken": broken}, attempts=1)
    async with database.transaction() as sql:
        made = await jobs.enqueue(house.ctx.with_(tx=sql), "tests.broken", {})
    await worker.run()
    async with house.as_(house.pat) as client:
        page = (await client.get("/admin/status")).text
        assert "tests.broken" in page
        assert "Rosa" not in page
        assert (await client.post("/admin/status/release", data={"job": "x"})).status_code == 400
        assert (await client.post("/admin/status/release", data={"job": str(made)})).status_code == 303
        assert "The job goes back to the queue" in (await client.get("/admin/status?released")).text
    async with database.connection() as sql:
        assert await jobs.parked(sql) == []
