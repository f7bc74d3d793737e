"""What another room governs is changed there: every verb at the FHIR door answers 409 and names what to use."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.records.resources import patient
from tests.records.test_patching import JSON, binary, path_patch
from tests.records.test_transactions import bundle, entry

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.monitoring import subscribers as monitoring
from bedside.monitoring.devices.model import IDENTIFIER as DEVICE
from bedside.monitoring.series.model.identity import Identity
from bedside.prescribing import subscribers as prescribing
from bedside.records.service import registry
from bedside.visits import subscribers as visits
from bedside.visits.model import draft, encounter, note

pytestmark = pytest.mark.engine

READING = Identity(12, 1, 1795262400000000).id
SUBJECT = {"subject": {"reference": "Patient/ada"}}
CONCEPT = {"coding": [{"system": "http://snomed.info/sct", "code": "387207008"}]}
VIRTUAL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"}


def marked(type_: str, system: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": "g1", "identifier": [{"system": system, "value": "1"}], **more}


KEPT = [
    ("visits", marked("Encounter", encounter.IDENTIFIER, status="in-progress", **{"class": VIRTUAL}, **SUBJECT)),
    (
        "visits",
        marked(
            "DocumentReference",
            note.IDENTIFIER,
            status="current",
            content=[{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
            **SUBJECT,
        ),
    ),
    (
        "visits",
        marked(
            "DocumentReference",
            draft.SIGNED,
            status="current",
            docStatus="final",
            content=[{"attachment": {"contentType": "text/plain", "data": "YQ=="}}],
            **SUBJECT,
        ),
    ),
    (
        "prescribing",
        marked(
            "MedicationRequest",
            prescribing.IDENTIFIER,
            status="active",
            intent="order",
            medicationCodeableConcept=CONCEPT,
            **SUBJECT,
        ),
    ),
    (
        "prescribing",
        marked(
            "MedicationDispense",
            prescribing.IDENTIFIER,
            status="completed",
            medicationCodeableConcept=CONCEPT,
            **SUBJECT,
        ),
    ),
    ("monitoring", marked("Device", DEVICE, status="active", patient={"reference": "Patient/ada"})),
]


@pytest.fixture(autouse=True)
def _composition(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_governed", {})
    monkeypatch.setattr(registry, "_providers", {})
    for one in (*monitoring.GOVERNED, *prescribing.GOVERNED, *visits.GOVERNED):
        records.govern(one)
    for provider in monitoring.READ_PROVIDERS:
        records.provide(provider)
    yield


async def every_verb(http: httpx.AsyncClient, resource: dict[str, Any], operation: str) -> None:
    """Each way to change it, alone and in both kinds of bundle."""
    type_, id_ = resource["resourceType"], resource["id"]
    place, query = f"{type_}/{id_}", f"{type_}?_id={id_}"
    steps = [{"op": "add", "path": "/language", "value": "en"}]
    by_path = path_patch("add", type_, name="language", value={"valueCode": "en"})
    alone = {
        "PUT": await http.put(f"/{place}", json={**resource, "language": "en"}),
        "PATCH json": await http.patch(f"/{place}", json=steps, headers=JSON),
        "PATCH path": await http.patch(f"/{place}", json=by_path),
        "DELETE": await http.delete(f"/{place}"),
        "PUT bare": await http.put(f"/{place}", json={k: v for k, v in resource.items() if k != "identifier"}),
        "POST": await http.post(f"/{type_}", json=resource),
    }
    if "identifier" in resource:
        alone |= {
            "PUT?": await http.put(f"/{query}", json=resource),
            "PATCH?": await http.patch(f"/{query}", json=steps, headers=JSON),
            "DELETE?": await http.delete(f"/{query}"),
        }
    else:
        del alone["POST"]  # whatever is posted gets an id of its own, which is no reading's
    for verb, answer in alone.items():
        assert answer.status_code == 409, (verb, answer.text)
        [issue] = answer.json()["issue"]
        assert operation in issue["diagnostics"], verb
    entries = [
        entry("PUT", place, resource),
        entry("PATCH", place, binary(steps)),
        entry("PATCH", place, by_path),
        entry("DELETE", place),
    ]
    for one in entries:
        answer = await http.post("", json=bundle("transaction", entry("PUT", "Patient/eve", patient("eve")), one))
        assert answer.status_code == 409, (one, answer.text)
        assert operation in answer.json()["issue"][0]["diagnostics"]
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1]"]
        assert (await http.get("/Patient/eve")).status_code == 404
    batch = (await http.post("", json=bundle("batch", *entries))).json()
    assert [one["response"]["status"] for one in batch["entry"]] == ["409"] * len(entries)


@pytest.mark.parametrize(("room", "resource"), KEPT, ids=[one["resourceType"] for _, one in KEPT])
async def test_what_a_room_keeps_in_the_record(
    http: httpx.AsyncClient, ctx: Ctx, room: str, resource: dict[str, Any]
) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    async with access.work(ctx, "wrote") as inner:
        await records.write_governed(inner, resource, room=room)
    [governed] = [
        one for one in registry._governed[resource["resourceType"]] if one.room == room and one.test(resource)
    ]
    await every_verb(http, resource, governed.operation)
    assert (await http.get(f"/{resource['resourceType']}/g1")).headers["etag"] == 'W/"1"'


async def test_readings(http: httpx.AsyncClient) -> None:
    [provider] = [one for one in monitoring.READ_PROVIDERS if one.type == "Observation"]
    reading = {
        "resourceType": "Observation",
        "id": READING,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        **SUBJECT,
    }
    assert provider.owns(READING)
    await every_verb(http, reading, provider.operation)
