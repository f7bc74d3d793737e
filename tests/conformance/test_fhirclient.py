"""fhirclient (SMART's Python client) at its everyday work."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fhirclient import client
from fhirclient.models import bundle as b
from fhirclient.models import humanname, identifier
from fhirclient.models import observation as o
from fhirclient.models import patient as p
from fhirclient.server import FHIRNotFoundException
from tests.conformance.conftest import Server

pytestmark = pytest.mark.conformance


@pytest.fixture
def smart(server: Server) -> Iterator[Any]:
    """Its client. It knows no client_credentials, so the token is put into its session."""
    made = client.FHIRClient(settings={"app_id": "bedside-tests", "api_base": server.base})
    made.server.session = requests.Session()
    made.server.session.headers["Authorization"] = server.authorization
    made.server.prepare()
    yield made
    made.server.session.close()


def someone(family: str) -> Any:
    made = p.Patient()
    made.name = [humanname.HumanName({"family": family, "given": ["Ada"]})]
    made.identifier = [identifier.Identifier({"system": "urn:fhirclient", "value": family})]
    return made


def pulse(patient: str, value: int) -> Any:
    return o.Observation(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": f"2026-01-0{value % 9 + 1}T08:00:00Z",
            "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "/min"},
        }
    )


def test_everyday_work(smart: Any) -> None:
    assert smart.server.capabilityStatement.fhirVersion == "4.0.1"
    made = someone("Fhirclient").create(smart.server)
    id_ = made["id"]
    ada = p.Patient.read(id_, smart.server)
    assert ada.name[0].family == "Fhirclient"
    ada.gender = "female"
    assert ada.update(smart.server)["meta"]["versionId"] == "2"
    for n in range(7):
        pulse(id_, 60 + n).create(smart.server)
    found = o.Observation.where({"patient": id_, "_count": "3", "_sort": "date"})
    assert len(list(found.perform_resources_iter(smart.server))) == 7  # it follows the links of the pages
    first = next(iter(found.perform_iter(smart.server)))
    assert len(first.entry) == 3
    one = next(iter(found.perform_resources_iter(smart.server)))
    one.delete(smart.server)
    assert len(list(found.perform_resources_iter(smart.server))) == 6
    with pytest.raises((FHIRNotFoundException, requests.HTTPError)):
        o.Observation.read(one.id, smart.server)


def test_a_transaction(smart: Any) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    made = pulse("x", 61)
    made.subject.reference = urn
    sent = b.Bundle({"resourceType": "Bundle", "type": "transaction"})
    sent.entry = []
    for resource, full in ((someone("Whole"), urn), (made, None)):
        one = b.BundleEntry()
        one.fullUrl = full
        one.resource = resource
        one.request = b.BundleEntryRequest({"method": "POST", "url": resource.resource_type})
        sent.entry.append(one)
    sent.entry[0].request.ifNoneExist = "identifier=urn:fhirclient|Whole"
    answers = [smart.server.post_json("", sent.as_json()).json() for _ in range(2)]
    statuses = [[e["response"]["status"] for e in b.Bundle(one).as_json()["entry"]] for one in answers]
    assert statuses == [["201 Created", "201 Created"], ["200 OK", "201 Created"]]
