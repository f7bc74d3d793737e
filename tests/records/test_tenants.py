"""Two tenants in one database: whatever door of the record one goes through, nothing of the other is there."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import client
from bedside.foundation.context import Ctx
from bedside.foundation.jobs import Worker
from bedside.records.service import contents, shelf
from bedside.records.service.duplicates import likely_duplicates
from bedside.records.service.writing import Draft
from bedside.records.subscribers import JOBS

pytestmark = pytest.mark.engine

SECRET = "Zweitmandant"
BYTES = SECRET.encode() * 20_000


def planted(tenant: str) -> list[dict[str, Any]]:
    """The same ids in both, and some of each one's own; each says whose it is."""
    name = [{"family": tenant, "given": ["Ada"]}]
    number = [{"system": "urn:mrn", "value": "17"}]
    encounter = {"status": "planned", "class": {"code": "VR"}, "subject": {"reference": "Patient/ada"}}
    return [
        patient("ada", name=name, birthDate="1950-04-12", identifier=number),
        patient(f"only-{tenant}", name=name, birthDate="1950-04-12", identifier=number),
        {**pulse("ada"), "id": "shared", "note": [{"text": tenant}]},
        {**pulse(f"only-{tenant}"), "id": f"pulse-{tenant}", "note": [{"text": tenant}]},
        {"resourceType": "Organization", "id": f"org-{tenant}", "name": tenant},
        {"resourceType": "Encounter", "id": f"enc-{tenant}", **encounter},
        {"resourceType": "Group", "id": "few", "type": "person", "actual": True, "name": tenant,
         "member": [{"entity": {"reference": "Patient/ada"}}, {"entity": {"reference": f"Patient/only-{tenant}"}}]},
    ]  # fmt: skip


@pytest.fixture
async def both(ctx: Ctx, tmp_path: Path) -> tuple[Ctx, Ctx]:
    """Clients of tenant 1 and 2 with every scope, each record planted; 2 says SECRET throughout."""
    shelf.use(ctx.database, tmp_path)

    async def body() -> Any:
        yield BYTES

    for tenant, name in ((1, "first"), (2, SECRET)):
        mine = ctx.with_(tenant=tenant)
        taken = await contents.take(mine, body())
        async with access.work(mine, "seed") as inner:
            for one in planted(name):
                await records.update(inner, one)
            await records.update(inner, {**pulse("ada", 99), "id": "shared", "note": [{"text": name}]})
            binary = {"resourceType": "Binary", "id": f"bin-{name}", "contentType": "text/plain"}
            await contents.keep(inner, Draft("put", "Binary", binary["id"], binary), taken)
    one = client(ctx, "system/*.cruds")
    return one, one.with_(tenant=2)


READS = [
    f"/Patient/only-{SECRET}",
    f"/Patient/only-{SECRET}/_history/1",
    f"/Patient/only-{SECRET}/_history",
    f"/Observation/pulse-{SECRET}",
    f"/Organization/org-{SECRET}",
    f"/Binary/bin-{SECRET}",
    f"/Binary/bin-{SECRET}/_history/1",
]
SEARCHES = [
    "/Patient/ada",
    "/Patient/ada/_history",
    "/Observation/shared/_history/2",
    "/Observation/shared/_history",
    "/_history",
    "/Observation/_history",
    "/Patient?_count=100",
    "/Patient?identifier=17",
    "/Patient?birthdate=1950-04-12",
    f"/Patient?family={SECRET}",
    f"/Patient?name={SECRET}",
    "/Patient?_has:Observation:subject:code=8867-4",
    "/Observation?code=8867-4",
    "/Observation?subject=Patient/ada",
    f"/Observation?subject=Patient/only-{SECRET}",
    f"/Observation?subject:Patient.family={SECRET}",
    "/Observation?_include=Observation:subject",
    "/Patient?_revinclude=Observation:subject",
    "/Patient?_sort=-_lastUpdated",
    "/Encounter?subject=Patient/ada",
    "/Binary?_count=10",
    "/Group?_count=10",
    "/?_type=Patient,Observation,Organization",
]


async def test_reading(both: tuple[Ctx, Ctx], door: Door) -> None:
    one, two = both
    async with door(one) as http, door(two) as other:
        for address in READS:
            assert (await http.get(address)).status_code == 404, address
            assert (await other.get(address)).status_code == 200, address
        for address in SEARCHES:
            answer = await http.get(address)
            assert answer.status_code == 200, (address, answer.text)
            body = answer.json()
            # The links repeat what was asked: what counts is what was found.
            assert SECRET not in json.dumps(body.get("entry", body if "link" not in body else [])), address
        count = await http.get("/Patient?_summary=count")
        assert count.json()["total"] == 2


