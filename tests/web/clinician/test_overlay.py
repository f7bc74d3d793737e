"""Several measurements, medicines, visits and alarms on one time axis."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.web.conftest import concept, potassium

from bedside import access, monitoring, records
from bedside.access.testing import acting
from bedside.web.clinician import happened
from bedside.web.clinician.overlay import laboratory
from bedside.web.clinician.timeline import Axis, lane
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.series import Chart, Dot, Line

pytestmark = pytest.mark.engine

NEW_YORK = ZoneInfo("America/New_York")
UNTIL = datetime(2026, 11, 29, 12, tzinfo=UTC)


def axis(days: float = 30) -> Axis:
    return Axis(UNTIL - timedelta(days=days), UNTIL, NEW_YORK)


@pytest.mark.parametrize("days", [0.1, 1, 7, 30, 90, 365, 4000, 36500])
def test_ticks_are_few_round_and_on_the_axis(days: float) -> None:
    ticks = axis(days).ticks()
    assert 1 <= len(ticks) <= 8
    assert all(0 <= tick.x <= 100 for tick in ticks)
    assert all(tick.at.astimezone(NEW_YORK).minute == 0 for tick in ticks)
    assert [tick.x for tick in ticks] == sorted({tick.x for tick in ticks})


def test_midnights_stay_midnights_when_the_clock_changes() -> None:
    over = Axis(datetime(2026, 10, 30, tzinfo=NEW_YORK), datetime(2026, 11, 4, tzinfo=NEW_YORK), NEW_YORK)
    assert {tick.at.astimezone(NEW_YORK).hour for tick in over.ticks()} == {0}


def chart(*dots: Dot, limits: tuple[float | None, float | None] = (None, 160)) -> Chart:
    return Chart("systolic", "Systolic", "mm[Hg]", (Line("Systolic", dots),), (limits,), axis().since, UNTIL)


def test_a_lane_draws_what_stands_and_lists_the_same() -> None:
    dots = [Dot(UNTIL - timedelta(days=n), 120.0 + n, "device") for n in (20, 10, 0)]
    wrong = Dot(UNTIL - timedelta(days=5), 300.0, "typed", wrong=True)
    drawn = lane(chart(*dots, wrong), axis(), unit_of("mm[Hg]", "metric"))
    assert [mark.x for mark in drawn.lines[0].marks] == [33.333, 66.667, 100]
    assert [value for _, value in drawn.edges] == [140, 120]
    assert drawn.whole
    assert [row.values[0] for row in drawn.rows] == [(120, 120), (130, 130), (140, 140)]


def test_a_long_lane_keeps_its_extremes_in_picture_and_table() -> None:
    dots = [Dot(UNTIL - timedelta(minutes=n), 70.0 + (n == 7000) * 90, "device") for n in range(20000, -1, -1)]
    drawn = lane(chart(*dots), axis(), unit_of("mm[Hg]", "metric"))
    assert not drawn.whole
    assert not drawn.lines[0].marks
    assert drawn.lines[0].path.count("L") < 700
    assert drawn.edges[0][1] == 160
    assert max(row.values[0][1] for row in drawn.rows if row.values[0]) == 160


def medicine(**more: Any) -> dict[str, Any]:
    base = {"resourceType": "MedicationRequest", "id": "m", "intent": "order", "status": "completed"}
    return {**base, "medicationCodeableConcept": {"text": "Lisinopril"}, "authoredOn": "2026-11-20", **more}


def test_a_medicine_ends_only_where_somebody_wrote_it() -> None:
    weeks = {"timing": {"repeat": {"boundsDuration": {"value": 7, "code": "d"}}}}
    past, given, current, wish, wrong = (
        medicine(),
        medicine(dosageInstruction=[weeks]),
        medicine(status="active", dosageInstruction=[weeks]),
        medicine(intent="proposal"),
        medicine(status="entered-in-error"),
    )
    spans = happened.medicines([past, given, current, wish, wrong], [])
    assert [(s.until and s.until.day, s.goes_on) for s in spans] == [(None, False), (27, False), (None, True)]
    bars = happened.tracks(spans, axis())[0].bars
    assert [round(bar.width, 1) for bar in bars] == [0, 23.3, 31.7]
    assert [bar.runs for bar in bars] == [False, False, True]


def test_what_ended_before_or_began_after_is_not_on_the_axis() -> None:
    at = [
        happened.Span("before", UNTIL - timedelta(days=50), UNTIL - timedelta(days=40)),
        happened.Span("into", UNTIL - timedelta(days=50), UNTIL - timedelta(days=20)),
        happened.Span("on", UNTIL - timedelta(days=50), None, goes_on=True),
        happened.Span("after", UNTIL + timedelta(days=1)),
    ]
    assert [s.what for s in happened.within(at, axis())] == ["into", "on"]


def test_laboratory_values_of_one_unit_stand_together() -> None:
    def one(value: Any, unit: str, **more: Any) -> dict[str, Any]:
        code = {"text": "Potassium", "coding": [{"code": "6298-4"}]}
        quantity = {"value": value, "unit": unit, **more}
        at = "2026-11-01T08:00:00Z" if unit == "mmol/L" else "2026-10-01T08:00:00Z"
        return {"code": code, "status": "final", "effectiveDateTime": at, "valueQuantity": quantity}

    found = laboratory([one(4, "mmol/L"), one(15, "mg/dL"), one(7, "mmol/L", comparator=">")])
    assert [d.value for d in found["lab-6298-4"].lines[0].dots] == [4]


async def test_what_is_tested_daily_hides_nothing_tested_once_a_year(
    ward: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest three are of one test; what the chart and the lanes say of the others and of its past is there."""
    monkeypatch.setattr("bedside.web.clinician.chart.MOST", 3)
    async with access.work(ward.ctx, "a laboratory") as ctx:
        for day in range(2, 9):
            glucose = potassium(ward.rosa_id) | {
                "code": concept("Glucose in blood", "2345-7", "http://loinc.org"),
                "effectiveDateTime": f"2026-11-{day:02d}T08:00:00Z",
                "valueQuantity": {"value": 90 + day, "unit": "mg/dL", "system": "http://unitsofmeasure.org"},
            }
            await records.create(ctx, glucose)
    async with ward.as_(ward.nurse) as client:
        chart = (await client.get(f"/patients/{ward.rosa_id}")).text
        lanes = (await client.get(f"/patients/{ward.rosa_id}/overlay?show=lab-2345-7&span=month")).text
    assert "Potassium" in chart
    assert "4.10" in chart
    assert "Potassium" in lanes
    assert all(f">{90 + day}<" in lanes for day in range(2, 9))


