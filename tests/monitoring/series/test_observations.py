"""Every reading is an Observation of the record at once: read, searched, versioned, never changed by FHIR."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.monitoring.series.test_landing import NOON, device, newest, sent

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone
from bedside.fhir.structure import validate
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, NotFound
from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


async def search(ctx: Ctx, **params: str) -> list[dict[str, Any]]:
    async with access.work(ctx, "searched") as inner:
        pairs = [(name.replace("__", "-").replace("id_", "_id"), value) for name, value in params.items()]
        return (await records.search(inner, "Observation", pairs)).entries


async def read(ctx: Ctx, one: str) -> dict[str, Any]:
    async with access.work(ctx, "read") as inner:
        return await records.read(inner, "Observation", one)


def pressure(seq: int, systolic: float, diastolic: float, at: float) -> bytes:
    return pack(seq, ("8480-6", systolic, "mm[Hg]", at), ("8462-4", diastolic, "mm[Hg]", at))


async def test_a_pressure_of_one_moment_is_one_panel(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pressure(1, 178, 112, NOON - 3.25))
    (found,) = await search(ctx, patient="p1", code="85354-9")
    assert found == await read(ctx, found["id"])
    assert found["meta"]["profile"] == ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure"]
    assert found["status"] == "final"
    assert found["category"][0]["coding"][0]["code"] == "vital-signs"
    assert found["subject"] == {"reference": "Patient/p1"}
    assert found["effectiveDateTime"] == "2026-11-21T11:59:56.750000Z"
    assert found["device"]["reference"] == f"Device/{name}"
    assert "valueQuantity" not in found
    assert [
        (part["code"]["coding"][0]["code"], float(part["valueQuantity"]["value"]), part["valueQuantity"]["code"])
        for part in found["component"]
    ] == [("8480-6", 178, "mm[Hg]"), ("8462-4", 112, "mm[Hg]")]
    async with access.work(ctx, "read") as inner:
        assert (await records.read(inner, "Device", name))["patient"] == {"reference": "Patient/p1"}


async def test_a_panel_grows_when_its_other_half_arrives_later(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pack(1, ("8480-6", 150, "mm[Hg]", NOON)))
    (half,) = await search(ctx, patient="p1")
    assert half["component"][1]["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    await sent(ctx, name, pack(2, ("8462-4", 95, "mm[Hg]", NOON)), at=NOON + 1)
    (whole,) = await search(ctx, patient="p1")
    assert whole["id"] == half["id"]
    assert (half["meta"]["versionId"], whole["meta"]["versionId"]) == ("1", "2")
    assert float(whole["component"][1]["valueQuantity"]["value"]) == 95


async def test_every_metric_is_valid_fhir(ctx: Ctx) -> None:
    name = await device(ctx, kind="monitor")
    readings = []
    for metric in METRICS.values():
        if metric.letters:
            readings.append((metric.loinc, "V", None, NOON))
        else:
            number = {"diastolic": 80, "mean-pressure": 90}.get(metric.name, sum(metric.plausible) // 2)
            readings.append((metric.loinc, number, metric.unit, NOON))
    receipt = (await sent(ctx, name, pack(1, *readings)))[0]
    assert receipt.refused == []
    found = await search(ctx, patient="p1")
    assert len(found) == len(METRICS) - 2
    for one in found:
        issues = [issue for issue in validate(one) if issue.severity in {"error", "fatal"}]
        assert issues == [], one
    (oxygen,) = await search(ctx, patient="p1", code="http://loinc.org|2708-6")
    assert [coding["code"] for coding in oxygen["code"]["coding"]] == ["59408-5", "2708-6"]


async def test_search_by_date_device_category_value_order_and_page(ctx: Ctx) -> None:
    cuff, meter = await device(ctx), await device(ctx, kind="glucose-meter")
    other = await device(ctx, "p2")
    for n in range(30):
        await sent(ctx, cuff, pack(n, ("8867-4", 60 + n, "/min", NOON - 3000 + n * 100)))
    await sent(ctx, meter, pack(1, ("2339-0", 5.5, "mmol/L", NOON)))
    await sent(ctx, other, pack(1, ("8867-4", 99, "/min", NOON)))
    assert len(await search(ctx, patient="p1", category="laboratory")) == 1
    assert len(await search(ctx, patient="p1", device=f"Device/{cuff}", _count="50")) == 30
    since = datetime.fromtimestamp(NOON - 500, UTC).isoformat().replace("+00:00", "Z")
    assert len(await search(ctx, patient="p1", code="8867-4", date=f"gt{since}")) == 4
    assert len(await search(ctx, patient="p1", code="8867-4", date=f"ge{since}")) == 5
    assert (
        len(await search(ctx, patient="p1", code="8867-4", value__quantity="gt85|http://unitsofmeasure.org|/min")) == 4
    )
    async with access.work(ctx, "searched") as inner:
        query = [("patient", "p1"), ("code", "8867-4"), ("_sort", "-date"), ("_count", "7")]
        page = await records.search(inner, "Observation", query)
        values = [float(one["valueQuantity"]["value"]) for one in page.entries]
        while page.next:
            page = await records.search(inner, "Observation", [*query, ("_cursor", page.next)])
            values += [float(one["valueQuantity"]["value"]) for one in page.entries]
    assert values == [89 - n for n in range(30)]
    (one,) = await search(ctx, patient="p1", code="2339-0")
    assert await search(ctx, id_=one["id"]) == [one]
    assert one["note"] == [{"text": "Glucose [Mass/volume] in Blood: sent as 5.5 mmol/L"}]
    assert float(one["valueQuantity"]["value"]) == 99


async def test_readings_stand_beside_what_others_wrote(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pack(1, ("8867-4", 70, "/min", NOON)))
    written = (await search(ctx, patient="p1"))[0] | {"id": "lab-1", "effectiveDateTime": "2026-11-20T12:00:00Z"}
    async with access.work(ctx, "wrote") as inner:
        await records.create(inner, written, id="lab-1")
    both = await search(ctx, patient="p1", code="8867-4", _sort="date")
    assert both[0]["id"] == "lab-1"
    assert len(both) == 2


async def test_a_withdrawn_reading_reads_entered_in_error_and_keeps_its_history(ctx: Ctx, clock: TurnableClock) -> None:
    name = await device(ctx)
    await sent(ctx, name, pressure(1, 190, 100, NOON))
    one = (await newest(ctx))["systolic"].id
    async with access.work(ctx, "withdrew a reading") as inner:
        await monitoring.withdraw(inner, one, "my wife used it")
    found = await read(ctx, one)
    assert (found["status"], found["meta"]["versionId"]) == ("entered-in-error", "2")
    assert await search(ctx, patient="p1", status="final") == []
    async with access.work(ctx, "read") as inner:
        assert [old["status"] for old in await records.history(inner, "Observation", one)] == [
            "entered-in-error",
            "final",
        ]


async def test_what_a_patient_typed_is_tagged_and_says_who(ctx: Ctx) -> None:
    patient = acting(ctx, await someone(ctx, "patient", patient="p1"))
    async with access.work(patient, "typed a reading") as inner:
        made = await monitoring.enter_reading(inner, monitoring.NewReading("p1", "weight", 180, "[lb_av]"))
    found = await read(ctx, made.id)
    assert found["meta"]["tag"][0]["code"] == "patient-supplied"
    assert found["performer"] == [{"reference": "Patient/p1"}]
    assert "device" not in found
    assert float(found["valueQuantity"]["value"]) == 81.65
    with pytest.raises(NotFound):
        await read(ctx, "r.999999.1.5")


async def test_a_generic_write_of_a_reading_or_its_device_is_refused(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pack(1, ("8867-4", 70, "/min", NOON)))
    (one,) = await search(ctx, patient="p1")
    async with access.work(ctx, "wrote") as inner:
        with pytest.raises(Conflict):
            await records.update(inner, one | {"status": "amended"})
        with pytest.raises(Conflict):
            await records.delete(inner, "Observation", one["id"])
        with pytest.raises(Conflict):
            await records.update(inner, await records.read(inner, "Device", name) | {"status": "inactive"})


async def test_the_view_s_metrics_are_the_table_s(ctx: Ctx) -> None:
    async with access.work(ctx, "looked") as inner:
        rows = await inner.sql.fetch("select number, name, codes, category, unit, quantity from monitoring.metric")
    assert {
        row["number"]: (row["name"], row["codes"][0], row["category"], row["unit"], row["quantity"]) for row in rows
    } == {
        number: (
            metric.name,
            f"{metric.system}|{metric.loinc}",
            [f"http://terminology.hl7.org/CodeSystem/observation-category|{metric.category}"]
            if metric.category
            else [],
            [metric.unit],
            not metric.letters,
        )
        for number, metric in METRICS.items()
    }


async def test_a_battery_and_a_beat_are_observations_of_ieee_codes(ctx: Ctx) -> None:
    name = await device(ctx, kind="monitor")
    beat = ("rr-interval", 0.812, "s", NOON)
    await sent(ctx, name, pack(1, ("battery", 57, "%EL", NOON), beat))
    (battery,) = await search(ctx, patient="p1", code="urn:iso:std:iso:11073:10101|67996")
    assert battery["code"]["coding"][0]["system"] == "urn:iso:std:iso:11073:10101"
    assert (battery["valueQuantity"]["value"], battery["valueQuantity"]["code"]) == (57, "%")
    assert "category" not in battery
    (interval,) = await search(ctx, patient="p1", code="urn:iso:std:iso:11073:10101|147240")
    assert (interval["valueQuantity"]["value"], interval["valueQuantity"]["code"]) == (812, "ms")
