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
    array[value] as value, array['/min'] as unit
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
            found[id_] = {**made, "id": id_, "meta": meta}
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
        "code": records.Column("token", "code"),
        "category": records.Column("token", "category"),
        "status": records.Column("token", "status"),
        "date": records.Column("date", "at", "until"),
        "subject": records.Column("reference", "subject"),
        "patient": records.Column("reference", "subject"),
        "value-quantity": records.Column("quantity", "value", "unit"),
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
        "patient=ada&component-code:missing=true": 40,
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
    async with door(ctx.with_(tenant=2)) as http:
        assert (await http.get("/Observation?code=8867-4")).json()["total"] == 0