async def test_the_page_shows_what_was_chosen(ward: Any) -> None:
    async with access.work(acting(ward.ctx, ward.nurse), "recorded") as ctx:
        await monitoring.enter_reading(ctx, monitoring.NewReading(ward.rosa_id, "weight", 71.5))
        await records.create(ctx, {**medicine(status="active"), "subject": {"reference": f"Patient/{ward.rosa_id}"}})
        now = ctx.clock.now()
    path = f"/patients/{ward.rosa_id}/overlay"
    async with ward.as_(ward.nurse) as client:
        text = (await client.get(f"{path}?show=weight&show=lab-6298-4&span=year")).text
        assert "71.5" in text
        assert "Potassium" in text
        assert "Lisinopril" in text
        assert "goes on" in text
        assert 'value="weight" checked' in text
        for wrong in ("show=weight&show=spo2&show=bmi&show=glucose&show=heart-rate", "until=yesterday"):
            assert (await client.get(f"{path}?{wrong}")).status_code == 400
        old = (await client.get(f"{path}?show=weight&span=week&until={now - timedelta(days=60):%Y-%m-%d}")).text
        assert "Nothing was measured in this time." in old
        assert (await client.get(f"/patients/{ward.ben_id}/overlay")).status_code == 403
    async with ward.as_(ward.rosa) as client:
        assert (await client.get(path)).status_code == 403
