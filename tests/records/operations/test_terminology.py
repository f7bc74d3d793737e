"""$expand, $lookup, $validate-code, $subsumes."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.engine

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
LOINC = "http://loinc.org"
COLOURS: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "id": "colours",
    "url": "http://site.org/colours",
    "name": "Colours",
    "version": "2",
    "status": "active",
    "content": "complete",
    "concept": [
        {"code": "red", "display": "Red", "concept": [{"code": "pink", "display": "Pink"}]},
        {"code": "blue", "display": "Blue"},
    ],
}
REDS: dict[str, Any] = {
    "resourceType": "ValueSet",
    "id": "reds",
    "url": "http://site.org/reds",
    "status": "active",
    "compose": {
        "include": [
            {"system": COLOURS["url"], "filter": [{"property": "concept", "op": "is-a", "value": "red"}]},
        ]
    },
}


def values(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {
        one["name"]: next(value for key, value in one.items() if key.startswith("value"))
        for one in answer.json()["parameter"]
        if "part" not in one
    }


@pytest.fixture
async def site(http: httpx.AsyncClient) -> httpx.AsyncClient:
    assert (await http.put("/CodeSystem/colours", json=COLOURS)).status_code == 201
    assert (await http.put("/ValueSet/reds", json=REDS)).status_code == 201
    return http


async def test_expand(site: httpx.AsyncClient) -> None:
    found = (await site.get(f"/ValueSet/$expand?url={GENDER}")).json()["expansion"]
    assert found["total"] == 4
    assert {"system": "http://hl7.org/fhir/administrative-gender", "code": "female", "display": "Female"} in found[
        "contains"
    ]
    assert (await site.get(f"/ValueSet/$expand?url={GENDER}&filter=fem")).json()["expansion"]["total"] == 1
    page = (await site.get(f"/ValueSet/$expand?url={GENDER}&count=1&offset=1")).json()["expansion"]
    assert (page["total"], page["offset"], page["contains"][0]["code"]) == (4, 1, "male")
    for own in (
        await site.get("/ValueSet/reds/$expand"),
        await site.get("/ValueSet/$expand?url=http://site.org/reds"),
        await site.post("/ValueSet/$expand", json=posted("valueSet", REDS)),
    ):
        assert [one["display"] for one in own.json()["expansion"]["contains"]] == ["Pink", "Red"]


def posted(name: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": name, "resource": resource}]}


async def test_lookup(site: httpx.AsyncClient) -> None:
    assert values(await site.get(f"/CodeSystem/$lookup?system={LOINC}&code=8867-4"))["display"] == "Heart rate"
    pink = await site.get("/CodeSystem/$lookup?system=http://site.org/colours&code=pink")
    assert values(pink) == {"name": "Colours", "version": "2", "display": "Pink"}
    assert [[p["valueCode"] for p in one["part"]] for one in pink.json()["parameter"] if "part" in one] == [
        ["parent", "red"]
    ]
    coding = {"name": "coding", "valueCoding": {"system": ACT, "code": "VR"}}
    by_post = await site.post("/CodeSystem/$lookup", json={"resourceType": "Parameters", "parameter": [coding]})
    assert values(by_post)["display"] == "virtual"


async def test_validate_code(site: httpx.AsyncClient) -> None:
    async def verdict(path: str) -> Any:
        return values(await site.get(path))["result"]

    assert await verdict(f"/ValueSet/$validate-code?url={GENDER}&code=female") is True
    assert await verdict(f"/ValueSet/$validate-code?url={GENDER}&code=xx") is False
    assert await verdict("/ValueSet/reds/$validate-code?system=http://site.org/colours&code=pink") is True
    assert await verdict("/ValueSet/reds/$validate-code?system=http://site.org/colours&code=blue") is False
    assert await verdict("/CodeSystem/colours/$validate-code?code=blue&display=BLUE") is True
    assert await verdict("/CodeSystem/colours/$validate-code?code=blue&display=Red") is False
    assert await verdict("/CodeSystem/$validate-code?url=http://unitsofmeasure.org&code=mm[Hg]") is True
    assert await verdict("/CodeSystem/$validate-code?url=http://unitsofmeasure.org&code=furlongs") is False
    part = values(await site.get(f"/CodeSystem/$validate-code?url={LOINC}&code=0-0"))
    assert part == {
        "result": False,
        "message": "Only a part of this code system is loaded here, and this code is not in it.",
    }
    concept = {"coding": [{"system": COLOURS["url"], "code": "blue"}, {"system": COLOURS["url"], "code": "red"}]}
    wish = {"resourceType": "Parameters", "parameter": [{"name": "codeableConcept", "valueCodeableConcept": concept}]}
    assert values(await site.post("/ValueSet/reds/$validate-code", json=wish))["result"] is True


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("red", "pink", "subsumes"),
        ("pink", "red", "subsumed-by"),
        ("red", "red", "equivalent"),
        ("blue", "pink", "not-subsumed"),
    ],
)
async def test_subsumes(site: httpx.AsyncClient, one: str, other: str, expected: str) -> None:
    path = f"/CodeSystem/$subsumes?system=http://site.org/colours&codeA={one}&codeB={other}"
    assert values(await site.get(path)) == {"outcome": expected}
    assert values(await site.get(f"/CodeSystem/colours/$subsumes?codeA={one}&codeB={other}")) == {"outcome": expected}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/CodeSystem/$lookup?system=http://hl7.org/fhir/sid/icd-10&code=I10", 404),
        ("/CodeSystem/$lookup?system=http://loinc.org&code=0-0", 404),
        ("/CodeSystem/$lookup?code=x", 400),
        ("/CodeSystem/$subsumes?system=http://loinc.org&codeA=8867-4&codeB=8310-5", 422),
        ("/CodeSystem/$subsumes?codeA=a&codeB=b", 400),
        ("/ValueSet/$expand?url=http://x.org/none", 404),
        ("/ValueSet/$expand", 400),
        ("/ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/observation-codes", 400),
        ("/ValueSet/$validate-code?url=http://x.org/none&code=x", 404),
        (f"/ValueSet/$expand?url={GENDER}&foo=1", 400),
    ],
)
async def test_refusals(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome"), answer.text


ICD = "http://hl7.org/fhir/sid/icd-10-cm"


async def test_icd_10_cm(http: httpx.AsyncClient) -> None:
    told = values(await http.get(f"/CodeSystem/$lookup?system={ICD}&code=E11.9"))
    assert told["display"] == "Type 2 diabetes mellitus without complications"
    assert told["version"] >= "2026"
    assert values(await http.get(f"/CodeSystem/$validate-code?url={ICD}&code=S06.0X0A"))["result"] is True
    wrong = values(await http.get(f"/CodeSystem/$validate-code?url={ICD}&code=S06.0X0Z"))
    assert (wrong["result"], wrong["message"]) == (False, "The code system has no such code.")
    assert (await http.get(f"/CodeSystem/$lookup?system={ICD}&code=E119")).status_code == 404
    for a, b, outcome in (
        ("E11", "E11.9", "subsumes"),
        ("S06.0X0A", "S06", "subsumed-by"),
        ("E11.9", "E11.9", "equivalent"),
        ("E11", "E10.9", "not-subsumed"),
    ):
        asked = f"/CodeSystem/$subsumes?system={ICD}&codeA={a}&codeB={b}"
        assert values(await http.get(asked))["outcome"] == outcome


async def test_value_sets_of_icd_10_cm(http: httpx.AsyncClient) -> None:
    diabetes = {"system": ICD, "filter": [{"property": "concept", "op": "is-a", "value": "E11"}]}
    made = {"resourceType": "ValueSet", "id": "t2", "url": "http://site.org/t2", "status": "active"}
    await http.put("/ValueSet/t2", json={**made, "compose": {"include": [diabetes]}})
    kidney = (await http.get("/ValueSet/t2/$expand?filter=kidney chronic")).json()["expansion"]
    assert [one["code"] for one in kidney["contains"]] == ["E11.22"]
    whole = {**made, "compose": {"include": [{"system": ICD}]}}
    asked = {"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": whole}]}
    asked["parameter"].append({"name": "filter", "valueString": "cholera"})
    found = (await http.post("/ValueSet/$expand", json=asked)).json()["expansion"]["contains"]
    assert {"A00", "A00.0", "A00.1", "A00.9", "Z23"} - {one["code"] for one in found} == {"Z23"}
    condition = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    condition["code"] = {"coding": [{"system": ICD, "code": "E11.22"}]}
    await http.put("/Condition/c", json=condition)
    for asked_, many in ((f"code:below={ICD}|E11", 1), ("code:in=http://site.org/t2", 1), (f"code:below={ICD}|E10", 0)):
        assert (await http.get(f"/Condition?{asked_}")).json().get("total") == many, asked_
