"""Every planted defect is refused and named with its element; what is right passes."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from bedside.fhir import structure
from bedside.fhir.issues import has_error

pytestmark = pytest.mark.unit


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


def observation(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}


def bundle(kind: str = "collection", *entries: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def condition(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "subject": {"reference": "Patient/1"}, **more}


def timing(**repeat: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "dosageInstruction": [{"timing": {"repeat": repeat}}],
    }


def narrated(div: str) -> dict[str, Any]:
    inner = f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'
    return patient(text={"status": "generated", "div": inner})


VER = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGY = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
ALLERGY_VER = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "x"}
REFERS = {"reference": "#o"}


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
DEFECTS = [
    # structure, by fhirkit
    (patient(foo=1), "Patient.foo", "structure"),
    (patient(gender=["male"]), "Patient.gender", "structure"),
    (patient(name={"family": "x"}), "Patient.name", "structure"),
    (patient(name=[]), "Patient.name", "structure"),
    (patient(name=[None]), "Patient.name[0]", "structure"),
    (patient(name=[{"given": "x"}]), "Patient.name[0].given", "structure"),
    (patient(birthDate="19900231"), "Patient.birthDate", "value"),
    (patient(_name={"id": "x"}), "Patient._name", "structure"),
    ({"resourceType": "Observation", "code": {"text": "x"}}, "Observation.status", "required"),
    (observation(valueString="x", valueBoolean=True), "Observation.value[x]", "structure"),
    (observation(valueQuantity={"value": "1"}), "Observation.valueQuantity.value", "structure"),
    (observation(issued="2020-01-01T00:00:00"), "Observation.issued", "value"),
    ({"resourceType": "Foo"}, "Foo", "structure"),
    ({}, "Resource", "structure"),
    (patient(contained=[{"resourceType": "Foo"}]), "Patient.contained[0]", "structure"),
    # codes outside a required binding
    (patient(gender="xx"), "Patient.gender", "code-invalid"),
    (observation(status="done"), "Observation.status", "code-invalid"),
    (patient(contact=[{"name": {"text": "x"}, "gender": "xx"}]), "Patient.contact[0].gender", "code-invalid"),
    (patient(telecom=[{"system": "pigeon", "value": "1"}]), "Patient.telecom[0].system", "code-invalid"),
    (condition(clinicalStatus=concept(CLINICAL, "gone")), "Condition.clinicalStatus", "code-invalid"),
    (condition(clinicalStatus=concept("http://x.org", "active")), "Condition.clinicalStatus", "code-invalid"),
    (condition(clinicalStatus={"text": "active"}), "Condition.clinicalStatus", "code-invalid"),
    ({"resourceType": "Binary", "contentType": "plain"}, "Binary.contentType", "code-invalid"),
    (
        patient(photo=[{"contentType": "image", "url": "http://x.org"}]),
        "Patient.photo[0].contentType",
        "code-invalid",
    ),
    (
        {"resourceType": "Invoice", "status": "issued", "totalNet": {"value": 1, "currency": "XYZ"}},
        "Invoice.totalNet.currency",
        "code-invalid",
    ),
    # the calendar
    (patient(birthDate="1990-02-31"), "Patient.birthDate", "value"),
    (patient(birthDate="1900-02-29"), "Patient.birthDate", "value"),
    (patient(birthDate="0000"), "Patient.birthDate", "value"),
    (observation(effectiveDateTime="2021-02-29T00:00:00Z"), "Observation.effectiveDateTime", "value"),
    (observation(effectivePeriod={"start": "2021-04-31"}), "Observation.effectivePeriod.start", "value"),
    (
        observation(effectiveTiming={"event": ["2021-04-30", "2021-04-31"]}),
        "Observation.effectiveTiming.event[1]",
        "value",
    ),
    # emptiness
    (patient(name=[{}]), "Patient.name[0]", "structure"),
    (patient(name=[{"id": "a"}]), "Patient.name[0]", "structure"),
    (patient(birthDate="1990", _birthDate={}), "Patient._birthDate", "structure"),
    (patient(name=[{"given": ["x"], "_given": [{}]}]), "Patient.name[0]._given[0]", "structure"),
    (patient(name=[{"given": [None, "x"], "_given": [{"id": "a"}, None]}]), "Patient.name[0]._given[0]", "structure"),
    (patient(_birthDate={"id": "a"}), "Patient._birthDate", "structure"),
    (patient(name=[{"given": [None, "x"]}]), "Patient.name[0].given[0]", "structure"),
    (patient(name=[{"given": [None, "x"], "_given": [None, ABSENT]}]), "Patient.name[0].given[0]", "structure"),
    (patient(name=[{"given": ["x"], "_given": [None, ABSENT]}]), "Patient.name[0]._given", "structure"),
    (patient(name=[{"given": ["x", "y"], "_given": ABSENT}]), "Patient.name[0]._given", "structure"),
    (patient(birthDate=None, _birthDate=ABSENT), "Patient.birthDate", "structure"),
    (patient(birthDate="1990", _birthDate=[ABSENT]), "Patient._birthDate", "structure"),
    (patient(name=[{"family": "x"}], _name=[ABSENT]), "Patient._name", "structure"),
    (observation(subject={}), "Observation.subject", "structure"),
    # ids and characters
    (patient(id="a b"), "Patient.id", "value"),
    (patient(id="a" * 65), "Patient.id", "value"),
    (patient(id="é"), "Patient.id", "value"),
    (patient(meta={"versionId": "a b"}), "Patient.meta.versionId", "value"),
    (patient(name=[{"family": "a\x00"}]), "Patient.name[0].family", "value"),
    (patient(name=[{"family": "a" * 1_048_577}]), "Patient.name[0].family", "too-long"),
    (patient(extension=[{"url": "a b", "valueCode": "c"}]), "Patient.extension[0].url", "value"),
    (patient(name=[{"family": "a\x1b"}]), "Patient.name[0].family", "value"),
    (observation(valueQuantity={"value": Decimal("1E+999999")}), "Observation.valueQuantity.value", "value"),
    # references
    (observation(subject={"reference": "Practitioner/1"}), "Observation.subject", "value"),
    (observation(subject={"reference": "http://x.org/fhir/Practitioner/1"}), "Observation.subject", "value"),
    (observation(subject={"type": "Practitioner", "identifier": {"value": "1"}}), "Observation.subject", "value"),
    (observation(subject={"type": "Group", "reference": "Patient/1"}), "Observation.subject.type", "value"),
    (observation(subject={"reference": "Patient/a b"}), "Observation.subject.reference", "value"),
    (observation(subject={"reference": "Patients/1"}), "Observation.subject.reference", "value"),
    (observation(subject={"reference": "1"}), "Observation.subject.reference", "value"),
    (observation(subject={"reference": "urn:uuid:1"}), "Observation.subject.reference", "value"),
    (observation(subject={"reference": "Patient?identifier=1"}), "Observation.subject.reference", "value"),
    (observation(subject={"reference": "#p"}), "Observation.subject.reference", "value"),
    (
        observation(subject={"reference": "#o"}, contained=[ORGANIZATION]),
        "Observation.subject",
        "value",
    ),
    # contained resources
    (patient(contained=[ORGANIZATION]), "Patient.contained[0]", "invariant"),
    (patient(contained=[{"resourceType": "Organization", "name": "x"}]), "Patient.contained[0]", "invariant"),
    (
        patient(contained=[{**ORGANIZATION, "contained": [{"resourceType": "Patient"}]}], managingOrganization=REFERS),
        "Patient.contained[0].contained",
        "invariant",
    ),
    (
        patient(contained=[{**ORGANIZATION, "meta": {"versionId": "1"}}], managingOrganization=REFERS),
        "Patient.contained[0].meta",
        "invariant",
    ),
    (
        patient(contained=[{**ORGANIZATION, "meta": {"security": [{"code": "R"}]}}], managingOrganization=REFERS),
        "Patient.contained[0].meta.security",
        "invariant",
    ),
    (
        patient(contained=[ORGANIZATION, ORGANIZATION], managingOrganization=REFERS),
        "Patient.contained[1].id",
        "invariant",
    ),
    (
        patient(contained=[{"resourceType": "Organization", "id": "o"}], managingOrganization=REFERS),
        "Patient.contained[0]",
        "invariant",
    ),
    # invariants
    (patient(extension=[{"url": "http://x.org"}]), "Patient.extension[0]", "invariant"),
    (
        patient(extension=[{"url": "http://x.org", "valueCode": "a", "extension": [{"url": "b", "valueCode": "c"}]}]),
        "Patient.extension[0]",
        "invariant",
    ),
    (patient(contact=[{"gender": "male"}]), "Patient.contact[0]", "invariant"),
    (observation(valueQuantity={"value": 1, "code": "mg"}), "Observation.valueQuantity", "invariant"),
    (observation(effectivePeriod={"start": "2021", "end": "2020"}), "Observation.effectivePeriod", "invariant"),
    (observation(valueString="x", dataAbsentReason={"text": "x"}), "Observation", "invariant"),
    (
        observation(
            code=concept("http://loinc.org", "1"),
            valueString="x",
            component=[{"code": concept("http://loinc.org", "1"), "valueString": "y"}],
        ),
        "Observation",
        "invariant",
    ),
    (observation(referenceRange=[{"age": {"low": {"value": 1}}}]), "Observation.referenceRange[0]", "invariant"),
    (observation(valueRange={"low": {"value": 2}, "high": {"value": 1}}), "Observation.valueRange", "invariant"),
    (observation(valueRatio={"numerator": {"value": 2}}), "Observation.valueRatio", "invariant"),
    (patient(telecom=[{"value": "1"}]), "Patient.telecom[0]", "invariant"),
    (patient(photo=[{"data": "aGk="}]), "Patient.photo[0]", "invariant"),
    (condition(abatementDateTime="2020", clinicalStatus=concept(CLINICAL, "active")), "Condition", "invariant"),
    (
        condition(clinicalStatus=concept(CLINICAL, "active"), verificationStatus=concept(VER, "entered-in-error")),
        "Condition",
        "invariant",
    ),
    (condition(stage=[{"type": {"text": "x"}}]), "Condition.stage[0]", "invariant"),
    ({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/1"}}, "AllergyIntolerance", "invariant"),
    (
        {
            "resourceType": "AllergyIntolerance",
            "patient": {"reference": "Patient/1"},
            "clinicalStatus": concept(ALLERGY, "active"),
            "verificationStatus": concept(ALLERGY_VER, "entered-in-error"),
        },
        "AllergyIntolerance",
        "invariant",
    ),
    (timing(duration=1), "MedicationRequest.dosageInstruction[0].timing.repeat", "invariant"),
    (timing(period=1), "MedicationRequest.dosageInstruction[0].timing.repeat", "invariant"),
    (timing(period=-1, periodUnit="d"), "MedicationRequest.dosageInstruction[0].timing.repeat", "invariant"),
    (timing(when=["C"], offset=5), "MedicationRequest.dosageInstruction[0].timing.repeat", "invariant"),
    (timing(when=["AC"], timeOfDay=["10:00:00"]), "MedicationRequest.dosageInstruction[0].timing.repeat", "invariant"),
    (bundle(total=1), "Bundle", "invariant"),
    (bundle("collection", {"search": {"mode": "match"}, "resource": patient()}), "Bundle", "invariant"),
    (bundle("transaction", {"resource": patient()}), "Bundle", "invariant"),
    (bundle("searchset", {"response": {"status": "200"}}), "Bundle", "invariant"),
    (bundle("collection", {"link": [{"relation": "self", "url": "http://x.org"}]}), "Bundle.entry[0]", "invariant"),
    (bundle("document", {"resource": patient()}), "Bundle", "invariant"),
    (
        bundle("collection", *[{"fullUrl": "http://x.org/1", "resource": patient()}] * 2),
        "Bundle",
        "invariant",
    ),
    (bundle("collection", {"resource": patient(gender="xx")}), "Bundle.entry[0].resource.gender", "code-invalid"),
    (
        {"resourceType": "Parameters", "parameter": [{"name": "a", "resource": patient(birthDate="1990-02-31")}]},
        "Parameters.parameter[0].resource.birthDate",
        "value",
    ),
    (
        {"resourceType": "Organization", "name": "x", "telecom": [{"system": "phone", "value": "1", "use": "home"}]},
        "Organization.telecom[0]",
        "invariant",
    ),
    # narrative
    (narrated("<script>x</script>"), "Patient.text.div", "security"),
    (narrated('<p onclick="x()">x</p>'), "Patient.text.div", "security"),
    (narrated('<a href="javascript:x()">x</a>'), "Patient.text.div", "security"),
    (narrated('<a href="jav&#x0A;ascript:x()">x</a>'), "Patient.text.div", "security"),
    (narrated('<img src="data:text/html;base64,AA=="/>'), "Patient.text.div", "security"),
    (narrated('<p style="background:url(http://x.org)">x</p>'), "Patient.text.div", "security"),
    (narrated("<iframe/>x"), "Patient.text.div", "security"),
    (narrated("<form><input/></form>x"), "Patient.text.div", "security"),
    (narrated("<svg/>x"), "Patient.text.div", "security"),
    (narrated("<p>x"), "Patient.text.div", "security"),
    (narrated(" "), "Patient.text.div", "security"),
    (patient(text={"status": "generated", "div": "<div>x</div>"}), "Patient.text.div", "security"),
    (
        patient(text={"status": "generated", "div": '<!DOCTYPE d [<!ENTITY a "b">]><div>&a;</div>'}),
        "Patient.text.div",
        "security",
    ),
]


@pytest.mark.parametrize(("resource", "expression", "code"), DEFECTS)
def test_names_a_planted_defect(resource: dict[str, Any], expression: str, code: str) -> None:
    before = copy.deepcopy(resource)
    issues = structure.validate(resource)
    assert (expression, code) in {(issue.expression, issue.code) for issue in issues if issue.severity == "error"}
    assert has_error(issues)
    assert resource == before, "validation must not change what it judges"
    assert structure.validate(structure.write(resource)) == issues, "bytes and dict are judged alike"


SOUND = [
    patient(),
    patient(id="a-1.B", birthDate="2024-02-29", gender="unknown"),
    patient(birthDate="1990", _birthDate={"id": "b"}),
    patient(name=[{"given": [None, "x"], "_given": [ABSENT, None]}]),
    patient(name=[{"given": ["x", None, "y"], "_given": [{"id": "a"}, ABSENT, None]}]),
    patient(name=[{"_given": [ABSENT]}], _birthDate=ABSENT),
    patient(contained=[ORGANIZATION], managingOrganization=REFERS),
    {"resourceType": "Observation", "_status": ABSENT, "code": {"text": "x"}},
    observation(subject={"reference": "Patient/1/_history/2"}),
    observation(subject={"reference": "urn:uuid:0189f3c2-7a52-7d5a-9a1a-000000000000", "type": "Patient"}),
    observation(subject={"display": "x"}, focus=[{"reference": "Account/1"}]),
    observation(effectivePeriod={"start": "2020-05-01T10:00:00+02:00", "end": "2020-05"}),
    observation(effectiveDateTime="2016-12-31T23:59:60Z"),
    observation(valueQuantity={"value": Decimal("1.50"), "_value": ABSENT}),
    observation(component=[{"code": {"text": "y"}, "valueInteger": 0}]),
    observation(valueRange={"low": {"value": 1, "unit": "stones"}, "high": {"value": 2, "unit": "pebbles"}}),
    observation(note=[{"text": "two\r\n\tlines"}]),
    condition(clinicalStatus=concept(CLINICAL, "resolved"), abatementDateTime="2020"),
    timing(period=1, periodUnit="d", frequency=2),
    timing(when=["AC"], offset=5),
    narrated('<h1>É &nbsp;x</h1><table class="a"><tr><td><a href="https://x.org">y</a></td></tr></table>'),
    narrated('<img src="data:image/png;base64,AA==" alt="z"/><p style="color: red">&lt;</p>'),
    {"resourceType": "Binary", "contentType": "application/fhir+json; charset=utf-8", "data": "aGk="},
    {"resourceType": "Parameters"},
    bundle("batch", {"request": {"method": "GET", "url": "Patient"}}),
    bundle(
        "transaction",
        {
            "fullUrl": "urn:uuid:0189f3c2-7a52-7d5a-9a1a-000000000000",
            "resource": observation(subject={"reference": "Patient?identifier=a|b"}),
            "request": {"method": "POST", "url": "Observation"},
        },
    ),
]


@pytest.mark.parametrize("resource", SOUND)
def test_lets_through_what_is_right(resource: dict[str, Any]) -> None:
    assert structure.validate(resource) == []
    assert structure.validate(structure.write(resource)) == []


NESTED = b'{"resourceType":"Patient","extension":[' + b'{"url":"x","extension":[' * 500 + b"]}" * 500 + b"]}"


@pytest.mark.parametrize(
    ("raw", "expression"),
    [
        (b'{"resourceType":"Patient","id":"a","id":"b"}', "Patient.id"),
        (b'{"resourceType":"Patient","name":[{"text":"a","text":"b"}]}', "Patient.name[0].text"),
        (b'{"resourceType":"Patient","name":[{"text":"\\u0000"}]}', "Patient.name[0].text"),
        (b'{"resourceType":"Patient","fhir_comments":["x"]}', "Patient.fhir_comments"),
        (b'{"resourceType":"Patient","name":[{"text":"\\ud800"}]}', ""),
        (b'{"resourceType":"Patient","name":[{"text":"\xff"}]}', ""),
        (b"\xef\xbb\xbf{}", ""),
        (b'{"resourceType":"Patient"', ""),
        (b'{"resourceType":"Observation","valueInteger":NaN}', ""),
        (b"", ""),
        (b"[1]", ""),
        (b'{"resourceType":"Observation","valueQuantity":{"value":1e99999999999999999999}}', ""),
        (b'{"resourceType":"Observation","valueInteger":' + b"1" * 5000 + b"}", ""),
        (
            b'{"resourceType":"Observation","valueQuantity":{"value":0.' + b"1" * 101 + b"}}",
            "Observation.valueQuantity.value",
        ),
        (b"null", ""),
        (NESTED, ""),
        (b"[" * 100_000, ""),
    ],
)
def test_refuses_bad_bytes(raw: bytes, expression: str) -> None:
    issues = structure.validate(raw)
    assert expression in {issue.expression for issue in issues}
    assert has_error(issues)


def test_keeps_every_digit_of_a_decimal() -> None:
    raw = b'{"resourceType":"Observation","valueQuantity":{"value":1.500000000000000000000000000000000000001}}'
    assert structure.write(structure.read(raw)) == raw


def test_says_nothing_of_the_refused_value() -> None:
    for issue in structure.validate(patient(birthDate="Smith", gender="Jones", id="Mary Brown")):
        assert not any(name in issue.diagnostics for name in ("Smith", "Jones", "Mary"))


def test_advice_is_given_only_when_asked() -> None:
    assert structure.validate(patient()) == []
    advice = structure.validate(patient(), warnings=True)
    assert [issue.severity for issue in advice] == ["warning"]
    assert not has_error(advice)