async def test_writing(both: tuple[Ctx, Ctx], door: Door, ctx: Ctx) -> None:
    one, two = both
    async with door(one) as http, door(two) as other:
        before = (await other.get("/_history?_count=1000")).json()["entry"]
        reads = [{"request": {"method": "GET", "url": url[1:]}} for url in READS if not url.endswith("_history")]
        batch = (await http.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": reads})).json()
        assert {entry["response"]["status"][:3] for entry in batch["entry"]} == {"404"}
        made = patient(f"only-{SECRET}", name=[{"family": "first"}])
        assert (await http.put(f"/Patient/only-{SECRET}", json=made)).status_code == 201  # there was none here
        assert (await http.delete(f"/Patient/only-{SECRET}")).status_code == 204
        assert (await http.delete(f"/Organization/org-{SECRET}")).status_code == 404
        assert (await http.put(f"/Patient?family={SECRET}", json=patient(name=[{"family": "new"}]))).status_code == 201
        fresh = await http.post("/Patient", json=patient(), headers={"if-none-exist": f"family={SECRET}"})
        assert fresh.status_code == 201
        assert (await http.delete(f"/Observation?code=8867-4&subject=Patient/only-{SECRET}")).status_code == 404
        entries = [
            {"resource": {**pulse("x"), "subject": {"reference": f"Patient?family={SECRET}"}},
             "request": {"method": "POST", "url": "Observation"}},
        ]  # fmt: skip
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        assert (await http.post("/", json=bundle)).status_code == 412  # a reference by criteria meets nobody
        context = {"content-type": "text/plain", "x-security-context": f"Organization/org-{SECRET}"}
        assert (await http.post("/Binary", content=b"x", headers=context)).status_code == 422
        assert (await other.get("/_history?_count=1000")).json()["entry"] == before


async def test_bulk(both: tuple[Ctx, Ctx], door: Door, ctx: Ctx) -> None:
    one, two = both
    worker = Worker(ctx.database, ctx.bus, ctx.clock, JOBS)

    async def exported(http: httpx.AsyncClient, address: str) -> tuple[str, str]:
        status = (await http.get(address, headers={"prefer": "respond-async"})).headers["content-location"]
        await worker.run_due()
        files = (await http.get(status)).json()["output"]
        return status, "".join([(await http.get(item["url"])).text for item in files])

    async with door(one) as http, door(two) as other:
        for address in ("/$export", "/Patient/$export", "/Group/few/$export"):
            _, mine = await exported(http, address)
            status, theirs = await exported(other, address)
            assert SECRET not in mine, address
            assert SECRET in theirs, address
            assert (await http.get(status)).status_code == 404
            assert (await http.delete(status)).status_code == 404
            for item in (await other.get(status)).json()["output"]:
                assert (await http.get(item["url"])).status_code == 404


async def test_matching_and_merging(both: tuple[Ctx, Ctx], door: Door) -> None:
    one, _ = both
    wanted = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:mrn", "value": "17"}],
        "birthDate": "1950-04-12",
    }
    async with door(one) as http:
        asked = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": wanted}]}
        found = (await http.post("/Patient/$match", json=asked)).json()
        assert {entry["resource"]["id"] for entry in found["entry"]} == {"ada", "only-first"}
        names = {"source-patient": f"only-{SECRET}", "target-patient": "ada"}
        parameters = [{"name": k, "valueReference": {"reference": f"Patient/{v}"}} for k, v in names.items()]
        merge = {"resourceType": "Parameters", "parameter": parameters}
        assert (await http.post("/Patient/$merge", json=merge)).status_code == 404
    async with access.work(one, "look") as inner:
        pairs = await likely_duplicates(inner)
        assert {row.id for pair in pairs for row in (pair.one, pair.other)} == {"ada", "only-first"}
        assert [row.id for row in await records.find_patients(inner, SECRET)] == []


async def test_the_same_bytes_stand_apart(both: tuple[Ctx, Ctx], ctx: Ctx) -> None:
    async with ctx.database.connection() as sql:
        assert [tuple(row) for row in await sql.fetch("select tenant, whole from records.content order by tenant")] == [
            (1, True),
            (2, True),
        ]


async def test_every_table_and_index_of_the_record_is_by_tenant(ctx: Ctx) -> None:
    """Rows that are reached only through a row with a tenant (pieces, files) need none of their own."""
    through = {"content_piece", "bulk_file"}
    async with ctx.database.connection() as sql:
        tables = await sql.fetch(
            "select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant'"
            " and a.attnotnull) as told from pg_class c where relnamespace = 'records'::regnamespace and relkind = 'r'"
        )
    assert len(tables) >= 8
    assert {row["relname"] for row in tables if not row["told"]} == through
