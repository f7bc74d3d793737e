"""What went wrong with devices, and who holds which, on the staff's pages."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack
from bedside.web import devices

pytestmark = pytest.mark.engine


@pytest.fixture
def staff(ward: Any) -> httpx.AsyncClient:
    app = ward.app_of(ward.nurse)
    app.router.routes.extend(devices.ROUTES)
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://bedside", headers={"accept": "text/html"})


async def cuff(ward: Any, patient: str | None = None) -> str:
    async with access.work(ward.ctx, "added a device") as ctx:
        new = monitoring.NewDevice(kind="blood-pressure", patient=patient)
        return (await monitoring.add_device(ctx, new)).device


async def sent(ward: Any, device: str, seq: int, at: float, *values: tuple[str, float, str]) -> None:
    readings = [(name, value, unit, at) for name, value, unit in values]
    async with ward.ctx.database.transaction() as sql:
        await land(ward.ctx.with_(tx=sql, after_commit=[]), [arrival(device, pack(seq, *readings), time.time())])


async def test_every_reason_is_there_until_somebody_has_seen_it(ward: Any, staff: httpx.AsyncClient) -> None:
    device, now = await cuff(ward, ward.rosa_id), ward.ctx.clock.now().timestamp()
    await sent(ward, device, 1, now, ("8480-6", 17, "Cel"))
    await sent(ward, device, 2, now, ("8480-6", 900, "mm[Hg]"))
    page = (await staff.get("/devices")).text
    assert "Readings were refused" in page
    assert "wrong unit" in page
    assert "an impossible value" in page
    assert "Rosa Núñez" in page
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        (event,) = await monitoring.technical_events(ctx)
    assert (await staff.post("/devices/seen", data={"event": str(event.id)})).status_code == 303
    assert "Readings were refused" not in (await staff.get("/devices")).text
    assert (await staff.post("/devices/seen", data={"event": str(event.id)})).status_code == 404
    assert (await staff.post("/devices/seen", data={"event": "x"})).status_code == 400


async def test_what_was_seen_by_a_slip_stands_there_again(ward: Any, staff: httpx.AsyncClient) -> None:
    device, now = await cuff(ward, ward.rosa_id), ward.ctx.clock.now().timestamp()
    await sent(ward, device, 1, now, ("8480-6", 900, "mm[Hg]"))
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        (event,) = await monitoring.technical_events(ctx)
    answer = await staff.post("/devices/seen", data={"event": str(event.id)})
    page = (await staff.get(answer.headers["location"])).text
    assert 'action="/devices/unseen"' in page
    await sent(ward, device, 2, now, ("8480-6", 901, "mm[Hg]"))  # meanwhile again: the two are one line
    assert (await staff.post("/devices/unseen")).status_code == 303
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        (both,) = await monitoring.technical_events(ctx)
    assert (both.count, both.first_at) == (event.count * 2, event.first_at)
    assert (await staff.post("/devices/seen", data={"event": str(both.id)})).status_code == 303
    assert (await staff.post("/devices/unseen")).status_code == 303
    assert "Readings were refused" in (await staff.get("/devices")).text
    assert (await staff.post("/devices/unseen")).status_code == 409, "nothing more"
    assert (await staff.post("/devices/seen", data={"event": str(both.id)})).status_code == 303
    ward.ctx.clock.turn(timedelta(minutes=1))
    assert (await staff.post("/devices/unseen")).status_code == 409, "too late"


async def test_trouble_of_a_patient_whom_one_may_not_see_is_not_there(ward: Any, staff: httpx.AsyncClient) -> None:
    other = await someone(ward.ctx, "nurse", name="Somebody Else")
    device = await cuff(ward, ward.rosa_id)
    await sent(ward, device, 1, ward.ctx.clock.now().timestamp(), ("8480-6", 900, "mm[Hg]"))
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        (event,) = await monitoring.technical_events(ctx)
    async with access.work(acting(ward.ctx, other), "looked") as ctx:
        assert await monitoring.technical_events(ctx) == []
        with pytest.raises(Exception, match="no such event"):
            await monitoring.technical_events_seen(ctx, [event.id])


async def test_a_device_is_given_from_a_time_and_what_had_waited_is_theirs(ward: Any, staff: httpx.AsyncClient) -> None:
    device, now = await cuff(ward), ward.ctx.clock.now()
    early, late = now - timedelta(hours=5), now - timedelta(hours=1)
    await sent(ward, device, 1, early.timestamp(), ("8480-6", 121, "mm[Hg]"))
    await sent(ward, device, 2, late.timestamp(), ("8480-6", 133, "mm[Hg]"))
    page = f"/patients/{ward.rosa_id}/devices"
    form = {"device": device, "since": _local(ward, now - timedelta(hours=2)), "until": ""}
    wrong = await staff.post(page, data={**form, "until": "2001-01-01T00:00"})
    assert wrong.status_code == 400
    assert "The end lies before the beginning" in wrong.text
    assert (await staff.post(page, data={**form, "device": "bl-nothing"})).status_code == 404
    given = await staff.post(page, data=form)
    assert given.status_code == 303, given.text
    assert given.headers["location"].endswith("waited=1")
    assert device in (await staff.get(given.headers["location"])).text
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        series = await monitoring.series(ctx, ward.rosa_id, "systolic", now - timedelta(days=1), now)
    assert [point.value for point in series.points] == [133]
    assert (await staff.post(f"{page}/{device}/take")).status_code == 303
    assert "No devices" in (await staff.get(page)).text


def _local(ward: Any, at: datetime) -> str:
    """As a datetime-local field of the nurse's page says it."""
    return f"{at.astimezone(ZoneInfo(ward.nurse.zone or 'America/New_York')):%Y-%m-%dT%H:%M}"


async def test_two_values_for_one_moment_are_both_shown(ward: Any, staff: httpx.AsyncClient) -> None:
    device, at = await cuff(ward, ward.rosa_id), ward.ctx.clock.now().timestamp() - 60
    await sent(ward, device, 1, at, ("8480-6", 128, "mm[Hg]"))
    await sent(ward, device, 2, at, ("8480-6", 131, "mm[Hg]"))
    page = (await staff.get(f"/patients/{ward.rosa_id}/devices")).text
    assert "Two values for one moment" in page
    assert "128" in page
    assert "131" in page
    assert "1 moment was sent with two values" in (await staff.get(f"/patients/{ward.rosa_id}")).text
