"""The FHIR door: interactions, headers, refusals."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside.fhir import structure
from bedside.foundation.context import NOBODY, Ctx

pytestmark = pytest.mark.engine


def place_of(answer: httpx.Response) -> list[str]:
    """The elements that an OperationOutcome names."""
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    return [where for issue in body["issue"] for where in issue.get("expression", [])]


async def test_create_read_change_delete(http: httpx.AsyncClient) -> None:
    made = await http.post("/Patient", json=patient("ignored"))
    assert made.status_code == 201, made.text
    assert made.headers["etag"] == 'W/"1"'
    id_ = made.json()["id"]
    assert id_ != "ignored"
    assert made.headers["location"] == f"http://localhost/fhir/R4/Patient/{id_}/_history/1"
    read = await http.get(f"/Patient/{id_}")
    assert read.content == made.content
    assert (await http.get(f"/Patient/{id_}", headers={"if-none-match": 'W/"1"'})).status_code == 304
    changed = await http.put(f"/Patient/{id_}", json=patient(id_, gender="female"), headers={"if-match": 'W/"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    again = await http.put(f"/Patient/{id_}", json=patient(id_, gender="female"))
    assert (again.status_code, again.headers["etag"]) == (200, 'W/"2"')
    late = await http.put(f"/Patient/{id_}", json=patient(id_), headers={"if-match": 'W/"1"'})
    assert late.status_code == 412
    assert (await http.get(f"/Patient/{id_}/_history/1")).json() == made.json()
    assert (await http.delete(f"/Patient/{id_}")).status_code == 204
    assert (await http.delete(f"/Patient/{id_}")).status_code == 204
    assert (await http.get(f"/Patient/{id_}")).status_code == 410
    assert (await http.get(f"/Patient/{id_}/_history/3")).status_code == 410
    history = (await http.get(f"/Patient/{id_}/_history")).json()
    assert [e["request"]["method"] for e in history["entry"]] == ["DELETE", "PUT", "POST"]
    assert [e["response"]["status"][:3] for e in history["entry"]] == ["204", "200", "201"]
    back = await http.put(f"/Patient/{id_}", json=patient(id_))
    assert (back.status_code, back.headers["etag"]) == (201, 'W/"4"')
    assert (await http.get("/Patient/nobody")).status_code == 404


async def test_head(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    head, get = await http.head("/Patient/ada"), await http.get("/Patient/ada")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers
    assert (await http.head("/Patient/nobody")).status_code == 404


async def test_prefer(http: httpx.AsyncClient) -> None:
    least = await http.post("/Patient", json=patient(), headers={"prefer": "return=minimal"})
    assert (least.status_code, least.content) == (201, b"")
    told = await http.post("/Patient", json=patient(), headers={"prefer": "return=OperationOutcome"})
    assert told.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("body", "kind", "status", "where"),
    [
        (b'{"resourceType":"Patient","gender":"womn"}', "application/fhir+json", 422, "Patient.gender"),
        (b'{"resourceType":"Patient","birthDate":"1990-02-31"}', "application/fhir+json", 422, "Patient.birthDate"),
        (
            b'{"resourceType":"Patient","name":[{"family":"a","family":"b"}]}',
            "application/fhir+json",
            422,
            "Patient.name[0].family",
        ),
        (b'{"resourceType":"Patient"', "application/fhir+json", 400, None),
        (b"[]", "application/fhir+json", 400, None),
        (b'{"resourceType":"Patient","name":[{"family":"\xff"}]}', "application/fhir+json", 400, None),
        (
            b'{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}',
            "application/fhir+json",
            422,
            "Patient.name[0].family",
        ),
        (
            b'{"resourceType":"Observation","status":"final","code":{"text":"x"}}',
            "application/fhir+json",
            400,
            "resourceType",
        ),
        (b'{"resourceType":"Patient"}', "application/fhir+xml", 415, "Content-Type"),
        (
            b'{"resourceType":"Patient","contact":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
            "application/fhir+json",
            400,
            None,
        ),
    ],
)
async def test_bad_bodies(http: httpx.AsyncClient, body: bytes, kind: str, status: int, where: str | None) -> None:
    answer = await http.post("/Patient", content=body, headers={"content-type": kind})
    assert answer.status_code in {status, 400 if status == 422 else status}, answer.text
    found = place_of(answer)
    if where:
        assert where in found


async def test_a_body_too_large(http: httpx.AsyncClient) -> None:
    answer = await http.post("/Patient", content=b" " * (33 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/Nonsense", 404),
        ("GET", "/Nonsense/1", 404),
        ("GET", "/Patient/a%20b", 400),
        ("GET", "/Patient/a/b/c/d/e", 404),
        ("POST", "/Patient/a", 405),
        ("PATCH", "/Patient/a", 422),
        ("PUT", "/Patient/a?nonsense=1", 400),
        ("POST", "/Patient?nonsense=1", 400),
        ("GET", "/Patient/$nothing", 501),
        ("GET", "/Patient?nonsense=1", 400),
        ("GET", "/Patient?birthdate=1990-02-31", 400),
        ("GET", "/Patient?_count=-1", 400),
        ("GET", "/Patient?_cursor=xx", 400),
        ("GET", "/Patient?_sort=nonsense", 400),
        ("GET", "/Patient?name=%ff", 400),
        ("GET", "/Patient?_format=xml", 406),
        ("GET", "/Patient/_history?_since=yesterday", 400),
        ("GET", "/Patient?name=%00", 400),
    ],
)
async def test_bad_addresses(http: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await http.request(method, path, content=b"{}" if method in ("POST", "PATCH") else None)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_lenient_reports_what_it_left_out(http: httpx.AsyncClient) -> None:
    answer = await http.get("/Patient?nonsense=1", headers={"prefer": "handling=lenient"})
    assert answer.status_code == 200
    [entry] = answer.json()["entry"]
    assert entry["search"]["mode"] == "outcome"
    assert entry["resource"]["issue"][0]["expression"] == ["nonsense"]


@pytest.mark.parametrize("path", ["/Patient/ada?nonsense=1", "/Patient/_history?nonsense=1", "/Patient/ada?name=x"])
async def test_nothing_is_left_out_in_silence(http: httpx.AsyncClient, path: str) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    assert (await http.get(path, headers={"prefer": "handling=lenient"})).status_code == 400


async def test_what_is_not_answered_is_named(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    query = "/Patient?_sort=deceased&_has:AuditEvent:patient:action=R&_id=ada&_revinclude=AuditEvent:patient"
    strict = await http.get(query)
    assert strict.status_code == 400
    named = {"_sort=deceased", "_has:AuditEvent:patient:action", "_revinclude=AuditEvent"}
    assert set(place_of(strict)) == named
    match, told = (await http.get(query, headers={"prefer": "handling=lenient"})).json()["entry"]
    assert match["search"]["mode"] == "match"
    assert {where for issue in told["resource"]["issue"] for where in issue["expression"]} == named


async def test_metadata_needs_nobody(ctx: Ctx, door: Door) -> None:
    async with door(ctx.with_(actor=NOBODY)) as http:
        for path in ("/metadata", "/.well-known/smart-configuration"):
            assert (await http.get(path)).status_code == 200
        said = (await http.get("/metadata")).json()
        assert said["fhirVersion"] == "4.0.1"
        assert {"name": "code", "type": "token"}.items() <= next(
            p
            for r in said["rest"][0]["resource"]
            if r["type"] == "Observation"
            for p in r["searchParam"]
            if p["name"] == "code"
        ).items()
        for path in ("/Patient", "/Patient/a", "/Patient/_history", "/_history", "/Organization"):
            answer = await http.get(path)
            assert answer.status_code == 401, path
            assert answer.json()["resourceType"] == "OperationOutcome"
        assert (await http.post("/Patient", json=patient())).status_code == 401


async def test_search_by_get_and_by_post(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    for n in range(5):
        await http.post("/Observation", json=pulse("ada", 60 + n, f"2026-01-0{n + 1}T08:00:00Z"))
    found = (await http.get("/Observation?subject=Patient/ada&date=ge2026-01-03&_sort=date")).json()
    assert [e["resource"]["valueQuantity"]["value"] for e in found["entry"]] == [62, 63, 64]
    assert found["total"] == 3
    assert found["link"][0]["relation"] == "self"
    form = {"patient": "ada", "value-quantity": "gt63||/min"}
    posted = await http.post(
        "/Observation/_search", data=form, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert posted.json()["total"] == 1
    count = (await http.get("/Observation?patient=ada&_summary=count")).json()
    assert count["total"] == 5
    assert "entry" not in count
    with_patient = (await http.get("/Observation?patient=ada&_include=Observation:patient&_count=2")).json()
    assert [e["search"]["mode"] for e in with_patient["entry"]] == ["match", "match", "include"]
    back = (await http.get("/Patient?_id=ada&_revinclude=Observation:subject")).json()
    assert len(back["entry"]) == 6
    part = (await http.get("/Observation?patient=ada&_elements=status&_count=1")).json()["entry"][0]["resource"]
    assert set(part) == {"resourceType", "id", "meta", "status", "code"}
    assert (await http.get("/?_type=Patient,Observation&_count=3")).json()["link"][-1]["relation"] == "next"


async def test_parallel_conditional_creates(http: httpx.AsyncClient) -> None:
    body = patient(identifier=[{"system": "urn:x", "value": "7"}])

    async def one() -> httpx.Response:
        return await http.post("/Patient", json=body, headers={"if-none-exist": "identifier=urn:x|7"})

    answers = await asyncio.gather(*(one() for _ in range(50)))
    assert sorted(a.status_code for a in answers) == [200] * 49 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    assert (await http.get("/Patient?identifier=urn:x|7")).json()["total"] == 1


async def test_two_writers_of_one_version(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))

    async def one(n: int) -> int:
        body = patient("ada", birthDate=f"19{n:02}-01-01")
        return (await http.put("/Patient/ada", json=body, headers={"if-match": 'W/"1"'})).status_code

    statuses = await asyncio.gather(*(one(n) for n in range(10, 20)))
    assert sorted(statuses) == [200] + [412] * 9
    assert (await http.get("/Patient/ada")).json()["meta"]["versionId"] == "2"


async def test_pages_stay_while_data_changes(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    for n in range(25):
        await http.post("/Observation", json=pulse("ada", n, f"2026-01-{n + 1:02}T08:00:00Z"))
    for query in ("patient=ada&_sort=-date", "patient=ada", "_sort=date", "_sort=_lastUpdated", "code=8867-4"):
        seen: list[Any] = []
        url: str | None = f"/Observation?{query}&_count=10&date=lt2026-02-01"
        while url:
            page = (await http.get(url)).json()
            seen += [e["resource"]["id"] for e in page.get("entry", ())]
            await http.post("/Observation", json=pulse("ada", 1, "2026-03-01T08:00:00Z"))
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
        assert len(seen) == len(set(seen)) == 25, query


async def test_every_answer_is_itself_valid_fhir(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    await http.put("/Observation/o", json={**pulse("ada"), "id": "o"})
    await http.delete("/Observation/o")
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Patient/x"}}]}
    answers = [
        await http.get("/metadata"),
        await http.get("/Patient"),
        await http.get("/Observation"),
        await http.get("/Patient?nonsense=1", headers={"prefer": "handling=lenient"}),
        await http.get("/Patient?_elements=name"),
        await http.get("/_history"),
        await http.get("/AuditEvent"),
        await http.get("/Patient/nobody"),
        await http.post("", json=batch),
        await http.post(
            "",
            json={
                **batch,
                "type": "transaction",
                "entry": [{**batch["entry"][0], "request": {"method": "GET", "url": "Patient/ada"}}],
            },
        ),
    ]
    for answer in answers:
        assert structure.validate(answer.content) == [], answer.text[:500]


@pytest.mark.parametrize(
    "path", ["/Patient?%08=1", "/Pat%1fient", "/Patient?%20=1", f"/Patient?{'x' * 5000}=1", "/Pat%7fient/$x"]
)
async def test_odd_words_are_told_in_valid_fhir(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert 400 <= answer.status_code < 502
    assert structure.validate(answer.content) == [], answer.text
