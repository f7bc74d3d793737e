"""The packed definitions are R4's, whole."""

import fhirkit
import pytest

from bedside.fhir import definitions, structure
from bedside.fhir.testing import Maker

pytestmark = pytest.mark.unit


def test_has_every_resource_type() -> None:
    assert definitions.version() == "4.0.1"
    assert definitions.resource_types() == frozenset(fhirkit.RESOURCE_TYPES)
    assert all(definitions.table(name) for name in definitions.resource_types())
    assert definitions.table("Foo") is None


def test_elements_are_described() -> None:
    observation = definitions.table("Observation")
    assert observation is not None
    value = observation.elements["valueQuantity"]
    assert (value.type, value.many, value.choice) == ("Quantity", False, "value")
    assert observation.elements["subject"].targets == ("Device", "Group", "Location", "Patient")
    assert observation.elements["focus"].targets == ()
    status = observation.elements["status"]
    assert status.binding is not None
    assert "final" in definitions.code_set(status.binding).codes
    item = definitions.table("Questionnaire.item")
    assert item is not None
    assert item.elements["item"].type == "Questionnaire.item"


def test_has_the_search_parameters_of_every_type() -> None:
    observation = definitions.search_parameters("Observation")
    assert {"_id", "_lastUpdated", "_tag", "code", "combo-value-quantity", "code-value-quantity"} <= set(observation)
    assert [one.type for one in observation["code-value-quantity"].components] == ["token", "quantity"]
    assert definitions.search_parameters("Foo") == {}
    total = sum(len(definitions.search_parameters(name)) for name in definitions.resource_types())
    assert total > 2500


def test_has_the_compartments() -> None:
    patient = definitions.compartment("Patient")
    assert set(patient["Observation"]) == {"subject", "performer"}
    assert "Organization" not in patient
    assert definitions.compartment("Foo") == {}
    for type_, codes in patient.items():
        assert set(codes) <= set(definitions.search_parameters(type_)), type_


@pytest.mark.parametrize("seed", range(4))
def test_a_resource_made_from_them_is_well_structured(seed: int) -> None:
    """fhirkit, which has its own copy of R4, finds nothing in what the tables describe."""
    maker = Maker(seed, fullness=0.4)
    for type_ in sorted(definitions.resource_types() - {"EvidenceVariable"}):  # one minimum of R4 is lost there
        issues = structure.validate(maker.resource(type_))
        assert [issue for issue in issues if issue.code != "invariant"] == [], type_
