"""A device's page and its end, as the room sees them: what is known of it, and that nothing waits for it afterwards."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden
from bedside.monitoring.alarms.service import clockwork
from bedside.monitoring.devices.service.devices import assign
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack

pytestmark = pytest.mark.engine


async def nurse_of(ctx: Ctx, *patients: str) -> Ctx:
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "related") as inner:
        for patient in patients:
            await records.create(inner, {"resourceType": "Patient", "id": patient, "name": [{"family": patient}]})
            await access.relate(inner, person=nurse.id, patient=patient, kind="care", source="test")
    return acting(ctx, nurse)


async def sent(ctx: Ctx, device: str, seq: int, *readings: tuple[str, float, str, float]) -> int:
    now = ctx.clock.now().timestamp()
    async with ctx.database.transaction() as sql:
        (receipt,) = await land(ctx.with_(tx=sql, after_commit=[]), [arrival(device, pack(seq, *readings), now)])
    return receipt.stored


async def test_what_is_known_of_a_device(ctx: Ctx) -> None:
    nurse = await nurse_of(ctx, "ann")
    async with access.work(nurse, "added") as inner:
        made = await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor", patient="ann", label="Bed 4"))
    now = ctx.clock.now().timestamp()
    await sent(ctx, made.device, 7, ("heart-rate", 70, "/min", now - 5), ("battery", 55, "%", now + 40))
    async with access.work(nurse, "looked", readonly=True) as inner:
        sheet = await monitoring.device_sheet(inner, made.device)
    assert (sheet.device.label, sheet.device.patient) == ("Bed 4", "ann")
    assert sheet.last is not None
    assert (sheet.last.count, sheet.last.seq) == (2, 7)
    assert 39 <= sheet.last.ahead <= 41, "its clock runs ahead"
    assert {one.metric: one.value for one in sheet.latest} == {"heart-rate": 70, "battery": 55}
    assert [one.since for one in sheet.stays] == [None], "since ever"


async def test_retired_nothing_waits_for_it(ctx: Ctx) -> None:
    nurse = await nurse_of(ctx, "ann", "bob")
    async with access.work(nurse, "added") as inner:
        made = await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor", patient="ann"))
        assert await clockwork.expecting(inner, made.device) == ["ann"]
        later = ctx.clock.now() + timedelta(days=1)
        await assign(inner, made.device, "bob", later, None)
    async with access.work(nurse, "retired") as inner:
        await monitoring.retire_device(inner, made.device)
        assert await clockwork.expecting(inner, made.device) == [], "its silence is no alarm"
    async with access.work(nurse, "looked", readonly=True) as inner:
        sheet = await monitoring.device_sheet(inner, made.device)
        device = await records.read(inner, "Device", made.device)
    assert (sheet.device.state, sheet.device.patient) == ("revoked", None)
    assert [one.patient for one in sheet.stays] == ["ann"], "whom it was promised to never held it"
    assert device["status"] == "inactive"
    assert await sent(ctx, made.device, 1, ("heart-rate", 70, "/min", time.time())) == 0


async def test_an_administrator_sees_that_somebody_holds_it_and_not_who(ctx: Ctx) -> None:
    nurse = await nurse_of(ctx, "ann")
    async with access.work(nurse, "added") as inner:
        made = await monitoring.add_device(inner, monitoring.NewDevice(kind="scale", patient="ann"))
    admin = acting(ctx, await someone(ctx, "administrator"))
    async with access.work(admin, "looked", readonly=True) as inner:
        (one,) = await monitoring.inventory(inner)
        sheet = await monitoring.device_sheet(inner, made.device)
    assert (one.patient, one.held) == (None, True)
    assert [stay.patient for stay in sheet.stays] == [None]
    assert sheet.latest == []
    stranger = acting(ctx, await someone(ctx, "nurse"))
    async with access.work(stranger, "looked", readonly=True) as inner:
        assert await monitoring.inventory(inner) == []
    for deed in (monitoring.device_sheet, monitoring.new_password, monitoring.retire_device):
        with pytest.raises(Forbidden):
            async with access.work(stranger, "tried") as inner:
                await deed(inner, made.device)
