"""$stats: figures of the record's own values and of readings, by code and unit; never of what is no value."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_providing import PROVIDER

from bedside import access, records
from bedside.access.testing import acting, someone
from bedside.fhir import structure
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine

LOINC = "http://loinc.org"
EVERY = "average,minimum,maximum,count,total-count,median,std-dev,variance,sum,20-percent,80-percent,4-lower,4-upper"
Readings = Callable[[str, Sequence[datetime]], Awaitable[None]]


def told(answer: httpx.Response) -> list[dict[str, Any]]:
    """Each Observation's figures by code, with its code and unit."""
    assert answer.status_code == 200, answer.text
    found = []
    for one in answer.json()["parameter"]:
        if one["name"] != "statistics":
            continue
        made = one["resource"]
        assert not structure.validate(made)
        figures: dict[str, Any] = {"code": made["code"]["coding"][0]["code"], "unit": None}
        for part in made["component"]:
            quantity = part.get("valueQuantity", {})
            name = part["code"]["coding"][0]["code"]
            figures[name] = part.get("valueInteger", quantity.get("value"))
            if name != "variance":
                figures["unit"] = figures["unit"] or quantity.get("code") or quantity.get("unit")
        found.append(figures)
    return found


async def keep(ctx: Ctx, *resources: dict[str, Any]) -> None:
    async with access.work(ctx, "seed") as inner:
        for one in resources:
            await records.create(inner, one)


async def test_figures_of_readings_and_of_the_record(ctx: Ctx, http: httpx.AsyncClient, readings: Readings) -> None:
    columns = {**PROVIDER.columns, "combo-code": PROVIDER.columns["code"]}
    begin = datetime(2026, 2, 1, tzinfo=UTC)
    await readings("ada", [begin + timedelta(minutes=n) for n in range(5)])  # 60 … 64
    records.provide(PROVIDER._replace(columns=columns))
    wrong = {**pulse("ada", 900, "2026-02-01T01:00:00Z"), "status": "entered-in-error"}
    below = pulse("ada", 1, "2026-02-01T01:00:00Z")
    below["valueQuantity"]["comparator"] = "<"
    absent = pulse("ada", 1, "2026-02-01T01:00:00Z")
    del absent["valueQuantity"]
    absent["dataAbsentReason"] = {"text": "lead off"}
    hertz = pulse("ada", 2, "2026-02-01T01:00:00Z")
    hertz["valueQuantity"] |= {"code": "Hz", "unit": "Hz"}  # 120 a minute
    await keep(ctx, patient("ben"), pulse("ben", 500), wrong, below, absent, hertz)
    asked = f"/Observation/$stats?subject=Patient/ada&code=8867-4&system={LOINC}&statistic={EVERY}"
    (one,) = told(await http.get(asked))
    assert one["unit"] in ("/min", "Hz")
    scale = 1 if one["unit"] == "/min" else 60
    assert (one["count"], one["total-count"]) == (6, 8)
    assert one["minimum"] * scale == pytest.approx(60)
    assert one["maximum"] * scale == pytest.approx(120)
    assert one["average"] * scale == pytest.approx(430 / 6, rel=1e-4)
    assert one["sum"] * scale == pytest.approx(430, rel=1e-4)
    figures = {
        "median": 62.5,
        "std-dev": 23.7206,
        "20-percent": 61,
        "80-percent": 64,
        "4-lower": 61.25,
        "4-upper": 63.75,
    }
    for name, figure in figures.items():  # six digits of each are told
        assert one[name] * scale == pytest.approx(figure, rel=1e-4), name
    assert one["variance"] * scale**2 == pytest.approx(562.667, rel=1e-4)


