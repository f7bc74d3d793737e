"""A patient's waveforms as a page and to take away: seen by those who care for them, on record, every sample there."""

from __future__ import annotations

import io
import re
import zipfile
from array import array
from datetime import timedelta
from typing import Any

import pytest
from tests.monitoring.waves_made import lead, message

from bedside import access, monitoring
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.waves.model.message import decode
from bedside.monitoring.waves.service.landing import WaveArrival, land

pytestmark = pytest.mark.engine

SAMPLES = [round(100 * ((n % 50) / 50)) for n in range(1250)]


async def sent(ward: Any) -> float:
    """Five seconds of an ECG with a gap and two seconds of pleth with the sensor off; returns when they began."""
    now = ward.ctx.clock.now()
    at = now.replace(microsecond=0) - timedelta(seconds=20)
    async with access.work(ward.ctx, "added a device") as inner:
        made = await monitoring.add_device(inner, monitoring.NewDevice(kind="monitor", patient=ward.rosa_id))
    t = at.timestamp()
    leads = [
        lead("ecg-ii", t, SAMPLES[:500]),
        lead("ecg-ii", t + 3, SAMPLES[750:]),
        lead("pleth", t, range(125), hz=62.5, off=[[0, 9]]),
    ]
    async with ward.ctx.database.transaction() as sql:
        ctx = ward.ctx.with_(tx=sql, after_commit=[])
        (receipt,) = await land(ctx, [WaveArrival(made.device, decode(message(1, *leads), microseconds(now)))])
    assert receipt.stored == 3
    return float(t)


async def test_the_strip_shows_them_with_the_gap_and_the_lead_off(ward: Any) -> None:
    page = f"/patients/{ward.rosa_id}/waveforms"
    async with ward.as_(ward.nurse) as client:
        assert "No waveforms of this patient" in (await client.get(page)).text
        await sent(ward)
        text = (await client.get(page, params={"seconds": "5"})).text
        assert "1 gap" in text
        assert "lead off" in text
        assert "25 mm/s" in text
        assert len(re.findall("<polyline", text)) == 3
        wrong = await client.get(page, params={"at": "yesterday"})
        assert (wrong.status_code, "Write a date and a time." in wrong.text) == (400, True)
        assert (await client.get(page, params={"seconds": "x"})).status_code == 400


async def test_what_is_taken_away_holds_every_sample_and_is_on_record(ward: Any) -> None:
    at = await sent(ward)
    asked = {"at": ward.ctx.clock.now().fromtimestamp(at, ward.ctx.clock.now().tzinfo).isoformat(), "seconds": "10"}
    page = f"/patients/{ward.rosa_id}/waveforms"
    async with ward.as_(ward.nurse) as client:
        answer = await client.get(f"{page}.zip", params=asked)
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as zipped:
            name = next(one for one in zipped.namelist() if one.endswith("250hz.dat"))
            raw = array("h", zipped.read(name)).tolist()
        assert raw == [*SAMPLES[:500], *[-32768] * 250, *SAMPLES[750:]]
        fhir = await client.get(f"{page}.json", params=asked)
        assert fhir.headers["content-type"] == "application/fhir+json"
        assert {one["resource"]["subject"]["reference"] for one in fhir.json()["entry"]} == {f"Patient/{ward.rosa_id}"}
        assert (await client.get(f"{page}.zip")).status_code == 400
        assert (await client.get(f"{page}.zip", params={**asked, "seconds": "9999"})).status_code == 400
    async with access.work(ward.ctx, "read the audit") as ctx:
        said = [entry.action for entry in await access.who_looked(ctx, ward.rosa_id)]
    assert said.count("took waveforms away") == 2


async def test_who_does_not_care_for_them_sees_nothing(ward: Any) -> None:
    page = f"/patients/{ward.ben_id}/waveforms"
    async with ward.as_(ward.nurse) as client:
        for one in (page, f"{page}.zip", f"{page}.json"):
            answer = await client.get(one, params={"at": "2026-01-01T00:00:00Z"})
            assert answer.status_code in {403, 404}, one
    async with ward.as_(ward.rosa) as client:
        assert (await client.get(f"/patients/{ward.rosa_id}/waveforms")).status_code == 403
