"""Batches and transactions: all or nothing, references resolved, an outcome for each entry."""

import uuid
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside.access.testing import client
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine


def entry(
    method: str, url: str, resource: dict[str, Any] | None = None, full: str | None = None, **request: str
) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if resource is not None:
        made["resource"] = resource
    if full is not None:
        made["fullUrl"] = full
    return made


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


async def test_references_between_entries(http: httpx.AsyncClient) -> None:
    urn = f"urn:uuid:{uuid.uuid4()}"
    reading = pulse("x")
    reading["subject"] = {"reference": urn}
    answer = await http.post(
        "/",
        json=bundle(
            "transaction",
            entry("POST", "Observation", reading),
            entry("GET", "Patient?family=Quist"),
            entry("POST", "Patient", patient(), urn),
        ),
    )
    assert answer.status_code == 200, answer.text
    made, found, person = answer.json()["entry"]
    assert [e["response"]["status"] for e in (made, person)] == ["201 Created"] * 2
    assert found["resource"]["total"] == 1
    place = made["response"]["location"].partition("/_history")[0]
    id_ = person["response"]["location"].split("/")[-3]
    stored = (await http.get(place)).json()
    assert stored["subject"]["reference"] == f"Patient/{id_}"
    assert (await http.get(f"/Observation?patient={id_}")).json()["total"] == 1


async def test_all_or_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "",
        json=bundle(
            "transaction",
            entry("PUT", "Patient/ada", patient("ada")),
            entry("PUT", "Observation/o1", {**pulse("ada"), "id": "o1"}, ifMatch='W/"3"'),
        ),
    )
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
    assert (await http.get("/Patient/ada")).status_code == 404


async def test_a_bad_entry_is_named(http: httpx.AsyncClient) -> None:
    bad = {**pulse("ada"), "status": "nonsense"}
    entries = [entry("PUT", "Patient/ada", patient("ada")), entry("POST", "Observation", bad)]
    whole = await http.post("", json=bundle("transaction", *entries))
    assert whole.status_code == 422
    assert whole.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.status"]
    assert (await http.get("/Patient/ada")).status_code == 404
    each = await http.post("", json=bundle("batch", *entries))
    first, second = each.json()["entry"]
    assert first["response"]["status"] == "201 Created"
    assert second["response"]["status"] == "422"
    assert second["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[1].resource.status"]
    assert (await http.get("/Patient/ada")).status_code == 200


async def test_a_batch_goes_on_after_a_refusal(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "",
        json=bundle(
            "batch",
            entry("PUT", "Patient/ada", patient("ada")),
            entry("PUT", "Patient/ada", patient("ada", gender="female"), ifMatch='W/"9"'),
            entry("DELETE", "Patient/nobody"),
            entry("GET", "Patient/ada"),
            entry("GET", "Patient?nonsense=1"),
            entry("POST", "Nonsense", {"resourceType": "Patient"}),
        ),
    )
    assert [e["response"]["status"][:3] for e in answer.json()["entry"]] == ["201", "412", "404", "200", "400", "400"]


async def test_conditions(http: httpx.AsyncClient) -> None:
    person = patient(identifier=[{"system": "urn:mrn", "value": "12"}])
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    reading = pulse("x")
    reading["subject"] = {"reference": "Patient?identifier=urn:mrn|12"}
    other = pulse("x")
    other["subject"] = {"reference": urn}
    first = entry("POST", "Patient", person, urn, ifNoneExist="identifier=urn:mrn|12")
    await http.post("/Patient", json=person)
    answer = await http.post(
        "",
        json=bundle("transaction", first, entry("POST", "Observation", reading), entry("POST", "Observation", other)),
    )
    assert [e["response"]["status"] for e in answer.json()["entry"]] == ["200 OK", "201 Created", "201 Created"]
    found = (await http.get("/Observation?patient.identifier=urn:mrn|12")).json()
    assert found["total"] == 2
    changed = entry("PUT", "Patient?identifier=urn:mrn|12", {**person, "gender": "female"})
    answer = await http.post("", json=bundle("transaction", changed))
    assert answer.json()["entry"][0]["response"]["etag"] == 'W/"2"'


LOST = {**pulse("a"), "subject": {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1"}}


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ([{"resource": patient()}], "Bundle"),
        ([entry("POST", "Patient")], "Bundle.entry[0].resource"),
        ([entry("POST", "Observation", patient())], "Bundle.entry[0].resource"),
        ([entry("PUT", "Patient/a", patient("b"))], "Bundle.entry[0].resource.id"),
        ([entry("PUT", "Patient/a", patient("a")), entry("DELETE", "Patient/a")], "Bundle.entry[0]"),
        ([entry("POST", "Observation", LOST)], "Bundle.entry[0].resource"),
    ],
)  # fmt: skip
async def test_refused_as_a_whole(http: httpx.AsyncClient, entries: list[dict[str, Any]], where: str) -> None:
    answer = await http.post("", json=bundle("transaction", *entries))
    assert 400 <= answer.status_code < 500, answer.text
    assert any(place.startswith(where) for issue in answer.json()["issue"] for place in issue["expression"]), (
        answer.text
    )
    assert (await http.get("/_history")).json().get("entry", []) == []


