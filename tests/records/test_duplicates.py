"""$match, the work list of likely duplicates, merge and its undoing."""

from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_likeness import ADA

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.foundation.context import Ctx
from bedside.records.service.duplicates import likely_duplicates

pytestmark = pytest.mark.engine

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


@pytest.fixture
async def people(ctx: Ctx) -> None:
    """ada, ada again without her number, her namesake born on another day, ben."""
    async with access.work(ctx, "seed") as inner:
        await records.update(inner, {**ADA, "id": "ada"})
        await records.update(inner, {**ADA, "id": "again", "identifier": [{"system": "urn:mrn", "value": "99"}]})
        await records.update(
            inner, patient("namesake", name=ADA["name"], birthDate="1991-01-01", identifier=[{"value": "x"}])
        )
        await records.update(
            inner, patient("ben", name=[{"family": "Broke", "given": ["Ben"]}], birthDate="1950-04-12")
        )


def asking(resource: dict[str, Any], **more: Any) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [{"name": "resource", "resource": resource}]
    parameters += [{"name": name, **value} for name, value in more.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


@pytest.mark.usefixtures("people")
async def test_match(http: httpx.AsyncClient) -> None:
    found = (await http.post("/Patient/$match", json=asking(ADA))).json()
    grades = {e["resource"]["id"]: e["search"]["extension"] for e in found["entry"]}
    assert list(grades)[:2] == ["ada", "again"]
    assert grades["ada"] == [{"url": GRADE, "valueCode": "certain"}]
    assert "ben" not in grades
    scores = [entry["search"]["score"] for entry in found["entry"]]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    one = (await http.post("/Patient/$match", json=asking(ADA, count={"valueInteger": 1}))).json()
    assert len(one["entry"]) == 1
    number = {"resourceType": "Patient", "identifier": ADA["identifier"]}
    by_number = (await http.post("/Patient/$match", json=asking(number))).json()
    assert [entry["resource"]["id"] for entry in by_number["entry"]] == ["ada"]
    none = asking({**ADA, "name": [{"family": "No,b|o\\dy", "given": ["$"]}], "birthDate": "1901-01-01"})
    assert (await http.post("/Patient/$match", json=none)).status_code == 200


@pytest.mark.usefixtures("people")
async def test_match_only_certain(http: httpx.AsyncClient) -> None:
    only = {"valueBoolean": True}
    both = (await http.post("/Patient/$match", json=asking(ADA, onlyCertainMatches=only))).json()
    assert both["total"] == 0  # two are certain: which of them is not
    number = {name: value for name, value in ADA.items() if name not in ("telecom", "address")}
    found = (await http.post("/Patient/$match", json=asking(number, onlyCertainMatches=only))).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == ["ada"]


@pytest.mark.usefixtures("people")
async def test_match_is_for_who_may_search(ctx: Ctx, door: Door) -> None:
    async with door(client(ctx, "system/Observation.rs")) as http:
        assert (await http.post("/Patient/$match", json=asking(ADA))).status_code == 403
    nurse = await someone(ctx, "nurse")
    async with door(acting(ctx, nurse)) as http:  # of nobody in her care
        assert (await http.post("/Patient/$match", json=asking(ADA))).json()["total"] == 0
    async with door(client(ctx, "system/Patient.rs")) as http:
        for bad, status in (
            (asking({"resourceType": "Patient", "gender": "male"}), 422),
            (asking({"resourceType": "Observation", "status": "final", "code": {"text": "x"}}), 400),
            (asking(ADA, nonsense={"valueBoolean": True}), 400),
            (asking(ADA, count={"valueInteger": 0}), 400),
        ):
            assert (await http.post("/Patient/$match", json=bad)).status_code == status
        assert (await http.get("/Patient/$match")).status_code == 405


@pytest.mark.usefixtures("people")
async def test_the_work_list(ctx: Ctx) -> None:
    async with access.work(ctx, "look") as inner:
        [pair] = await likely_duplicates(inner)
    assert {pair.one.id, pair.other.id} == {"ada", "again"}
    assert pair.likeness.found["birth"] == "same"
    nurse = await someone(ctx, "nurse")
    async with access.work(acting(ctx, nurse), "look") as inner:
        assert await likely_duplicates(inner) == []


def merging(source: str, target: str | None = None) -> dict[str, Any]:
    names = {"source-patient": source} | ({"target-patient": target} if target else {})
    parameters = [{"name": k, "valueReference": {"reference": f"Patient/{v}"}} for k, v in names.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


def content(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


@pytest.mark.usefixtures("people")
async def test_merge_and_back(ctx: Ctx, http: httpx.AsyncClient) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.update(inner, {**pulse("again"), "id": "p"})
    before = [(await http.get(f"/Patient/{one}")).json() for one in ("again", "ada")]
    done = await http.post("/Patient/$merge", json=merging("again", "ada"))
    assert done.status_code == 200, done.text
    again, ada = [(await http.get(f"/Patient/{one}")).json() for one in ("again", "ada")]
    assert done.json()["parameter"][1]["resource"] == ada
    assert again["active"] is False
    assert again["link"] == [{"other": {"reference": "Patient/ada"}, "type": "replaced-by"}]
    assert ada["link"] == [{"other": {"reference": "Patient/again"}, "type": "replaces"}]
    assert ada["identifier"][-1] == {"system": "urn:mrn", "value": "99", "use": "old"}
    found = (await http.get("/Patient?identifier=99")).json()["entry"]
    assert {entry["resource"]["id"] for entry in found} == {"ada", "again"}
    assert (await http.get("/Observation/p")).json()["subject"] == {"reference": "Patient/again"}
    matched = (await http.post("/Patient/$match", json=asking(ADA))).json()["entry"]
    assert "again" not in {entry["resource"]["id"] for entry in matched}
    async with access.work(ctx, "look") as inner:
        assert await likely_duplicates(inner) == []
    assert (await http.post("/Patient/$merge", json=merging("again", "ben"))).status_code == 409
    assert (await http.post("/Patient/$merge", json=merging("ben", "again"))).status_code == 409
    undone = await http.post("/Patient/$unmerge", json=merging("again"))
    assert undone.status_code == 200, undone.text
    after = [(await http.get(f"/Patient/{one}")).json() for one in ("again", "ada")]
    assert [content(one) for one in after] == [content(one) for one in before]
    assert (await http.post("/Patient/$unmerge", json=merging("again"))).status_code == 404


@pytest.mark.usefixtures("people")
async def test_what_was_written_since_stays(http: httpx.AsyncClient) -> None:
    await http.post("/Patient/$merge", json=merging("again", "ada"))
    ada = (await http.get("/Patient/ada")).json()
    await http.put("/Patient/ada", json={**ada, "maritalStatus": {"text": "widowed"}})
    assert (await http.post("/Patient/$unmerge", json=merging("again"))).status_code == 200
    ada = (await http.get("/Patient/ada")).json()
    assert ada["maritalStatus"] == {"text": "widowed"}
    assert "link" not in ada
    assert ada["identifier"] == ADA["identifier"]


@pytest.mark.usefixtures("people")
async def test_merges_that_are_refused(ctx: Ctx, http: httpx.AsyncClient, door: Door) -> None:
    assert (await http.post("/Patient/$merge", json=merging("ada", "ada"))).status_code == 422
    assert (await http.post("/Patient/$merge", json=merging("ada", "nobody"))).status_code == 404
    assert (await http.post("/Patient/$merge", json=merging("ada"))).status_code == 400
    async with door(client(ctx, "system/Patient.rs")) as reader:
        assert (await reader.post("/Patient/$merge", json=merging("again", "ada"))).status_code == 403
    assert "link" not in (await http.get("/Patient/ada")).json()


async def test_who_is_registered_in_another_spelling_is_found(ctx: Ctx, http: httpx.AsyncClient) -> None:
    """By name alone: the birth date is another, as by a slip at the desk."""
    async with access.work(ctx, "seed") as inner:
        for id_, family in (("accented", "Øverås-Böhm"), ("spelt", "OEVERAAS-BOEHM"), ("bare", "Overas-Bohm")):
            name = [{"family": family, "given": ["Jo"]}]
            await records.update(inner, patient(id_, name=name, birthDate="1961-03-05", telecom=ADA["telecom"]))
    for family in ("Øverås-Böhm", "Oeveraas-Boehm"):
        sought = {"resourceType": "Patient", "name": [{"family": family, "given": ["Jo"]}], "birthDate": "1961-05-03"}
        answer = (await http.post("/Patient/$match", json=asking(sought))).json()
        assert {entry["resource"]["id"] for entry in answer["entry"]} == {"accented", "spelt", "bare"}, family
