"""The profiles that come with Bedside: US Core's, each with what it lets through and what it does not."""

from copy import deepcopy
from typing import Any

import pytest

from bedside.fhir import structure, terminology
from bedside.fhir.issues import Issue
from bedside.fhir.profiles import Known, Profile, check, published
from bedside.fhir.vocabulary import US_CORE, VITAL_SIGNS

pytestmark = pytest.mark.unit


def known(profile: Profile) -> Known:
    """All that comes with Bedside."""
    found = [one for url in published.urls() if (one := published.profile(url)) is not None]
    codes: dict[str, Any] = {}
    for url in {url for one in found for url in one.value_sets()}:
        try:
            codes[url] = published.codes(url) or terminology.expand(url)
        except (terminology.Missing, terminology.Unlisted):
            codes[url] = None
    return Known({one.url: one for one in found}, codes)


def found(resource: dict[str, Any], name: str) -> list[Issue]:
    profile = published.profile(US_CORE + name)
    assert profile is not None
    assert structure.validate(resource) == []
    return [one for one in check(resource, profile, known(profile)) if one.severity == "error"]


VITAL = {
    "resourceType": "Observation",
    "status": "final",
    "category": [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}
    ],
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-01-01",
}


def quantity(unit: str) -> dict[str, Any]:
    return {"value": 70, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def concept(*codes: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


PULSE = {**VITAL, "code": concept("8867-4"), "valueQuantity": quantity("/min")}
PRESSURE = {
    **VITAL,
    "code": concept("85354-9"),
    "component": [
        {"code": concept("8480-6"), "valueQuantity": quantity("mm[Hg]")},
        {"code": concept("8462-4"), "valueQuantity": quantity("mm[Hg]")},
    ],
}
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "http://x.org", "value": "1"}],
    "name": [{"family": "Quist"}],
    "gender": "female",
}
CONDITION = {
    "resourceType": "Condition",
    "category": [concept("problem-list-item", system="http://terminology.hl7.org/CodeSystem/condition-category")],
    "clinicalStatus": concept("active", system="http://terminology.hl7.org/CodeSystem/condition-clinical"),
    "code": {"text": "asthma"},
    "subject": {"reference": "Patient/p"},
}
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "clinicalStatus": concept("active", system="http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"),
    "code": {"text": "nuts"},
    "patient": {"reference": "Patient/p"},
}
ORDER = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "aspirin"},
    "subject": {"reference": "Patient/p"},
    "requester": {"reference": "Practitioner/d"},
    "authoredOn": "2026-01-01",
}
ENCOUNTER = {
    "resourceType": "Encounter",
    "status": "finished",
    "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
    "type": [{"text": "visit"}],
    "subject": {"reference": "Patient/p"},
}
DOCUMENT = {
    "resourceType": "DocumentReference",
    "status": "current",
    "type": {"text": "letter"},
    "category": [{"text": "note"}],
    "subject": {"reference": "Patient/p"},
    "content": [{"attachment": {"url": "http://x.org/1"}}],
}
GOOD = {
    "us-core-heart-rate": PULSE,
    "us-core-vital-signs": PULSE,
    "us-core-blood-pressure": PRESSURE,
    "us-core-patient": PATIENT,
    "us-core-condition-problems-health-concerns": CONDITION,
    "us-core-condition": CONDITION,
    "us-core-allergyintolerance": ALLERGY,
    "us-core-medicationrequest": ORDER,
    "us-core-encounter": ENCOUNTER,
    "us-core-documentreference": DOCUMENT,
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name: str) -> None:
    assert found(GOOD[name], name) == []


REMOVED = [
    ("us-core-heart-rate", "valueQuantity.unit", "Observation.valueQuantity.unit"),
    ("us-core-heart-rate", "effectiveDateTime", "Observation.effective[x]"),
    ("us-core-heart-rate", "valueQuantity", "Observation"),
    ("us-core-heart-rate", "category", "Observation.category"),
    ("us-core-blood-pressure", "component.0", "Observation.component"),
    ("us-core-patient", "name", "Patient.name"),
    ("us-core-patient", "gender", "Patient.gender"),
    ("us-core-patient", "identifier.0.system", "Patient.identifier[0].system"),
    ("us-core-condition-problems-health-concerns", "category", "Condition.category"),
    ("us-core-condition-problems-health-concerns", "code", "Condition.code"),
    ("us-core-allergyintolerance", "code", "AllergyIntolerance.code"),
    ("us-core-medicationrequest", "requester", "MedicationRequest.requester"),
    ("us-core-encounter", "type", "Encounter.type"),
    ("us-core-encounter", "subject", "Encounter.subject"),
    ("us-core-documentreference", "type", "DocumentReference.type"),
    ("us-core-documentreference", "category", "DocumentReference.category"),
    ("us-core-documentreference", "subject", "DocumentReference.subject"),
]


