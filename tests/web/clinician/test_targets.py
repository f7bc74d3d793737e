"""Targets: set by a clinician with a reason, kept with their history, read by the patient in plain words."""

from datetime import date
from typing import Any

import pytest

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone

pytestmark = pytest.mark.engine
FORM = {"metric": "systolic", "low": "110", "high": "130", "reason": "after the stroke"}


@pytest.fixture
async def clinician(ward: Any) -> access.Person:
    person = await someone(ward.ctx, "clinician", name="Elena Ruiz")
    async with access.work(ward.ctx, "put a patient in her care") as ctx:
        await access.relate(ctx, person=person.id, patient=ward.rosa_id, kind="care", source="test")
        await monitoring.set_profile(ctx, ward.rosa_id, birth_date=date(1951, 3, 2))
    return person


async def pressure(ward: Any, systolic: float, diastolic: float = 70) -> None:
    async with access.work(acting(ward.ctx, ward.nurse), "recorded") as ctx:
        new = monitoring.NewReading(
            ward.rosa_id, "systolic", systolic, also=(monitoring.Typed("diastolic", diastolic),)
        )
        await monitoring.enter_readings(ctx, new)


async def test_a_target_is_set_changed_and_ended_and_its_history_stays(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/targets"
    async with ward.as_(clinician) as client:
        for wrong in (
            {"low": "x"},
            {"low": "", "high": ""},
            {"low": "140"},
            {"high": "9000"},
            {"reason": ""},
            {"metric": "consciousness"},
        ):
            assert (await client.post(page, data={**FORM, **wrong})).status_code == 400, wrong
        assert "Nothing was ever set" in (await client.get(page)).text
        assert (await client.post(page, data=FORM)).status_code == 303
        assert (await client.post(page, data={**FORM, "low": "", "high": "140", "reason": "dizzy"})).status_code == 303
        text = (await client.get(page)).text
        assert "up to 140 mmHg" in text
        assert "110 to 130 mmHg" in text
        assert "Elena Ruiz" in text
        assert (await client.post(f"{page}/end", data={"metric": "systolic", "reason": ""})).status_code == 400
        assert (await client.post(f"{page}/end", data={"metric": "weight", "reason": "x"})).status_code == 404
        assert (await client.post(f"{page}/end", data={"metric": "systolic", "reason": "reached"})).status_code == 303
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        assert await monitoring.targets(ctx, ward.rosa_id) == {}
        history = await monitoring.target_history(ctx, ward.rosa_id)
        goals = await records.search(ctx, "Goal", {"patient": ward.rosa_id})
    assert [(t.low, t.high, t.reason, t.ended) for t in history] == [
        (None, 140, "reached", True),
        (None, 140, "dizzy", False),
        (110, 130, "after the stroke", False),
    ]
    (goal,) = goals.entries
    assert goal["lifecycleStatus"] == "cancelled"
    assert goal["target"][0]["measure"]["coding"][0]["code"] == "8480-6"


async def test_a_nurse_reads_targets_and_sets_none_a_patient_neither(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/targets"
    async with ward.as_(ward.nurse) as client:
        assert "Set a target" not in (await client.get(page)).text
        assert (await client.post(page, data=FORM)).status_code == 403
    async with ward.as_(ward.rosa) as client:
        assert (await client.get(page)).status_code == 403
        assert (await client.post(page, data=FORM)).status_code == 403


async def test_the_patient_reads_the_target_and_what_it_means(ward: Any, clinician: access.Person) -> None:
    await pressure(ward, 124)
    async with ward.as_(ward.rosa) as client:
        before = (await client.get("/readings")).text
        assert "No target is set" in before
        assert "Measured on 1 day." in before
        assert "within your limits" in before
    async with ward.as_(clinician) as client:
        assert (await client.post(f"/patients/{ward.rosa_id}/targets", data=FORM)).status_code == 303
        diastolic = {**FORM, "metric": "diastolic", "low": "", "high": "80"}
        assert (await client.post(f"/patients/{ward.rosa_id}/targets", data=diastolic)).status_code == 303
    async with ward.as_(ward.rosa) as client:
        after = (await client.get("/readings")).text
        assert "in your target" in after
        assert "In the last 30 days 1 of 1 reading was in it." in after
        assert "after the stroke" in after
        assert "Elena Ruiz" in after
        assert "in your target" in (await client.get("/home")).text


async def test_a_broken_limit_is_said_before_the_target(ward: Any, clinician: access.Person) -> None:
    async with access.work(acting(ward.ctx, clinician), "set") as ctx:
        await monitoring.set_target(ctx, ward.rosa_id, monitoring.Target("systolic", 100, 190, "a wrong one"))
    await pressure(ward, 178, 112)
    async with ward.as_(ward.rosa) as client:
        for path in ("/home", "/readings"):
            text = (await client.get(path)).text
            assert "higher than your limit" in text
            assert "in your target" not in text


async def test_no_week_is_a_failure(ward: Any) -> None:
    async with ward.as_(ward.rosa) as client:
        text = (await client.get("/readings")).text
    assert "No readings in these days." in text
    assert "That is fine." in text
    for word in ("failed", "missed", "streak", "alarm", "lost"):
        assert word not in text.lower().replace("no alarm", ""), word
