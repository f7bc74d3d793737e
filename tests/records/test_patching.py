"""PATCH at the FHIR door: JSON Patch and FHIRPath Patch, one resource, by criteria, within bundles."""

import base64
import json
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_transactions import bundle, entry

from bedside.foundation.context import Actor, Ctx

pytestmark = pytest.mark.engine

JSON = {"content-type": "application/json-patch+json"}
FEMALE = [{"op": "add", "path": "/gender", "value": "female"}]


def path_patch(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    made: list[dict[str, Any]] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    made += [{"name": name, **(one if isinstance(one, dict) else {"valueString": one})} for name, one in parts.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": made}]}


def binary(steps: list[dict[str, Any]]) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(steps).encode()).decode()
    return {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}


async def test_both_kinds(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    one = await http.patch("/Patient/ada", json=FEMALE, headers={**JSON, "if-match": 'W/"1"'})
    assert (one.status_code, one.headers["etag"], one.json()["gender"]) == (200, 'W/"2"', "female")
    other = await http.patch("/Patient/ada", json=path_patch("replace", "Patient.gender", value={"valueCode": "other"}))
    assert (other.status_code, other.headers["etag"], other.json()["gender"]) == (200, 'W/"3"', "other")
    late = await http.patch("/Patient/ada", json=FEMALE, headers={**JSON, "if-match": 'W/"1"'})
    assert late.status_code == 412
    assert (await http.get("/Patient?gender=other")).json()["total"] == 1
    same = await http.patch("/Patient/ada", json=[], headers=JSON)
    assert same.headers["etag"] == 'W/"3"'
    least = await http.patch("/Patient/ada", json=FEMALE, headers={**JSON, "prefer": "return=minimal"})
    assert (least.status_code, least.content) == (200, b"")


async def test_decimals_stay(http: httpx.AsyncClient) -> None:
    body = json.dumps({**pulse("ada"), "id": "o"}).replace('"value": 72', '"value": 72.10').encode()
    await http.put("/Observation/o", content=body)
    made = await http.patch(
        "/Observation/o", content=b'[{"op":"add","path":"/status","value":"amended"}]', headers=JSON
    )
    assert b'"value":72.10,' in made.content
    value = b'[{"op":"replace","path":"/valueQuantity/value","value":1.2345678901234567890123456789012345678900}]'
    made = await http.patch("/Observation/o", content=value, headers=JSON)
    assert b'"value":1.2345678901234567890123456789012345678900,' in (await http.get("/Observation/o")).content


async def test_what_cannot_be(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    cases: list[tuple[Any, dict[str, str], int, str]] = [
        ([{"op": "test", "path": "/gender", "value": "x"}], JSON, 422, "[0]"),
        ([{"op": "nonsense", "path": "/gender"}], JSON, 400, "[0]"),
        ([{"op": "add", "path": "/gender", "value": "womn"}], JSON, 422, "Patient.gender"),
        ([{"op": "add", "path": "/nonsense", "value": "x"}], JSON, 422, "Patient.nonsense"),
        ([{"op": "replace", "path": "/id", "value": "eve"}], JSON, 422, "Patient"),
        ([{"op": "replace", "path": "/resourceType", "value": "Person"}], JSON, 422, "Patient"),
        ([{"op": "replace", "path": "/meta", "value": "x"}], JSON, 422, "Patient.meta"),
        ({"a": 1}, JSON, 400, ""),
        (path_patch("delete", "Patient.name.given.matches('x')"), {}, 422, "Parameters.parameter[0]"),
        (path_patch("nonsense", "Patient"), {}, 400, "Parameters.parameter[0]"),
        (patient("ada"), {}, 400, "resourceType"),
        (FEMALE, {"content-type": "application/xml-patch+xml"}, 415, "Content-Type"),
        (FEMALE, {"content-type": "text/plain"}, 415, "Content-Type"),
        (FEMALE, {}, 400, ""),
    ]
    for body, headers, status, where in cases:
        answer = await http.patch("/Patient/ada", json=body, headers=headers)
        assert answer.status_code == status, (body, answer.text)
        assert where in [place for i in answer.json()["issue"] for place in i.get("expression", [""])], answer.text
    assert (await http.get("/Patient/ada")).headers["etag"] == 'W/"1"'
    assert (await http.patch("/Patient/nobody", json=FEMALE, headers=JSON)).status_code == 404
    await http.delete("/Patient/ada")
    assert (await http.patch("/Patient/ada", json=FEMALE, headers=JSON)).status_code == 410


async def test_by_criteria(http: httpx.AsyncClient) -> None:
    for name in ("one", "two", "three"):
        family = "Quist" if name == "one" else "Quast"
        await http.put(f"/Patient/{name}", json=patient(name) | {"name": [{"family": family}]})
    made = await http.patch("/Patient?family=Quist", json=FEMALE, headers=JSON)
    assert (made.status_code, made.json()["id"], made.json()["gender"]) == (200, "one", "female")
    assert (await http.patch("/Patient?family=Quast", json=FEMALE, headers=JSON)).status_code == 412
    assert (await http.patch("/Patient?family=Nobody", json=FEMALE, headers=JSON)).status_code == 404
    assert (await http.patch("/Patient", json=FEMALE, headers=JSON)).status_code == 400
    stale = {**JSON, "if-match": 'W/"1"'}
    assert (await http.patch("/Patient?family=Quist", json=FEMALE, headers=stale)).status_code == 412


async def test_within_a_transaction(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada", identifier=[{"system": "urn:x", "value": "7"}]))
    await http.put("/Patient/bob", json=patient("bob"))
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    practice = path_patch("add", "Patient", name="managingOrganization", value={"valueReference": {"reference": urn}})
    sent = bundle(
        "transaction",
        entry("GET", "Patient?gender=female"),
        entry("PATCH", "Patient?identifier=urn:x|7", binary(FEMALE)),
        entry("PATCH", "Patient/bob", practice, ifMatch='W/"1"'),
        entry("POST", "Organization", {"resourceType": "Organization", "name": "Practice"}, urn),
        entry("HEAD", "Patient/ada"),
    )
    answer = await http.post("", json=sent)
    assert answer.status_code == 200, answer.text
    found, ada, bob, made, head = answer.json()["entry"]
    assert found["resource"]["total"] == 1  # what reads in a transaction sees what it wrote
    assert [one["response"]["etag"] for one in (ada, bob, made, head)] == ['W/"2"', 'W/"2"', 'W/"1"', 'W/"2"']
    assert "resource" not in head
    organisation = made["response"]["location"].split("/")[-3]
    stored = (await http.get("/Patient/bob")).json()
    assert stored["managingOrganization"]["reference"] == f"Organization/{organisation}"


def held(kind: str, data: str) -> dict[str, Any]:
    return {"resourceType": "Binary", "contentType": kind, "data": data}


PATCH_KIND = "application/json-patch+json"
UNTRUE = binary([{"op": "test", "path": "/gender", "value": "x"}])
EMPTY = path_patch("replace", "Patient.name[0].family", value="")


@pytest.mark.parametrize(
    ("resource", "status", "where"),
    [
        (UNTRUE, 422, "resource.data"),
        (held("text/plain", "YQ=="), 400, "resource.contentType"),
        (held(PATCH_KIND, "eA=="), 400, "resource.data"),
        (path_patch("delete", "Patient.name.nonsense["), 422, "resource.parameter[0]"),
        (EMPTY, 422, "resource.parameter[0].part[2].valueString"),
        (patient("ada"), 400, "resource"),
    ],
)
async def test_a_patch_that_fails_takes_the_transaction_with_it(
    http: httpx.AsyncClient, resource: dict[str, Any], status: int, where: str
) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    first = entry("PUT", "Patient/bob", patient("bob"))
    answer = await http.post("", json=bundle("transaction", first, entry("PATCH", "Patient/ada", resource)))
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["expression"] == [f"Bundle.entry[1].{where}"]
    assert (await http.get("/Patient/bob")).status_code == 404
    batch = (await http.post("", json=bundle("batch", first, entry("PATCH", "Patient/ada", resource)))).json()
    assert [one["response"]["status"][:3] for one in batch["entry"]] == ["201", str(status)]


async def test_who_may_not_read_may_not_probe(http: httpx.AsyncClient, ctx: Ctx, door: Door) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    writer = Actor("client", "w", "writer", scopes=frozenset({"system/*.u"}))
    async with door(ctx.with_(actor=writer)) as blind:
        probe = [{"op": "test", "path": "/name/0/family", "value": "Quist"}]
        assert (await blind.patch("/Patient/ada", json=probe, headers=JSON)).status_code == 403
        assert (await blind.patch("/Patient/nobody", json=probe, headers=JSON)).status_code == 403
