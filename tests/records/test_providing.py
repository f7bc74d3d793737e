"""Readings of another room appear among the record's own Observations: read, search, pages, history; never written."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.records.service import registry

pytestmark = pytest.mark.engine

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VIEW = """
create schema elsewhere;
create table elsewhere.reading (tenant int, patient text, n int, at timestamptz, value float8);
create view elsewhere.observation as
select tenant, 'r.' || patient || '.' || n as id, patient, at, at + interval '1 second' as until, at as updated,
    1 as version, array['http://loinc.org|8867-4'] as code,
    array['http://terminology.hl7.org/CodeSystem/observation-category|vital-signs'] as category,
    array['http://hl7.org/fhir/observation-status|final'] as status, array['Patient/' || patient] as subject,
    array[value] as value, array['/min'] as unit, array['Device/d' || n % 2] as device,
    array['http://x.org|up', 'http://x.org|down'] as part_code, array[value, -value] as part_value,
    array['kg', 'g'] as part_unit
from elsewhere.reading
"""


async def render(ctx: Ctx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    rows = await ctx.sql.fetch("select n, patient, at, value from elsewhere.reading")
    found = {}
    for row in rows:
        id_ = f"r.{row['patient']}.{row['n']}"
        if id_ in ids:
            meta = {"versionId": "1", "lastUpdated": row["at"].isoformat().replace("+00:00", "Z")}
            made = pulse(row["patient"], row["value"], row["at"].isoformat())
            device = {"reference": f"Device/d{row['n'] % 2}"}
            found[id_] = {**made, "id": id_, "meta": meta, "device": device}
    return found


async def patient_of(ctx: Ctx, id_: str) -> str | None:
    return id_.split(".")[1] if id_ in await render(ctx, [id_]) else None


async def versions(ctx: Ctx, id_: str) -> list[dict[str, Any]]:
    return list((await render(ctx, [id_])).values())


PROVIDER = records.ReadProvider(
    type="Observation",
    room="elsewhere",
    view="elsewhere.observation",
    columns={
        "code": records.Column("token", "code", texts={"http://loinc.org|8867-4": ("Heart rate", "Púls")}),
        "category": records.Column("token", "category"),
        "status": records.Column("token", "status"),
        "date": records.Column("date", "at", "until"),
        "subject": records.Column("reference", "subject"),
        "patient": records.Column("reference", "subject"),
        "device": records.Column("reference", "device"),
        "value-quantity": records.Column("quantity", "value", "unit", units=("/min",)),
        "component-code": records.Column("token", "part_code"),
        "component-value-quantity": records.Column("quantity", "part_value", "part_unit", units=("kg", "g")),
    },
    owns=lambda id_: id_.startswith("r."),
    render=render,
    patient_of=patient_of,
    versions=versions,
    operation="Send readings by MQTT.",
)


@pytest.fixture
async def mixed(ctx: Ctx, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ada: 20 readings elsewhere at even hours, 20 Observations in the record at odd ones; 5 of ben elsewhere."""
    monkeypatch.setattr(registry, "_providers", {})
    records.provide(PROVIDER)
    async with access.work(ctx, "seed") as inner:
        await inner.sql.execute(VIEW)
        for one in ("ada", "ben"):
            await records.create(inner, patient(one))
        for n in range(20):
            even, odd = BEGIN + timedelta(hours=2 * n), BEGIN + timedelta(hours=2 * n + 1)
            await inner.sql.execute("insert into elsewhere.reading values (1, 'ada', $1, $2, $3)", n, even, 60.0 + n)
            await records.create(inner, pulse("ada", 60 + n, odd.isoformat()))
        for n in range(5):
            await inner.sql.execute("insert into elsewhere.reading values (1, 'ben', $1, $2, 99)", n, BEGIN)


