"""The parts of a profile one by one: slices, fixed and pattern values, choices, types, absent values."""

from typing import Any

import pytest

from bedside.fhir.profiles import BadProfile, Known, check, profile_of

pytestmark = pytest.mark.unit

TELECOM = {
    "id": "Patient.telecom",
    "slicing": {"rules": "closed", "discriminator": [{"type": "value", "path": "system"}]},
}
PHONE = [
    {"id": "Patient.telecom:phone", "min": 1, "max": "1"},
    {"id": "Patient.telecom:phone.system", "fixedCode": "phone"},
    {"id": "Patient.telecom:phone.value", "min": 1},
]


def profile(*elements: dict[str, Any], type_: str = "Patient", **more: Any) -> dict[str, Any]:
    return {"url": "http://x.org/p", "type": type_, "differential": {"element": [{"id": type_}, *elements]}, **more}


def found(resource: dict[str, Any], *elements: dict[str, Any], codes: Any = None) -> list[tuple[str, str, str]]:
    made = profile_of(profile(*elements, type_=resource["resourceType"]))
    issues = check(resource, made, Known({made.url: made}, codes or {}))
    return [(one.severity, one.code, one.expression) for one in issues]


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


@pytest.mark.parametrize(
    ("telecom", "expected"),
    [
        ([{"system": "phone", "value": "1"}], []),
        ([], [("error", "required", "Patient.telecom")]),
        ([{"system": "phone"}], [("error", "required", "Patient.telecom[0].value")]),
        ([{"system": "phone", "value": "1"}] * 2, [("error", "structure", "Patient.telecom")]),
        (
            [{"system": "phone", "value": "1"}, {"system": "fax", "value": "1"}],
            [("error", "structure", "Patient.telecom[1]")],
        ),
    ],
)
def test_closed_slices(telecom: list[dict[str, Any]], expected: list[Any]) -> None:
    assert found(patient(telecom=telecom) if telecom else patient(), TELECOM, *PHONE) == expected


def test_slices_by_pattern_code_set_existence_and_url() -> None:
    by_pattern = {"id": "Patient.identifier", "slicing": {"discriminator": [{"type": "pattern", "path": "type"}]}}
    mrn = [
        {"id": "Patient.identifier:mrn", "min": 1},
        {"id": "Patient.identifier:mrn.type", "patternCodeableConcept": {"coding": [{"code": "MR"}]}},
    ]
    number = {"type": {"coding": [{"system": "http://x.org", "code": "MR"}]}, "value": "1"}
    assert found(patient(identifier=[number]), by_pattern, *mrn) == []
    assert found(patient(identifier=[{"value": "1"}]), by_pattern, *mrn) == [
        ("error", "required", "Patient.identifier")
    ]
    bound = [
        {"id": "Patient.telecom", "slicing": {"discriminator": [{"type": "value", "path": "system"}]}},
        {"id": "Patient.telecom:any", "min": 1},
        {"id": "Patient.telecom:any.system", "binding": {"strength": "required", "valueSet": "http://x.org/v"}},
    ]
    codes = {"http://x.org/v": {"": frozenset({"email"})}}
    assert found(patient(telecom=[{"system": "email"}]), *bound, codes=codes) == []
    assert found(patient(telecom=[{"system": "fax"}]), *bound, codes=codes) == [
        ("error", "required", "Patient.telecom")
    ]
    unloaded = found(patient(telecom=[{"system": "fax"}]), *bound)
    assert unloaded == [("information", "not-supported", "Patient.telecom")]  # told, not passed over
    lives = [
        {"id": "Patient.address", "slicing": {"discriminator": [{"type": "exists", "path": "city"}]}},
        {"id": "Patient.address:town", "max": "1"},
        {"id": "Patient.address:town.city", "min": 1},
    ]
    assert found(patient(address=[{"city": "A"}, {"text": "B"}]), *lives) == []
    assert found(patient(address=[{"city": "A"}, {"city": "B"}]), *lives) == [("error", "structure", "Patient.address")]
    asked = [
        {"id": "Patient.extension", "slicing": {"discriminator": [{"type": "value", "path": "url"}]}},
        {"id": "Patient.extension:e", "min": 1, "type": [{"code": "Extension", "profile": ["http://x.org/e"]}]},
    ]
    assert found(patient(extension=[{"url": "http://x.org/e", "valueString": "x"}]), *asked) == []
    assert found(patient(), *asked) == [("error", "required", "Patient.extension")]


