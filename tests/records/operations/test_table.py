"""The CapabilityStatement lists what is served, and what it lists is served."""

import httpx
import pytest
from tests.records.resources import patient

pytestmark = pytest.mark.engine


async def test_what_is_listed_is_served(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/p", json=patient("p"))
    listed = {
        one["type"]: [it["name"] for it in one.get("operation", ())]
        for one in (await http.get("/metadata")).json()["rest"][0]["resource"]
    }
    assert set(listed["Patient"]) >= {"everything", "summary", "validate", "meta", "meta-add", "meta-delete"}
    assert "meta-add" not in listed["AuditEvent"]
    assert listed["ValueSet"].count("validate-code") == 1
    for type_ in ("Patient", "Encounter", "Observation", "Composition", "ValueSet", "CodeSystem", "AuditEvent"):
        for name in listed[type_]:
            answers = [
                await http.post(f"/{type_}{id_}/${name}", json={"resourceType": "Parameters"}) for id_ in ("", "/x")
            ]
            assert any(one.status_code not in (405, 501) for one in answers), (type_, name)
    assert (await http.get("/Patient/p/$expand")).status_code == 501
    assert (await http.head("/Patient/p/$everything")).status_code == 200


async def test_what_runs_for_the_system_is_listed(http: httpx.AsyncClient) -> None:
    (rest,) = (await http.get("/metadata")).json()["rest"]
    whole = {one["name"]: one["definition"] for one in rest["operation"]}
    assert set(whole) == {"export", "import"}
    for name in whole:
        empty = await http.post(f"/${name}", json={"resourceType": "Parameters"})
        assert empty.status_code == 400  # it is done in the background only
        assert "respond-async" in empty.text
    listed = {one["type"]: {it["name"] for it in one.get("operation", ())} for one in rest["resource"]}
    assert listed["Patient"] >= {"match", "merge", "unmerge", "export"}
    assert "export" in listed["Group"]
    assert all("import" not in names and "merge" not in names for t, names in listed.items() if t != "Patient")


async def test_looking_begins_nothing(http: httpx.AsyncClient) -> None:
    for address in ("/$export", "/Patient/$export", "/Group/g/$export"):
        assert (await http.head(address, headers={"prefer": "respond-async"})).status_code == 405
    for address in ("/Patient/$merge", "/Patient/$unmerge", "/$import"):
        assert (await http.get(address, headers={"prefer": "respond-async"})).status_code == 405
    assert (await http.post("/Observation/$merge", json={"resourceType": "Parameters"})).status_code == 501