async def every_page(http: httpx.AsyncClient, url: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while url:
        page = (await http.get(url)).json()
        found += [entry["resource"] for entry in page.get("entry", ())]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    return found


@pytest.mark.usefixtures("mixed")
async def test_search(http: httpx.AsyncClient) -> None:
    for query, expected in {
        "patient=ada&_sort=-date": 40,
        "patient=ada&code=http://loinc.org|8867-4&_sort=date": 40,
        "code=8867-4": 45,
        "category=vital-signs&patient=ben": 5,
        "value-quantity=ge75|http://unitsofmeasure.org|/min&patient=ada": 10,
        "patient=ada&date=ge2026-01-02": 16,
        "_sort=-date": 45,
        "status:not=final": 0,
        "identifier=x": 0,
        "patient=ada&component-code:missing=true": 20,
        "patient=ada&identifier:missing=true": 40,
    }.items():
        found = await every_page(http, f"/Observation?{query}&_count=7")
        assert len({one["id"] for one in found}) == len(found) == expected, query
        if "_sort" in query:
            times = [datetime.fromisoformat(one["effectiveDateTime"]) for one in found]
            assert times == sorted(times, reverse="-date" in query), query
        assert (await http.get(f"/Observation?{query}&_summary=count")).json()["total"] == expected, query
    first = (await http.get("/Observation?patient=ada&_sort=-date&_count=4")).json()
    assert [e["resource"]["id"].startswith("r.") for e in first["entry"]] == [False, True, False, True]


@pytest.mark.usefixtures("mixed")
async def test_search_by_more(http: httpx.AsyncClient) -> None:
    """Chains, _has, composites, texts, includes and orders reach the readings too."""
    for n in range(2):
        await http.put(f"/Device/d{n}", json={"resourceType": "Device", "id": f"d{n}", "deviceName": [
            {"name": f"cuff {n}", "type": "user-friendly-name"}]})  # fmt: skip
    await http.put("/Patient/ada", json=patient("ada", gender="female", name=[{"family": "Able"}]))
    unit = "http://unitsofmeasure.org"
    for query, expected in {
        "Observation?patient.name=able&code=8867-4": 40,
        "Observation?subject:Patient.gender=female": 40,
        "Observation?device.device-name=cuff 1&patient=ada": 10,
        "Observation?device=d0&patient=ben": 3,
        "Observation?code:text=puls": 25,
        "Observation?code:below=http://x.org|1": None,
        "Observation?code-value-quantity=8867-4$gt75&patient=ada": 8,
        "Observation?code-value-quantity=8867-4$gt98,x$1": 5,
        "Observation?component-code-value-quantity=up$gt70&patient=ada": 9,
        "Observation?component-code-value-quantity=down$gt0": 0,
        "Observation?component-code-value-quantity:missing=false": 25,
        f"Observation?component-value-quantity=75000|{unit}|g&patient=ada": 1,
        "Patient?_has:Observation:patient:value-quantity=99": 1,
        "Patient?_has:Observation:subject:device.device-name=cuff 0": 2,
        "Device?_has:Observation:device:value-quantity=gt98": 2,
        "Patient/ada/Observation?date=ge2026-01-02": 16,
        "Device/d1/Observation?_count=3": 12,
        "Observation?_sort=-value-quantity,_id": 45,
        "Observation?_sort=device,-date&code=8867-4": 45,
        "Observation?_sort=-code,value-quantity": 45,
        "?_type=Observation,Device&_sort=-_lastUpdated": 47,
    }.items():
        if expected is None:
            assert (await http.get(f"/{query}")).status_code == 400
            continue
        joint = "&" if "_count" in query else "&_count=7&"
        found = await every_page(http, f"/{query}{joint}".rstrip("&"))
        assert len({one["id"] for one in found}) == len(found) == expected, query
        if "-value-quantity" in query and "_sort" in query:
            values = [one["valueQuantity"]["value"] for one in found]
            assert values == sorted(values, reverse=True)
    for query, expected in {
        "Observation?_id=r.ada.3&_include=Observation:device&_include=Observation:subject": {"d1", "ada"},
        "Observation?_id=r.ada.3&_include=*": {"d1", "ada"},
        "Device?_id=d1&_revinclude=Observation:device": {f"r.{who}.{n}" for who, m in (("ada", 20), ("ben", 5))
                                                         for n in range(1, m, 2)},
    }.items():  # fmt: skip
        page = (await http.get(f"/{query}")).json()
        included = {e["resource"]["id"] for e in page["entry"] if e["search"]["mode"] == "include"}
        assert included == expected, query
    about = {"resourceType": "DiagnosticReport", "id": "report", "status": "final", "code": {"text": "x"},
             "subject": {"reference": "Patient/ada"}, "result": [{"reference": "Observation/r.ada.3"}]}  # fmt: skip
    await http.put("/DiagnosticReport/report", json=about)
    page = (await http.get("/DiagnosticReport?_id=report&_include=DiagnosticReport:result")).json()
    assert [e["resource"]["id"] for e in page["entry"]] == ["report", "r.ada.3"]


@pytest.mark.usefixtures("mixed")
async def test_read_and_history(http: httpx.AsyncClient) -> None:
    assert (await http.get("/Observation/r.ada.3")).json()["valueQuantity"]["value"] == 63
    assert (await http.get("/Observation/r.ada.99")).status_code == 404
    assert (await http.get("/Observation/r.ada.3/_history/1")).status_code == 200
    assert (await http.get("/Observation/r.ada.3/_history")).json()["total"] == 1
    for path, expected in {"/Observation/_history": 45, "/_history": 47}.items():
        found = await every_page(http, f"{path}?_count=9")
        assert len({one["id"] for one in found}) == len(found) == expected, path


@pytest.mark.usefixtures("mixed")
async def test_nobody_writes_them(http: httpx.AsyncClient) -> None:
    body = {**pulse("ada"), "id": "r.ada.3"}
    for answer in (await http.put("/Observation/r.ada.3", json=body), await http.delete("/Observation/r.ada.3")):
        assert answer.status_code == 409
        assert "Send readings by MQTT." in answer.json()["issue"][0]["diagnostics"]


async def as_root(ctx: Ctx) -> None:
    """A house that both patients belong to."""
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, {"resourceType": "Organization", "id": "house", "name": "House"})
        for one in ("ada", "ben"):
            await records.update(inner, patient(one, managingOrganization={"reference": "Organization/house"}))