async def test_parts_and_several_codes(ctx: Ctx, http: httpx.AsyncClient) -> None:
    pressures = []
    for n in range(3):
        made = pulse("ada", 1, f"2026-01-0{n + 1}T08:00:00Z", code="85354-9")
        del made["valueQuantity"]
        made["component"] = [
            {
                "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": value + n, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
            }
            for code, value in (("8480-6", 140), ("8462-4", 80))
        ]
        pressures.append(made)
    await keep(ctx, patient("ada"), *pressures)
    codings = [{"name": "coding", "valueCoding": {"system": LOINC, "code": code}} for code in ("8480-6", "8462-4")]
    parameters = [
        {"name": "subject", "valueUri": "Patient/ada"},
        *codings,
        {"name": "statistic", "valueCode": "average"},
        {"name": "statistic", "valueCode": "count"},
    ]
    asked = {"resourceType": "Parameters", "parameter": parameters}
    upper, lower = told(await http.post("/Observation/$stats", json=asked))
    assert (upper["code"], upper["average"], upper["count"], upper["unit"]) == ("8480-6", 141, 3, "mm[Hg]")
    assert (lower["code"], lower["average"]) == ("8462-4", 81)
    parameters.append({"name": "period", "valuePeriod": {"start": "2026-01-02", "end": "2026-01-02"}})
    assert [one["count"] for one in told(await http.post("/Observation/$stats", json=asked))] == [1, 1]
    parameters += [{"name": "include", "valueBoolean": True}, {"name": "limit", "valuePositiveInt": 5}]
    answer = (await http.post("/Observation/$stats", json=asked)).json()["parameter"]
    assert [one["name"] for one in answer] == ["statistics", "statistics", "source"]


async def test_units_that_do_not_meet_are_kept_apart(ctx: Ctx, http: httpx.AsyncClient) -> None:
    glucose = []
    for n, (value, code) in enumerate(((100, "mg/dL"), (110, "mg/dL"), (6, "mmol/L"))):
        made = pulse("ada", value, f"2026-01-0{n + 1}", code="15074-8")
        made["valueQuantity"] |= {"code": code, "unit": code}
        glucose.append(made)
    plain = pulse("ada", 7, "2026-01-05", code="15074-8")
    plain["valueQuantity"] = {"value": 7, "unit": "pebbles"}
    await keep(ctx, patient("ada"), *glucose, plain)
    answer = await http.get("/Observation/$stats?subject=Patient/ada&code=15074-8&statistic=average,count,std-dev")
    found = {one["unit"]: one for one in told(answer)}
    assert {unit: one["average"] for unit, one in found.items()} == {"mg/dL": 105, "mmol/L": 6, "pebbles": 7}
    assert found["mmol/L"]["std-dev"] is None  # of one value there is none
    assert "do not convert" in answer.json()["parameter"][0]["resource"]["note"][0]["text"]


async def test_the_last_hours(ctx: Ctx, http: httpx.AsyncClient, clock: TurnableClock) -> None:
    now = clock.now()
    times = [now - timedelta(hours=n) for n in (1, 5, 30)]
    await keep(ctx, patient("ada"), *(pulse("ada", 60 + n, at.isoformat()) for n, at in enumerate(times)))
    asked = "/Observation/$stats?subject=Patient/ada&code=8867-4&statistic=count,maximum&duration="
    assert told(await http.get(f"{asked}6"))[0] == {"code": "8867-4", "unit": "/min", "count": 2, "maximum": 61}
    assert told(await http.get(f"{asked}0.5"))[0] == {"code": "8867-4", "unit": None, "count": 0, "maximum": None}


async def test_refusals(ctx: Ctx, http: httpx.AsyncClient, door: Door) -> None:
    await keep(ctx, patient("ada"))
    good = "subject=Patient/ada&code=8867-4&statistic=count"
    for query in (
        "code=8867-4&statistic=count",
        "subject=Patient/ada&statistic=count",
        "subject=Patient/ada&code=8867-4",
        f"{good},skew",
        f"{good}&duration=-1",
        f"{good}&duration=x",
        f"{good}&foo=1",
        f"{good}&limit=0",
    ):
        assert (await http.get(f"/Observation/$stats?{query}")).status_code == 400, query
    async with door(acting(ctx, await someone(ctx, "nurse"))) as nurse:
        assert (await nurse.get(f"/Observation/$stats?{good}")).status_code == 403