async def test_many_entries(http: httpx.AsyncClient) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    entries = [
        entry("PUT", f"Observation/o{n}", {**pulse("x", n), "id": f"o{n}", "subject": {"reference": urn}})
        for n in range(500)
    ]
    sent = bundle("transaction", entry("PUT", "Patient/ada", patient("ada"), urn), *entries)
    assert (await http.post("", json=sent)).status_code == 200
    assert (await http.get("/Observation?patient=ada&_summary=count")).json()["total"] == 500
    again = await http.post("", json=sent)
    assert {e["response"]["etag"] for e in again.json()["entry"]} == {'W/"1"'}


async def statuses(http: httpx.AsyncClient, kind: str, *entries: dict[str, Any]) -> list[str]:
    answer = await http.post("", json=bundle(kind, *entries))
    assert answer.status_code == 200, answer.text
    return [one["response"]["status"][:3] for one in answer.json()["entry"]]


LOOKS = (
    "Patient/ada/$everything?_type=Observation&_count=5",
    "Observation/$lastn?patient=ada",
    "Patient/ada/$summary",
    "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender",
    "Patient/ada/Observation?code=8867-4",
    "Patient/ada/*",
    "Patient/ada/_history?_count=1",
    "Patient/_history",
    "_history?_count=2",
    "Patient/ada/_history/1",
    "Patient/ada/_history/1/$meta",
    "Patient/ada?_elements=birthDate",
    "?_type=Patient,Observation",
)


@pytest.mark.parametrize("kind", ["batch", "transaction"])
async def test_looks_in_a_bundle_answer_as_by_themselves(http: httpx.AsyncClient, kind: str) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    for n in range(3):
        await http.put(f"/Observation/o{n}", json={**pulse("ada"), "id": f"o{n}"})
    sent = bundle(kind, *(entry("GET", url) for url in LOOKS))
    answers = (await http.post("", json=sent)).json()["entry"]
    assert [one["response"]["status"] for one in answers] == ["200 OK"] * len(LOOKS)
    for url, one in zip(LOOKS, answers, strict=True):
        alone = (await http.get(f"/{url}")).json()
        if "$summary" in url:  # made at each asking, with ids of its own
            assert (one["resource"]["type"], alone["type"]) == ("document", "document")
        else:
            for told in (alone, one["resource"]):
                told.pop("id", None) if told["resourceType"] == "ValueSet" else None
            assert one["resource"] == alone, url


async def test_operations_posted_in_a_batch(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada", birthDate="1950-04-12"))
    await http.put("/Patient/again", json=patient("again", birthDate="1950-04-12"))
    match = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient()}]}
    faulty = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient(gender="x")}]}
    parties = [("source-patient", "again"), ("target-patient", "ada")]
    merge = {
        "resourceType": "Parameters",
        "parameter": [{"name": n, "valueReference": {"reference": f"Patient/{id_}"}} for n, id_ in parties],
    }
    sent = bundle(
        "batch",
        entry("POST", "Patient/$match", match),
        entry("POST", "Patient/$validate", faulty),
        entry("POST", "Patient/$merge", merge),
        entry("POST", "Patient/$merge", merge),
        entry("GET", "Patient/$match"),
        entry("POST", "$import", {"resourceType": "Parameters"}),
        entry("GET", "$export"),
        entry("PUT", "Patient/$merge", merge),
        entry("GET", "Patient/$nonsense"),
        entry("GET", "Patient?name=%ff"),
        entry("GET", "Patient/ada/Nonsense"),
        entry("GET", "Patient/ada/_history/x"),
    )
    answers = (await http.post("", json=sent)).json()["entry"]
    told = [one["response"]["status"][:3] for one in answers]
    assert told == ["200", "200", "200", "409", "405", "400", "400", "400", "501", "400", "400", "400"], answers
    assert answers[0]["resource"]["total"] == 2
    assert answers[1]["resource"]["issue"][0]["expression"] == ["Patient.gender"]
    assert (await http.get("/Patient/again")).json()["active"] is False


async def test_a_transaction_calls_what_looks_after_its_writes(http: httpx.AsyncClient) -> None:
    everything = entry("GET", "Patient/ada/$everything")
    sent = bundle("transaction", everything, entry("PUT", "Patient/ada", patient("ada")))
    answers = (await http.post("", json=sent)).json()["entry"]
    assert [one["resource"]["id"] for one in answers[0]["resource"]["entry"]] == ["ada"]
    refused = bundle("transaction", entry("POST", "Patient/$match", {"resourceType": "Parameters"}))
    assert (await http.post("", json=refused)).status_code == 400


async def test_a_call_in_a_batch_is_for_who_may(ctx: Ctx, door: Door) -> None:
    async with door(ctx) as http:
        await http.put("/Patient/ada", json=patient("ada"))
    async with door(client(ctx, "system/Observation.rs")) as http:
        looks = [entry("GET", url) for url in ("Patient/ada/$everything", "Patient/ada", "Patient/ada/_history")]
        assert set(await statuses(http, "batch", *looks)) <= {"403", "404"}