@pytest.mark.usefixtures("mixed")
async def test_only_for_those_who_may(ctx: Ctx, door: Door) -> None:
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "relate") as inner:
        await access.relate(inner, person=nurse.id, patient="ada", kind="care", source="test")
    async with door(acting(ctx, nurse)) as http:
        assert (await http.get("/Observation/r.ada.3")).status_code == 200
        assert (await http.get("/Observation/r.ben.3")).status_code == 403
        assert {one["subject"]["reference"] for one in await every_page(http, "/Observation?_count=50")} == {
            "Patient/ada"
        }
        assert (await http.get("/Observation?_summary=count")).json()["total"] == 40
        # No way round: not through whom the readings are of, nor as what is added to a page.
        assert (await http.get("/Patient?_has:Observation:patient:value-quantity=99")).json()["total"] == 0
        assert (await http.get("/Observation?patient.name=quist&value-quantity=99&_total=accurate")).json()[
            "total"
        ] == 0
        await as_root(ctx)
        page = (await http.get("/Organization?_revinclude:iterate=Patient:organization"
                               "&_revinclude:iterate=Observation:patient")).json()  # fmt: skip
        added = {e["resource"]["id"] for e in page["entry"] if e["search"]["mode"] == "include"}
        assert len(added) == 41
        assert not any("ben" in one for one in added)
        assert (await http.get("/Patient/ben/Observation")).status_code == 403
    async with door(ctx.with_(tenant=2)) as http:
        assert (await http.get("/Observation?code=8867-4")).json()["total"] == 0
