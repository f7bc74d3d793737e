"""A patient's limits: read by all who care for them, set by a clinician, with a reason."""

from datetime import date
from typing import Any

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone

pytestmark = pytest.mark.engine


@pytest.fixture
async def clinician(ward: Any) -> access.Person:
    person = await someone(ward.ctx, "clinician", name="Elena Ruiz")
    async with access.work(ward.ctx, "put a patient in her care") as ctx:
        await access.relate(ctx, person=person.id, patient=ward.rosa_id, kind="care", source="test")
        await monitoring.set_profile(ctx, ward.rosa_id, birth_date=date(1951, 3, 2))
    return person


async def plan_of(ward: Any) -> monitoring.Plan:
    async with access.work(acting(ward.ctx, ward.nurse), "looked") as ctx:
        return await monitoring.limits(ctx, ward.rosa_id)


async def test_a_clinician_sets_a_limit_and_takes_it_away(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    form = {"metric": "systolic", "comparison": ">=", "limit": "150", "priority": "medium", "reason": "aneurysm"}
    async with ward.as_(clinician) as client:
        before = (await client.get(page)).text
        assert "Systolic pressure at or above 160 mmHg" in before
        assert "site choice" in before
        for wrong in ({"limit": "x"}, {"limit": "9000"}, {"reason": ""}, {"metric": "mood"}):
            assert (await client.post(page, data={**form, **wrong})).status_code == 400, wrong
        assert (await client.post(page, data=form)).status_code == 303
        after = (await client.get(page)).text
        assert "aneurysm" in after
        assert "at or above 150 mmHg" in after
        assert {row.limit for row in (await plan_of(ward)).rows if row.own} == {150}
        assert (await client.post(f"{page}/drop", data=form)).status_code == 303
        assert not [row for row in (await plan_of(ward)).rows if row.own]
        off = {**form, "limit": "", "off": "yes"}
        assert (await client.post(page, data=off)).status_code == 303
        assert "default switched off" in (await client.get(page)).text


async def test_a_nurse_reads_limits_and_sets_none(ward: Any) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    async with ward.as_(ward.nurse) as client:
        text = (await client.get(page)).text
        assert "Set a limit" not in text
        form = {"metric": "systolic", "comparison": ">=", "limit": "150", "priority": "medium", "reason": "because"}
        assert (await client.post(page, data=form)).status_code == 403
        assert (await client.post(f"{page}/scale", data={"scale": "2", "why": "because"})).status_code == 403


async def test_scale_2_needs_a_reason(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    async with ward.as_(clinician) as client:
        assert (await client.post(f"{page}/scale", data={"scale": "2", "why": ""})).status_code == 400
        assert (
            await client.post(f"{page}/scale", data={"scale": "2", "why": "hypercapnic failure"})
        ).status_code == 303
        assert "at or below 83 %" in (await client.get(page)).text
    assert (await plan_of(ward)).profile.news2_scale == 2


async def test_what_nurses_record_stands_in_the_chart(ward: Any) -> None:
    async with access.work(acting(ward.ctx, ward.nurse), "recorded") as ctx:
        seen = monitoring.NewReading(ward.rosa_id, "consciousness", "C", also=(monitoring.Typed("oxygen", 2),))
        await monitoring.enter_readings(ctx, seen)
    async with ward.as_(ward.nurse) as client:
        text = (await client.get(f"/patients/{ward.rosa_id}")).text
    assert "new confusion" in text
    assert "Added oxygen" in text


async def test_a_clinician_enrols_and_sees_what_the_programme_asks(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    async with ward.as_(ward.nurse) as client:
        form = {"programme": ["hypertension"], "reason": "because"}
        assert (await client.post(f"{page}/programmes", data=form)).status_code == 403
    async with ward.as_(clinician) as client:
        refused = await client.post(f"{page}/programmes", data={"programme": ["copd", "diabetes"], "reason": " "})
        assert refused.status_code == 400
        assert "Say why this patient" in refused.text
        form = {"programme": ["copd", "diabetes"], "reason": "COPD, and diabetes since May"}
        assert (await client.post(f"{page}/programmes", data=form)).status_code == 303
        text = (await client.get(page)).text
        assert "Glucose above 13.9 mmol/L: 2 of the last 3 readings within 24 h" in text
        assert "installation default, to be set by a clinician" in text
        assert "nothing was measured yet" in text
        async with access.work(acting(ward.ctx, ward.nurse), "recorded") as ctx:
            await monitoring.enter_readings(ctx, monitoring.NewReading(ward.rosa_id, "glucose", 260))
        assert "too few readings: 1 of 3" in (await client.get(page)).text
        own = {"rule": "glucose-stays-very-high", "limit": "300", "priority": "high", "reason": "her endocrinologist"}
        for wrong in (
            {"limit": "x"},
            {"least": "4"},
            {"of": "21"},
            {"rule": "nothing"},
            {"hours": "-1"},
            {"reason": ""},
        ):
            assert (await client.post(page, data={**own, **wrong})).status_code == 400, wrong
        assert (await client.post(page, data=own)).status_code == 303
        text = (await client.get(page)).text
        assert "in place of glucose-stays-very-high" in text
        assert "Glucose above 16.7 mmol/L: 2 of the last 3 readings within 24 h" in text
        drop = {"metric": "glucose", "comparison": ">", "priority": "high", "rule": own["rule"], "kind": "persistence"}
        assert (await client.post(f"{page}/drop", data=drop)).status_code == 303
    assert not [row for row in (await plan_of(ward)).rows if row.own]


async def test_a_rule_of_the_patient_s_own_that_looks_back(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    form = {
        "kind": "change",
        "metric": "heart-rate",
        "comparison": ">=",
        "limit": "30",
        "hours": "0,5",
        "priority": "low",
    }
    async with ward.as_(clinician) as client:
        assert (await client.post(page, data={**form, "reason": "paroxysms", "hours": ""})).status_code == 400
        assert (await client.post(page, data={**form, "reason": "paroxysms"})).status_code == 303
        assert "change at or above 30 /min within 0.5 h" in (await client.get(page)).text
    (row,) = [row for row in (await plan_of(ward)).rows if row.own]
    assert (row.kind, row.cause, row.limit) == ("change", "heart-rate-gain", 30)


async def test_the_category_stands_beside_the_pressure_with_its_scheme(ward: Any, clinician: access.Person) -> None:
    async with access.work(acting(ward.ctx, ward.nurse), "recorded") as ctx:
        also = (monitoring.Typed("diastolic", 72),)
        await monitoring.enter_readings(ctx, monitoring.NewReading(ward.rosa_id, "systolic", 131, also=also))
    async with ward.as_(clinician) as client:
        text = (await client.get(f"/patients/{ward.rosa_id}")).text
    assert "Category, ACC/AHA 2017" in text
    assert "stage 1 hypertension" in text
    assert "of 131/72" in text
    assert "readings of two days are needed" in text


async def test_a_limit_may_ask_that_it_stands_broken_for_a_while(ward: Any, clinician: access.Person) -> None:
    page = f"/patients/{ward.rosa_id}/limits"
    form = {"metric": "spo2", "comparison": "<=", "limit": "88", "priority": "high", "reason": "dips in sleep"}
    async with ward.as_(clinician) as client:
        before = (await client.get(page)).text
        # The defaults' own, of a monitor alone, and of no high one.
        assert before.count("on a monitor for 15 s") == 2
        assert "on a monitor for 30 s" in before
        for wrong in ("301", "x", "-1", "1.5"):
            refused = await client.post(page, data={**form, "delay": wrong})
            assert (refused.status_code, 'id="field-delay-error"' in refused.text) == (400, True), wrong
        kept = {**form, "kind": "persistence", "least": "2", "of": "3", "hours": "1", "delay": "20"}
        assert (await client.post(page, data=kept)).status_code == 400
        assert (await client.post(page, data={**form, "delay": "20"})).status_code == 303
        after = (await client.get(page)).text
    assert "at or below 88 %, for 20 s" in after
    (row,) = [row for row in (await plan_of(ward)).rows if row.own]
    assert row.delay.total_seconds() == 20
