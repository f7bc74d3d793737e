"""fhirpy at its everyday work."""

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound
from tests.conformance.conftest import Server

pytestmark = pytest.mark.conformance

URN = "urn:fhirpy"


@pytest.fixture
def fhirpy(server: Server) -> SyncFHIRClient:
    """Its client, with the token as it takes one. Lenient: its count() sends _totalMethod, which is not FHIR's."""
    lenient = {"Prefer": "handling=lenient"}
    return SyncFHIRClient(server.base, authorization=server.authorization, extra_headers=lenient)


def test_everyday_work(fhirpy: SyncFHIRClient) -> None:
    ada = fhirpy.resource(
        "Patient", name=[{"family": "Fhirpy", "given": ["Ada"]}], identifier=[{"system": URN, "value": "1"}]
    )
    ada.save()
    assert ada["meta"]["versionId"] == "1"
    read = fhirpy.reference("Patient", ada.id).to_resource()
    assert read["name"][0]["family"] == "Fhirpy"
    ada["gender"] = "female"
    ada.save()
    ada.patch(birthDate="1950-01-02")  # a merge patch, which is not FHIR's
    assert (ada["birthDate"], ada["gender"]) == ("1950-01-02", "female")
    ada["gender"] = "other"
    ada.save(fields=["gender"])
    assert fhirpy.resources("Patient").search(identifier=f"{URN}|1").get()["gender"] == "other"
    steps = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Patient.birthDate"}],
            }
        ],
    }
    assert "birthDate" not in fhirpy.execute(f"Patient/{ada.id}", method="patch", data=steps)
    for n in range(7):
        fhirpy.resource(
            "Observation",
            status="final",
            code={"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            subject=ada.to_reference(),
            valueQuantity={"value": 60 + n, "system": "http://unitsofmeasure.org", "code": "/min"},
        ).save()
    found = fhirpy.resources("Observation").search(patient=ada.id).limit(3)
    assert len(found.fetch()) == 3
    assert len(found.fetch_all()) == 7  # by the links of the pages
    assert found.count() == 7
    assert len(found.include("Observation", "subject").fetch_raw()["entry"]) == 4
    found.first().delete()
    assert found.count() == 6
    with pytest.raises(ResourceNotFound):
        fhirpy.get("Patient", "nobody")
    with pytest.raises(OperationOutcome):
        fhirpy.resource("Patient", gender="womn").save()


def test_conditions(fhirpy: SyncFHIRClient) -> None:
    patients = fhirpy.resources("Patient").search(identifier=f"{URN}|2")
    new = fhirpy.resource("Patient", identifier=[{"system": URN, "value": "2"}])
    with pytest.raises(OperationOutcome, match="If-None-Exist"):
        patients.get_or_create(new)  # it puts the criteria into the URL; FHIR has a header for them
    criteria = {"If-None-Exist": f"identifier={URN}|2"}
    first, again = [
        fhirpy._do_request("post", "Patient", data=new.serialize(), extra_headers=criteria) for _ in range(2)
    ]
    assert first["id"] == again["id"]
    changed, created = patients.update(
        fhirpy.resource("Patient", gender="male", identifier=[{"system": URN, "value": "2"}])
    )
    assert (created, changed["id"], changed["gender"]) == (False, first["id"], "male")
    fhirpy.resource("Patient", identifier=[{"system": URN, "value": "2"}]).save()
    with pytest.raises(MultipleResourcesFound):
        patients.get()


def test_a_batch(fhirpy: SyncFHIRClient) -> None:
    entries = [
        {"request": {"method": "POST", "url": "Patient"}, "resource": {"resourceType": "Patient", "active": True}},
        {"request": {"method": "GET", "url": "Patient/nobody"}},
    ]
    sent = fhirpy.resource("Bundle", type="batch", entry=entries)
    answer = fhirpy.execute("", method="post", data=sent.serialize())
    assert [one["response"]["status"][:3] for one in answer["entry"]] == ["201", "404"]