@pytest.mark.parametrize(("name", "path", "where"), REMOVED)
def test_something_missing(name: str, path: str, where: str) -> None:
    spoiled = deepcopy(GOOD[name])
    node: Any = spoiled
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        node = node[step]
    del node[last]
    assert where in [one.expression for one in found(spoiled, name)]


CHANGED: list[tuple[str, dict[str, Any], str]] = [
    ("us-core-heart-rate", {"code": concept("8310-5")}, "Observation.code"),
    ("us-core-heart-rate", {"valueQuantity": quantity("Cel")}, "Observation.valueQuantity.code"),
    ("us-core-heart-rate", {"subject": {"reference": "Group/g"}}, "Observation.subject"),
    ("us-core-heart-rate", {"effectiveDateTime": "2026"}, "Observation.effectiveDateTime"),
    ("us-core-heart-rate", {"category": [{"text": "vital"}]}, "Observation.category"),
    ("us-core-condition-problems-health-concerns", {"category": [{"text": "problem"}]}, "Condition.category"),
    ("us-core-condition-encounter-diagnosis", {}, "Condition.category"),
    (
        "us-core-documentreference",
        {"content": [{"attachment": {"title": "x"}}]},
        "DocumentReference.content[0].attachment",
    ),
    ("us-core-encounter", {"identifier": [{"value": "1"}]}, "Encounter.identifier[0].system"),
    (
        "us-core-patient",
        {"extension": [{"url": US_CORE + "us-core-birthsex", "valueCode": "X"}]},
        "Patient.extension[0].valueCode",
    ),
    (
        "us-core-patient",
        {
            "extension": [
                {
                    "url": US_CORE + "us-core-race",
                    "extension": [
                        {
                            "url": "ombCategory",
                            "valueCoding": {"system": "urn:oid:2.16.840.1.113883.6.238", "code": "1"},
                        },
                        {"url": "text", "valueString": "x"},
                    ],
                }
            ]
        },
        "Patient.extension[0].extension[0].valueCoding",
    ),
]


@pytest.mark.parametrize(("name", "change", "where"), CHANGED)
def test_something_wrong(name: str, change: dict[str, Any], where: str) -> None:
    base = GOOD.get(name) or CONDITION
    assert where in [one.expression for one in found({**base, **change}, name)]


@pytest.mark.parametrize("sign", [sign for sign in VITAL_SIGNS.values() if sign.units], ids=lambda sign: sign.code)
def test_each_vital_sign_in_each_unit(sign: Any) -> None:
    if sign.profile == "us-core-vital-signs":
        return  # the part of a panel
    for unit in sign.units:
        codes = concept(sign.code, *sign.also)
        assert found({**VITAL, "code": codes, "valueQuantity": quantity(unit)}, sign.profile) == []
    assert found({**VITAL, "code": concept(sign.code, *sign.also), "valueQuantity": quantity("mol")}, sign.profile)


def test_a_value_may_be_absent_for_a_reason() -> None:
    absent = {key: value for key, value in PULSE.items() if key != "valueQuantity"}
    absent["dataAbsentReason"] = concept("unknown", system="http://terminology.hl7.org/CodeSystem/data-absent-reason")
    assert found(absent, "us-core-heart-rate") == []


def test_what_is_not_loaded_is_said() -> None:
    profile = published.profile(US_CORE + "us-core-medicationrequest")
    assert profile is not None
    issues = check({**ORDER, "reasonCode": [{"text": "x"}]}, profile, known(profile))
    assert any("is not loaded: not checked" in one.diagnostics for one in issues)
    assert not [one for one in issues if one.severity == "error"]
