"""A ward without its network, or a gateway that is away, is one matter with a count, however many it silences."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.monitoring.alarms.conftest import Ward
from tests.monitoring.alarms.test_deaf import live

from bedside import access, monitoring
from bedside.foundation.errors import Invalid
from bedside.monitoring.alarms.service.judge import judge_all
from bedside.monitoring.alarms.testing import reading
from bedside.monitoring.devices.service import gateways, wire
from bedside.monitoring.devices.service.sign_in import Known
from bedside.monitoring.rules import service as rules

pytestmark = pytest.mark.engine

BEDS = 6


@pytest.fixture
async def beds(ward: Ward) -> list[str]:
    """So many patients in the ward, each with a monitor that is heard."""
    patients = [f"bed-{n}" for n in range(BEDS)]
    async with access.work(ward.ctx, "filled the ward") as ctx:
        for n, patient in enumerate(patients):
            await access.place_patient(ctx, patient, "ward", bed=str(n))
            await rules.set_profile(ctx, patient, birth_date=date(1950, 3, 1))
    await wire.beat(ward.ctx)
    await live(ward, beats=True, minutes=1)
    await heard(ward, patients)
    return patients


async def heard(ward: Ward, patients: list[str], kind: str = "monitor") -> None:
    """A reading of each patient's device `m-PATIENT`."""
    now = ward.clock.now()
    async with access.work(ward.ctx, "received readings") as ctx:
        await judge_all(
            ctx, {one: [reading("heart-rate", 70, now, device=f"m-{one}", device_kind=kind)] for one in patients}
        )


async def goes_on(ward: Ward, patients: list[str], **span: float) -> None:
    """Time passes, and these are heard every ten seconds."""
    left = timedelta(**span)
    while left > timedelta(0):
        await live(ward, beats=True, seconds=10)
        if patients:
            await heard(ward, patients)
        left -= timedelta(seconds=10)


async def silent_alarms(ward: Ward) -> set[str]:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        found = await monitoring.alarms(ctx, open_only=True)
    return {alarm.cause for alarm in found if alarm.technical and alarm.state != "ended"}


async def standing(ward: Ward) -> list[tuple[str, str, int]]:
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        return [(one.scope, one.name, one.count) for one in await monitoring.outages(ctx)]


async def noted(ward: Ward) -> list[tuple[str, int]]:
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        return [(one.device, one.count) for one in await monitoring.technical_events(ctx) if one.kind == "outage"]


async def told(ward: Ward) -> list[str]:
    async with access.work(ward.ctx, "looked", readonly=True) as ctx:
        rows = await ctx.sql.fetch("select person from messaging.notice where template = 'monitoring.outage'")
    return sorted(row["person"] for row in rows)


async def test_a_ward_without_its_network_is_one_matter_until_it_is_back(ward: Ward, beds: list[str]) -> None:
    await goes_on(ward, [], minutes=10)
    assert await silent_alarms(ward) == set()
    assert await standing(ward) == [("place", "Virtual ward", BEDS)]
    assert await noted(ward) == [("place:ward", BEDS)]
    assert await told(ward) == ["administrator", "clinician", "nurse"]
    # Back, all but one: that one is silent for itself, and the matter is over.
    await goes_on(ward, beds[1:], minutes=5)
    assert await standing(ward) == []
    assert await silent_alarms(ward) == {"silence:m-bed-0"}
    # Away once more is told once more.
    await goes_on(ward, [], minutes=5)
    assert (await standing(ward))[0][:2] == ("place", "Virtual ward")
    assert len(await told(ward)) == 6


async def test_some_of_a_ward_are_silent_each_for_itself(ward: Ward, beds: list[str]) -> None:
    await goes_on(ward, beds[3:], minutes=10)
    assert await silent_alarms(ward) == {f"silence:m-{one}" for one in beds[:3]}
    assert await standing(ward) == []
    assert await told(ward) == []


async def test_who_fell_silent_long_before_is_told_apart(ward: Ward, beds: list[str]) -> None:
    await goes_on(ward, beds[1:], minutes=20)
    assert await silent_alarms(ward) == {"silence:m-bed-0"}
    await goes_on(ward, [], minutes=5)
    assert await silent_alarms(ward) == {"silence:m-bed-0"}
    assert await standing(ward) == [("place", "Virtual ward", BEDS - 1)]


async def carried(ward: Ward, patients: list[str]) -> list[Known]:
    """Monitors of these patients, at home, that the gateway `home-1` carries."""
    found = []
    for patient in patients:
        async with access.work(ward.ctx, "added a monitor") as ctx:
            made = await monitoring.add_device(ctx, monitoring.NewDevice(kind="monitor", label=patient))
            number = await ctx.sql.fetchval("select number from monitoring.device where name = $1", made.device)
        found.append(Known(made.device, number, ward.ctx.tenant))
    return found


async def test_what_a_silent_gateway_carries_is_one_matter(ward: Ward) -> None:
    patients = ["home-a", "home-b"]
    first, second = await carried(ward, patients)
    await wire.beat(ward.ctx)
    await live(ward, beats=True, minutes=1)
    for patient, one in zip(patients, (first, second), strict=True):
        await gateways.heard(ward.ctx, one, "home-1")
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge_all(ctx, {patient: [reading("heart-rate", 70, ctx.clock.now(), device=one.name)]})
    # The gateway says that it is there, and one monitor is silent: that is the monitor's.
    for _ in range(18):
        await live(ward, beats=True, seconds=10)
        await gateways.heard(ward.ctx, first, "home-1")
        async with access.work(ward.ctx, "received readings") as ctx:
            await judge_all(ctx, {"home-b": [reading("heart-rate", 70, ctx.clock.now(), device=second.name)]})
    assert await silent_alarms(ward) == {f"silence:{first.name}"}
    # It is away: what follows is its matter.
    await live(ward, beats=True, minutes=10)
    assert await silent_alarms(ward) == {f"silence:{first.name}"}
    assert await standing(ward) == [("gateway", "home-1", 1)]
    assert await noted(ward) == [("gateway:home-1", 1)]
    await gateways.heard(ward.ctx, first, "home-1")
    await ward.sweep()
    assert await standing(ward) == []
    # It is back, and the second is silent still: now for itself.
    for _ in range(20):
        await live(ward, beats=True, seconds=10)
        await gateways.heard(ward.ctx, first, "home-1")
    assert await silent_alarms(ward) == {f"silence:{first.name}", f"silence:{second.name}"}


async def test_a_gateways_name_is_a_name(ward: Ward) -> None:
    (cuff,) = await carried(ward, ["bed-1"])
    for name in ("", "x" * 65, "a b", "<b>"):
        with pytest.raises(Invalid):
            await gateways.heard(ward.ctx, cuff, name)
