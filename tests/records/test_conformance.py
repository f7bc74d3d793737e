"""fhir.resources, which others wrote, reads every reply of the FHIR door (its R4B, the nearest it has to R4)."""

import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.records.resources import patient, pulse

from bedside.fhir import structure

pytestmark = pytest.mark.conformance

theirs = pytest.importorskip("fhir.resources.R4B", reason="fhir.resources is not locked for this environment yet")

ARCHIVE = "shared/data/fhir_synthea/synthea_r4_25_patients.tar.xz"


def reads(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The reply, once fhir.resources and our own rules have both found it good."""
    assert answer.status_code == status, answer.text[:2000]
    resource = structure.read(answer.content)
    theirs.get_fhir_model_class(resource["resourceType"]).model_validate_json(answer.content)
    assert structure.validate(answer.content) == []
    return resource


async def test_every_kind_of_reply(http: httpx.AsyncClient) -> None:
    reads(await http.get("/metadata"))
    made = reads(await http.post("/Patient", json=patient()), 201)
    reads(await http.post("/Observation", json=pulse(made["id"])), 201)
    reads(await http.put("/Patient/p1", json=patient("p1", birthDate="1950")), 201)
    reads(await http.get(f"/Patient/{made['id']}"))
    reads(await http.get(f"/Patient/{made['id']}/_history"))
    reads(await http.get("/_history"))
    found = reads(await http.get("/Observation?code=8867-4&_include=Observation:subject&_total=accurate"))
    assert {entry["search"]["mode"] for entry in found["entry"]} == {"match", "include"}
    reads(await http.get("/Observation?_summary=count"))
    reads(await http.get("/Observation?_summary=true"))
    reads(await http.get("/Patient?name=nobody"))
    for refused in (
        await http.get("/Patient/nobody"),
        await http.get("/Patient?foo=1"),
        await http.get("/Foo/1"),
        await http.post("/Patient", json=patient(gender="xx", birthDate="1990-02-31")),
        await http.post("/Patient", content=b"{"),
        await http.delete("/Patient/nobody"),
    ):
        outcome = reads(refused, refused.status_code)
        assert refused.status_code >= 400
        assert outcome["resourceType"] == "OperationOutcome"


async def test_a_batch_and_a_transaction(http: httpx.AsyncClient) -> None:
    entries = [
        {"request": {"method": "POST", "url": "Patient"}, "resource": patient()},
        {"request": {"method": "GET", "url": "Patient/nobody"}},
    ]
    reads(await http.post("/", json={"resourceType": "Bundle", "type": "batch", "entry": entries}))
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": entries[:1]}
    reads(await http.post("/", json=whole))


@pytest.fixture
def smallest() -> bytes:
    """The smallest of Synthea's bundles."""
    archive = next((up / ARCHIVE for up in Path(__file__).resolve().parents if (up / ARCHIVE).is_file()), None)
    if archive is None:
        pytest.skip("the Synthea bundles are not beside this checkout")
    with tarfile.open(archive) as files:
        content = files.extractfile(min((one for one in files if one.isfile()), key=lambda one: one.size))
        assert content is not None
        return content.read()


async def test_a_synthea_load(http: httpx.AsyncClient, smallest: bytes) -> None:
    answer = reads(await http.post("/", content=smallest))
    kinds = {entry["response"]["location"].split("/")[-4] for entry in answer["entry"]}
    assert "Observation" in kinds
    for kind in sorted(kinds):
        page = reads(await http.get(f"/{kind}?_count=50&_total=accurate"))
        assert page["total"] > 0
        for entry in page["entry"]:
            reads(await http.get(f"/{kind}/{entry['resource']['id']}"))
