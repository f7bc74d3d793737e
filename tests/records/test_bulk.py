"""Bulk Data: the record as it stood, by type, for whoever may; one at a time, cancelled, expired, imported."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_providing import PROVIDER, VIEW

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.jobs import Worker
from bedside.records.service import bulk, export_job, exporting, registry, shelf
from bedside.records.subscribers import JOBS

pytestmark = pytest.mark.engine

ASYNC = {"prefer": "respond-async"}
EVERYTHING = ("system/*.cruds",)


@pytest.fixture(autouse=True)
def home(ctx: Ctx, tmp_path: Path) -> Path:
    """Where files stand."""
    shelf.use(ctx.database, tmp_path)
    return tmp_path


@pytest.fixture
def worker(ctx: Ctx) -> Worker:
    """Runs what was asked for, when it is told to."""
    return Worker(ctx.database, ctx.bus, ctx.clock, JOBS)


@pytest.fixture
async def mine(ctx: Ctx, door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """The door as a backend client with every scope meets it."""
    async with door(client(ctx, *EVERYTHING)) as http:
        yield http


async def keep(ctx: Ctx, *resources: dict[str, Any]) -> None:
    async with access.work(ctx, "seed") as inner:
        for one in resources:
            await records.update(inner, one)


async def clinic(ctx: Ctx) -> None:
    """ada and ben with a pulse each, a practitioner of nobody, a group that holds ada."""
    group = {"type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/ada"}}]}
    await keep(
        ctx,
        patient("ada"),
        patient("ben"),
        {"resourceType": "Practitioner", "id": "doc"},
        {**pulse("ada", 70), "id": "a1"},
        {**pulse("ben", 80), "id": "b1"},
        {"resourceType": "Group", "id": "few", **group},
    )


async def begin(http: httpx.AsyncClient, address: str, **more: Any) -> str:
    answer = await http.get(address, headers=ASYNC, **more)
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"].removeprefix("http://localhost/fhir/R4")


async def exported(http: httpx.AsyncClient, worker: Worker, address: str, **more: Any) -> dict[str, list[Any]]:
    """Every resource by `part Type`, after the work."""
    status = await begin(http, address, **more)
    await worker.run_due()
    return await files(http, status)


async def files(http: httpx.AsyncClient, status: str) -> dict[str, list[Any]]:
    done = await http.get(status)
    assert done.status_code == 200, done.text
    found: dict[str, list[Any]] = {}
    for part in ("output", "deleted", "error"):
        for item in done.json()[part]:
            answer = await http.get(item["url"])
            assert answer.headers["content-type"] == "application/fhir+ndjson"
            lines = [json.loads(line) for line in answer.text.splitlines()]
            assert len(lines) == item["count"]
            found.setdefault(f"{part} {item['type']}", []).extend(lines)
    return found


def ids(found: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {name: sorted(one.get("id", "") for one in lines) for name, lines in found.items()}


async def test_system_patient_and_group(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    everything = await exported(mine, worker, "/$export")
    assert ids(everything) == {
        "output Patient": ["ada", "ben"],
        "output Practitioner": ["doc"],
        "output Observation": ["a1", "b1"],
        "output Group": ["few"],
    }
    assert everything["output Observation"][0] == (await mine.get("/Observation/a1")).json()
    assert ids(await exported(mine, worker, "/Patient/$export")) == {
        "output Patient": ["ada", "ben"],
        "output Observation": ["a1", "b1"],
        "output Group": ["few"],
    }
    assert ids(await exported(mine, worker, "/Group/few/$export?_type=Patient,Observation")) == {
        "output Patient": ["ada"],
        "output Observation": ["a1"],
    }
    await keep(ctx, {"resourceType": "Group", "id": "none", "type": "person", "actual": True})
    assert await exported(mine, worker, "/Group/none/$export?_type=Patient,Observation") == {}


async def test_named_patients_by_post(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    named = {"name": "patient", "valueReference": {"reference": "Patient/ben"}}
    asked = {"resourceType": "Parameters", "parameter": [named, {"name": "_type", "valueString": "Observation"}]}
    answer = await mine.post("/Patient/$export", headers=ASYNC, json=asked)
    await worker.run_due()
    found = await files(mine, answer.headers["content-location"])
    assert ids(found) == {"output Observation": ["b1"]}
    refused = await mine.post("/Group/few/$export", headers=ASYNC, json=asked)
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (400, ["patient"])


async def test_since_and_deletions(ctx: Ctx, clock: TurnableClock, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    clock.turn(timedelta(seconds=10))
    status = await begin(mine, "/$export?_type=Observation")
    await worker.run_due()
    time = (await mine.get(status)).json()["transactionTime"]
    clock.turn(timedelta(seconds=10))
    await keep(ctx, {**pulse("ada", 71), "id": "a2"})
    async with access.work(ctx, "delete") as inner:
        await records.delete(inner, "Observation", "b1")
    found = await exported(mine, worker, "/$export", params={"_since": time})
    assert ids({k: v for k, v in found.items() if k.startswith("output")}) == {"output Observation": ["a2"]}
    [bundle] = found["deleted Bundle"]
    assert bundle["type"] == "transaction"
    assert bundle["entry"] == [{"request": {"method": "DELETE", "url": "Observation/b1"}}]


async def test_it_is_the_record_as_it_stood(
    ctx: Ctx, clock: TurnableClock, mine: httpx.AsyncClient, worker: Worker
) -> None:
    """What is written between the asking and the work is not in it, and what it replaced is."""
    await clinic(ctx)
    status = await begin(mine, "/$export?_type=Observation")
    clock.turn(timedelta(seconds=1))
    await keep(ctx, {**pulse("ada", 99), "id": "a1"}, {**pulse("ada", 99), "id": "late"})
    async with access.work(ctx, "delete") as inner:
        await records.delete(inner, "Observation", "b1")
    await worker.run_due()
    found = (await files(mine, status))["output Observation"]
    assert {one["id"]: one["valueQuantity"]["value"] for one in found} == {"a1": 70, "b1": 80}


async def test_filters_and_elements(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    filters = ["Observation?value-quantity=gt75", "Observation?subject=Patient/ben", "Patient?_id=ada"]
    found = await exported(mine, worker, "/$export", params={"_typeFilter": filters, "_type": "Observation,Patient"})
    assert ids(found) == {"output Observation": ["b1"], "output Patient": ["ada"]}  # b1 meets two filters, once
    found = await exported(mine, worker, "/$export?_type=Patient&_elements=Patient.name")
    assert "name" in found["output Patient"][0]
    assert found["output Patient"][0]["meta"]["tag"][-1]["code"] == "SUBSETTED"
    found = await exported(mine, worker, "/Group/few/$export?_typeFilter=Observation%3Fcode%3D8867-4&_type=Observation")
    assert ids(found) == {"output Observation": ["a1"]}


async def test_readings_kept_elsewhere(
    ctx: Ctx, mine: httpx.AsyncClient, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_providers", {})
    monkeypatch.setattr(exporting, "PAGE", 4)
    records.provide(PROVIDER)
    await clinic(ctx)
    async with access.work(ctx, "seed") as inner:
        await inner.sql.execute(VIEW)
        await inner.sql.executemany(
            "insert into elsewhere.reading"
            " values (1, $1, $2, timestamptz '2026-02-01' + make_interval(hours => $2), 60)",
            [("ada", n) for n in range(9)] + [("ben", n) for n in range(3)],
        )
    readings = [f"r.ada.{n}" for n in range(9)] + [f"r.ben.{n}" for n in range(3)]
    found = await exported(mine, worker, "/$export?_type=Observation")
    assert ids(found) == {"output Observation": sorted(["a1", "b1", *readings])}
    found = await exported(mine, worker, "/Group/few/$export?_type=Observation")
    assert ids(found) == {"output Observation": sorted(["a1", *readings[:9]])}
    found = await exported(mine, worker, "/$export?_type=Observation&_typeFilter=Observation%3Fvalue-quantity%3Dlt65")
    assert ids(found) == {"output Observation": readings}


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("_type=Nonsense", "_type"),
        ("_type=AuditEvent", "_type"),
        ("_since=yesterday", "_since"),
        ("_outputFormat=text/csv", "_outputFormat"),
        ("_typeFilter=Observation", "_typeFilter"),
        ("_typeFilter=Observation%3Fnonsense%3D1", "nonsense"),
        ("_typeFilter=Observation%3F_include%3DObservation:subject", "_typeFilter"),
        ("_elements=Nonsense.name", "_elements"),
        ("_unknown=1", "_unknown"),
        ("_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", "_typeFilter"),
    ],
)
async def test_what_is_not_understood_is_refused(mine: httpx.AsyncClient, query: str, where: str) -> None:
    answer = await mine.get(f"/$export?{query}", headers=ASYNC)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == [where]


async def test_lenient_says_what_it_left_out(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    lenient = {"prefer": "respond-async, handling=lenient"}
    answer = await mine.get("/$export?_unknown=1&_type=Patient", headers=lenient)
    await worker.run_due()
    found = await files(mine, answer.headers["content-location"])
    assert ids({"p": found["output Patient"]}) == {"p": ["ada", "ben"]}
    assert "_unknown" in found["error OperationOutcome"][0]["issue"][0]["diagnostics"]


async def test_prefer_one_at_a_time_progress_and_cancel(
    ctx: Ctx, mine: httpx.AsyncClient, worker: Worker, door: Door, home: Path
) -> None:
    await clinic(ctx)
    assert (await mine.get("/$export")).status_code == 400
    status = await begin(mine, "/$export")
    again = await mine.get("/$export", headers=ASYNC)
    assert again.status_code == 429
    assert int(again.headers["retry-after"]) > 0
    waiting = await mine.get(status)
    assert (waiting.status_code, waiting.headers["retry-after"]) == (202, "2")
    assert waiting.headers["x-progress"]
    stranger = client(ctx, *EVERYTHING)
    other = stranger.with_(actor=Actor("client", "other", "another", scopes=stranger.actor.scopes))
    async with door(other) as http:
        assert (await http.get(status)).status_code == 404
        assert (await http.delete(status)).status_code == 404
        assert (await http.get("/$export", headers=ASYNC)).status_code == 202  # the other client's own
    assert (await mine.delete(status)).status_code == 202
    assert (await mine.get(status)).status_code == 404
    await worker.run_due()
    assert (await mine.get(status)).status_code == 404
    done = await begin(mine, "/$export")
    await worker.run_due()
    url = (await mine.get(done)).json()["output"][0]["url"]
    folder = home / "bulk" / done.rpartition("/")[2]
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o600}
    part = await mine.get(url, headers={"range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    assert (await mine.delete(done)).status_code == 202
    assert not folder.exists()
    assert (await mine.get(url)).status_code == 404


async def test_files_expire(
    ctx: Ctx, clock: TurnableClock, mine: httpx.AsyncClient, worker: Worker, home: Path
) -> None:
    await clinic(ctx)
    status = await begin(mine, "/$export")
    await worker.run_due()
    found = await mine.get(status)
    assert found.headers["expires"] == "Sun, 22 Nov 2026 12:00:00 GMT"
    clock.turn(timedelta(hours=25))
    assert (await mine.get(found.json()["output"][0]["url"])).status_code == 410
    (home / "bulk" / "unknown").mkdir()
    await bulk.tidy(ctx, {})
    assert list((home / "bulk").iterdir()) == []
    assert (await mine.get(status)).status_code == 404


async def test_scopes_and_people(ctx: Ctx, door: Door, worker: Worker) -> None:
    await clinic(ctx)
    async with door(client(ctx, "system/Patient.rs")) as http:
        assert ids(await exported(http, worker, "/$export")) == {"output Patient": ["ada", "ben"]}
        assert (await http.get("/$export?_type=Observation", headers=ASYNC)).status_code == 403
    async with door(client(ctx, "system/Patient.c")) as http:
        assert (await http.get("/$export", headers=ASYNC)).status_code == 403
    nurse = await someone(ctx, "nurse")
    async with door(acting(ctx, nurse)) as http:
        assert (await http.get("/$export", headers=ASYNC)).status_code == 403


async def test_the_audit_names_every_patient(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker) -> None:
    await clinic(ctx)
    await exported(mine, worker, "/$export?_type=Observation")
    async with access.work(ctx, "look") as inner:
        lines = await access.who_looked(inner, "ada", since=None, before=None, limit=50)
    assert [line.actor for line in lines if line.action == "exported in bulk"] == ["test-client"]


async def test_a_run_that_takes_over_begins_where_the_other_was(
    ctx: Ctx, mine: httpx.AsyncClient, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 10)
    await keep(ctx, patient("ada"), *({**pulse("ada", n), "id": f"o{n:03}"} for n in range(95)))
    status = await begin(mine, "/$export?_type=Observation")
    walked: list[Any] = []
    step = exporting.step

    async def stumbling(*arguments: Any) -> exporting.Step:
        walked.append(arguments[3].after)
        if len(walked) == 6:
            raise RuntimeError("killed")
        return await step(*arguments)

    monkeypatch.setattr(export_job.exporting, "step", stumbling)
    with pytest.raises(Exception, match="RuntimeError"):
        await worker.run_due()
    assert (await mine.get(status)).status_code == 202
    await worker.run_due()
    assert walked[5] == walked[6]  # not from the start
    manifest = (await mine.get(status)).json()
    assert [item["count"] for item in manifest["output"]] == [50, 45]
    assert ids(await files(mine, status)) == {"output Observation": [f"o{n:03}" for n in range(95)]}


async def test_import_of_posted_ndjson(ctx: Ctx, mine: httpx.AsyncClient, worker: Worker, home: Path) -> None:
    lines = [patient("ada"), {**pulse("ada"), "id": "p"}, {**pulse("ada"), "id": "q", "status": "nonsense"}]
    body = "\n".join([*(json.dumps(one) for one in lines), "{nonsense"])
    headers = {**ASYNC, "content-type": "application/fhir+ndjson"}
    answer = await mine.post("/$import", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    await worker.run_due()
    done = (await mine.get(answer.headers["content-location"])).json()
    assert done["extension"] == {"kept": {"new Patient": 1, "new Observation": 1}, "refused": 2}
    told = (await files(mine, answer.headers["content-location"]))["error OperationOutcome"]
    assert [one["issue"][0]["diagnostics"].partition(":")[0] for one in told] == [
        "posted.ndjson, line 3, Observation/q",
        "posted.ndjson, line 4, line",
    ]
    assert (await mine.get("/Observation/p")).status_code == 200
    assert not list(home.rglob("posted.ndjson"))  # noqa: ASYNC240


async def test_import_of_a_named_file(
    ctx: Ctx, mine: httpx.AsyncClient, worker: Worker, home: Path, door: Door
) -> None:
    (home / "imports").mkdir()
    (home / "imports" / "some.ndjson").write_text("\n".join([json.dumps(patient("ada")), json.dumps(patient("ben"))]))
    (home / "secret").write_text("{}")

    async def ask(http: httpx.AsyncClient, url: str) -> httpx.Response:
        parts = [{"name": "type", "valueCode": "Patient"}, {"name": "url", "valueUri": url}]
        asked = {"resourceType": "Parameters", "parameter": [{"name": "input", "part": parts}]}
        return await http.post("/$import", json=asked, headers=ASYNC)

    for url in ("https://example.org/some.ndjson", "../secret", "file:/etc/passwd", "nothing.ndjson", "..", ""):
        assert (await ask(mine, url)).status_code in (400, 422), url
    async with door(client(ctx, "system/*.rs")) as http:
        assert (await ask(http, "some.ndjson")).status_code == 403
    answer = await ask(mine, "some.ndjson")
    await worker.run_due()
    done = (await mine.get(answer.headers["content-location"])).json()
    assert done["extension"] == {"kept": {"new Patient": 2}, "refused": 0}