def test_values_choices_and_types() -> None:
    dead = {"id": "Patient.deceased[x]", "type": [{"code": "boolean"}]}
    assert found(patient(deceasedBoolean=True), dead) == []
    assert found(patient(deceasedDateTime="2020"), dead) == [("error", "structure", "Patient.deceasedDateTime")]
    twins = {"id": "Patient.multipleBirth[x]", "fixedInteger": 2}
    assert found(patient(multipleBirthInteger=2), twins) == []
    assert found(patient(multipleBirthInteger=3), twins) == [("error", "value", "Patient.multipleBirthInteger")]
    none = {"id": "Patient.photo", "max": "0"}
    assert found(patient(photo=[{"title": "x"}]), none) == [("error", "structure", "Patient.photo")]
    born = {"id": "Patient.birthDate", "min": 1}
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    assert found(patient(_birthDate=absent), born) == []
    assert found(patient(), born) == [("error", "required", "Patient.birthDate")]


def test_rules_and_codes() -> None:
    rule = {"key": "x-1", "severity": "error", "human": "Has a name.", "expression": "name.exists()"}
    assert found(patient(), {"id": "Patient", "constraint": [rule]}) == [("error", "invariant", "Patient")]
    broken = {**rule, "expression": "name.(("}
    assert found(patient(), {"id": "Patient", "constraint": [broken]}) == [("warning", "not-supported", "Patient")]
    bomb = {**rule, "expression": "name.family.matches('(a+)+$')"}
    named = patient(name=[{"family": "a" * 40 + "b"}])
    assert found(named, {"id": "Patient", "constraint": [bomb]}) == [("warning", "not-supported", "Patient")]
    for strength, severity in (("required", "error"), ("extensible", "warning")):
        bound = {"id": "Patient.maritalStatus", "binding": {"strength": strength, "valueSet": "http://x.org/v|2"}}
        single = {"coding": [{"system": "http://x.org", "code": "S"}]}
        codes = {"http://x.org/v": {"http://x.org": frozenset({"M"})}}
        expected = [(severity, "code-invalid", "Patient.maritalStatus")]
        assert found(patient(maritalStatus=single), bound, codes=codes) == expected
        assert found(patient(maritalStatus=single), bound) == [("information", "not-found", "Patient.maritalStatus")]


@pytest.mark.parametrize(
    "broken",
    [
        {"contained": "x", "managingOrganization": {"reference": "#x"}},
        {"contained": ["x"], "managingOrganization": 3},
        {"maritalStatus": {"coding": [{"system": [], "code": []}]}},
        {"maritalStatus": {"coding": "x"}},
        {"multipleBirthInteger": True},
        {"telecom": "x", "_telecom": 3},
        {"telecom": [None, {"system": {}}]},
    ],
)
def test_what_is_no_fhir_at_all_is_answered(broken: dict[str, Any]) -> None:
    found(
        patient(**broken),
        {"id": "Patient.managingOrganization", "type": [{"code": "Reference", "targetProfile": ["http://x.org/p"]}]},
        {"id": "Patient.maritalStatus", "binding": {"strength": "required", "valueSet": "http://x.org/v"}},
        {"id": "Patient.multipleBirth[x]", "fixedInteger": 2},
        TELECOM,
        *PHONE,
        codes={"http://x.org/v": {"http://x.org": frozenset({"M"})}},
    )


def test_what_is_no_profile() -> None:
    for bad in (
        {"type": "Patient", "differential": {"element": [{"id": "Patient"}]}},
        {"url": "http://x.org/p", "type": "Patient"},
        profile({"id": "Observation.code", "min": 1}),
    ):
        with pytest.raises(BadProfile):
            profile_of(bad)
    made = profile_of(profile())
    (issue,) = check({"resourceType": "Observation"}, made, Known({}, {}))
    assert (issue.severity, issue.diagnostics) == ("error", "This profile is of Patient.")
