"""FHIRPath Patch: the cases HL7 tests it by (fhir-test-cases, r4/patch) in our words, and what they leave out."""

from collections.abc import Callable
from typing import Any

import pytest

from bedside.fhir import path_patch, places, structure
from bedside.fhir.unpatchable import Unpatchable

pytestmark = pytest.mark.unit

Resource = dict[str, Any]


def operation(kind: str, path: str, **parts: Any) -> Resource:
    """One operation. A part is given as its value[x] object, a number, or a text."""
    made = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if isinstance(value, dict):
            made.append({"name": name, **value})
        elif isinstance(value, int):
            made.append({"name": name, "valueInteger": value})  # type: ignore[dict-item]
        else:
            made.append({"name": name, "valueString": value})
    return {"name": "operation", "part": made}


def patched(resource: Resource, *operations: Resource) -> Resource:
    """The resource after the operations; the patch itself must be valid FHIR."""
    parameters: Resource = {"resourceType": "Parameters"}
    if operations:
        parameters["parameter"] = list(operations)
    assert structure.validate(parameters) == []
    return path_patch.apply(resource, parameters)


def person(**more: Any) -> Resource:
    return {"resourceType": "Patient", **more}


def numbered(*numbers: int) -> Resource:
    return person(identifier=[{"system": "urn:x", "value": f"value {n}"} for n in numbers])


EXTRA = {"extension": [{"url": "urn:e", "valueString": "x"}]}
CONTACT = {"name": {"text": "a name"}, "gender": "male"}
IDENTIFIER = {"valueIdentifier": {"system": "urn:x", "value": "value 3"}}
LIST = "Patient.identifier"
Move = Callable[..., Resource]


def move(source: int, destination: int) -> Resource:
    return operation("move", LIST, source=source, destination=destination)


@pytest.mark.parametrize(
    ("before", "operations", "after"),
    [
        # primitives
        (person(birthDate="1920-01-01"), [], person(birthDate="1920-01-01")),
        (
            person(birthDate="1920-01-01"),
            [operation("replace", "Patient.birthDate", value={"valueDate": "1930-01-01"})],
            person(birthDate="1930-01-01"),
        ),
        (person(birthDate="1920-01-01"), [operation("delete", "Patient.birthDate")], person()),
        (
            person(),
            [operation("add", "Patient", name="birthDate", value={"valueDate": "1930-01-01"})],
            person(birthDate="1930-01-01"),
        ),
        # the same, further down
        (
            person(contact=[CONTACT]),
            [operation("replace", "Patient.contact[0].gender", value={"valueCode": "female"})],
            person(contact=[{**CONTACT, "gender": "female"}]),
        ),
        (
            person(contact=[CONTACT]),
            [operation("replace", "Patient.contact[0].name.text", value="the name")],
            person(contact=[{"name": {"text": "the name"}, "gender": "male"}]),
        ),
        (
            person(contact=[CONTACT]),
            [operation("delete", "Patient.contact[0].gender")],
            person(contact=[{"name": {"text": "a name"}}]),
        ),
        (
            person(contact=[CONTACT]),
            [operation("delete", "Patient.contact[0].name.text")],
            person(contact=[{"gender": "male"}]),
        ),
        (
            person(contact=[{"name": {"text": "a name"}}]),
            [operation("add", "Patient.contact[0]", name="gender", value={"valueCode": "male"})],
            person(contact=[CONTACT]),
        ),
        # datatypes
        (
            person(),
            [operation("add", "Patient", name="maritalStatus", value={"valueCodeableConcept": {"text": "married"}})],
            person(maritalStatus={"text": "married"}),
        ),
        (
            person(maritalStatus={"id": "1", "text": "married"}),
            [operation("replace", "Patient.maritalStatus", value={"valueCodeableConcept": {"id": "2", "text": "not"}})],
            person(maritalStatus={"id": "2", "text": "not"}),
        ),
        (person(maritalStatus={"text": "married"}), [operation("delete", "Patient.maritalStatus")], person()),
        # types without a name of their own
        (
            person(),
            [
                operation(
                    "add",
                    "Patient",
                    name="contact",
                    value={"part": [{"name": "name", "valueHumanName": {"text": "a name"}}]},
                )
            ],
            person(contact=[{"name": {"text": "a name"}}]),
        ),
        (person(contact=[CONTACT]), [operation("delete", "Patient.contact[0]")], person()),
        # lists
        (numbered(1, 2), [], numbered(1, 2)),
        (
            numbered(1, 2),
            [
                operation("replace", "Patient.identifier[0].value", value="value 2"),
                operation("replace", "Patient.identifier[1].value", value="value 1"),
            ],
            numbered(2, 1),
        ),
        (numbered(1, 2), [operation("insert", LIST, index=2, value=IDENTIFIER)], numbered(1, 2, 3)),
        (numbered(1, 2), [operation("insert", LIST, index=1, value=IDENTIFIER)], numbered(1, 3, 2)),
        (numbered(1, 2), [operation("insert", LIST, index=0, value=IDENTIFIER)], numbered(3, 1, 2)),
        (person(), [operation("insert", LIST, index=0, value=IDENTIFIER)], numbered(3)),
        (numbered(1, 2, 3), [operation("delete", "Patient.identifier[0]")], numbered(2, 3)),
        (numbered(1, 2, 3), [operation("delete", "Patient.identifier[1]")], numbered(1, 3)),
        (numbered(1, 2, 3), [operation("delete", "Patient.identifier[2]")], numbered(1, 2)),
        (numbered(1, 2, 3, 4), [move(3, 1)], numbered(1, 4, 2, 3)),
        (numbered(1, 2, 3, 4), [move(3, 0)], numbered(4, 1, 2, 3)),
        (numbered(1, 2, 3, 4), [move(3, 2)], numbered(1, 2, 4, 3)),
        (numbered(1, 2, 3, 4), [move(0, 3)], numbered(2, 3, 4, 1)),
        (numbered(1, 2, 3, 4), [move(1, 0), move(2, 1)], numbered(2, 3, 1, 4)),
        (numbered(1, 2, 3, 4), [move(3, 0), move(3, 1), move(3, 2)], numbered(4, 3, 2, 1)),
        (person(), [operation("add", "Patient", name="identifier", value=IDENTIFIER)], numbered(3)),
        # what those cases leave out: choices, criteria, extensions beside primitives, deletion of nothing
        (person(), [operation("delete", "Patient.birthDate")], person()),
        (
            person(deceasedBoolean=False),
            [operation("replace", "Patient.deceased", value={"valueDateTime": "2020-01-01"})],
            person(deceasedDateTime="2020-01-01"),
        ),
        (
            person(),
            [operation("add", "Patient", name="deceased", value={"valueBoolean": True})],
            person(deceasedBoolean=True),
        ),
        (
            numbered(1, 2),
            [operation("replace", "Patient.identifier.where(value = 'value 2').value", value="value 9")],
            numbered(1, 9),
        ),
        (
            person(name=[{"given": ["a", "b"], "_given": [None, EXTRA]}]),
            [
                operation("insert", "Patient.name[0].given", index=0, value="z"),
                operation("delete", "Patient.name[0].given[1]"),
            ],
            person(name=[{"given": ["z", "b"], "_given": [None, EXTRA]}]),
        ),
        (
            person(name=[{"given": ["a", "b"], "_given": [None, EXTRA]}]),
            [operation("move", "Patient.name[0].given", source=1, destination=0)],
            person(name=[{"given": ["b", "a"], "_given": [EXTRA, None]}]),
        ),
        (
            person(birthDate="1920", _birthDate={"extension": [{"url": "urn:e", "valueString": "x"}]}),
            [operation("delete", "Patient.birthDate.extension('urn:e')")],
            person(birthDate="1920"),
        ),
        (
            person(extension=[{"url": "urn:e", "valueInteger": 1}, {"url": "urn:f", "valueInteger": 2}]),
            [operation("replace", "Patient.extension('urn:f').value", value={"valueInteger": 3})],
            person(extension=[{"url": "urn:e", "valueInteger": 1}, {"url": "urn:f", "valueInteger": 3}]),
        ),
        (
            person(),
            [operation("add", "Patient", name="birthDate", value={"_valueDate": EXTRA})],
            person(_birthDate=EXTRA),
        ),
        (
            person(contained=[{"resourceType": "Organization", "id": "o", "name": "A"}]),
            [operation("replace", "Patient.contained[0].name", value="B")],
            person(contained=[{"resourceType": "Organization", "id": "o", "name": "B"}]),
        ),
    ],
)  # fmt: skip
def test_operations(before: Resource, operations: list[Resource], after: Resource) -> None:
    kept = structure.write(before)
    made = patched(before, *operations)
    assert made == after
    assert structure.write(before) == kept  # what was handed in stays


@pytest.mark.parametrize(
    ("one", "what"),
    [
        (operation("add", "Patient.identifier.where(use = 'official').period", name="end", value="2021"), "nothing"),
        (operation("replace", "Patient.gender", value={"valueCode": "male"}), "nothing"),
        (operation("delete", "Patient.identifier"), "several"),
        (operation("replace", "Patient.identifier.value", value="x"), "several"),
        (operation("add", "Patient", name="birthDate", value={"valueDate": "1930"}), "already"),
        (operation("add", "Patient", name="deceased", value={"valueDateTime": "1930"}), "already"),
        (operation("add", "Patient", name="nonsense", value="x"), "no element"),
        (operation("add", "Patient.birthDate", name="x", value="x"), "primitive"),
        (operation("insert", LIST, index=3, value=IDENTIFIER), "shorter"),
        (operation("insert", "Patient.birthDate", index=0, value="x"), "name of a list"),
        (operation("insert", "Patient.identifier[0]", index=0, value="x"), "name of a list"),
        (move(2, 0), "shorter"),
        (move(0, 2), "shorter"),
        (operation("delete", "Patient"), "itself"),
        (operation("replace", "Patient", value="x"), "itself"),
        (operation("delete", "Patient.name.where(family.matches('(a+)+$'))"), "matches"),
        (operation("delete", "Patient.name.where(true or family.matches('(a+)+$'))"), "matches"),
        (operation("delete", "Patient.name.select(family)"), "not understood"),
        (operation("delete", "Patient.name |"), "FHIRPath"),
        (operation("delete", "%resource.name"), "not understood"),
        (operation("delete", "((((" * 11), "too long"),
        (operation("delete", "Patient." + "name." * 200), "too long"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(one: Resource, what: str) -> None:
    before = {**numbered(1, 2), "birthDate": "1920", "deceasedBoolean": False, "name": [{"family": "a" * 40 + "!"}]}
    with pytest.raises(Unpatchable, match=what) as caught:
        patched(before, operation("delete", "Patient.gender"), one)
    assert caught.value.issue.expression == "Parameters.parameter[1]"
    assert not caught.value.malformed


@pytest.mark.parametrize(
    "one",
    [
        {"name": "other", "valueString": "x"},
        operation("nonsense", "Patient"),
        operation("add", "Patient", name="birthDate"),
        operation("delete", "Patient.name", value="x"),
        operation("insert", LIST, index=-1, value=IDENTIFIER),
        operation("insert", LIST, index="1", value=IDENTIFIER),
        {"name": "operation", "part": [{"name": "type", "valueCode": "add"}] * 2},
        {"name": "operation"},
    ],
)  # fmt: skip
def test_no_operation(one: Resource) -> None:
    with pytest.raises(Unpatchable) as caught:
        path_patch.apply(person(), {"resourceType": "Parameters", "parameter": [one]})
    assert caught.value.malformed


LONG: Resource = {
    "resourceType": "Group",
    "member": [{"id": f"m{n}", "entity": {"reference": f"Patient/{n}"}} for n in range(5000)],
}


def deletions(*paths: str) -> Resource:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "operation",
                "part": [{"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": path}],
            }
            for path in paths
        ],
    }


def test_a_place_in_a_long_list_costs_no_look_at_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    plain = places.Place

    def counted(*arguments: Any) -> places.Place:
        nonlocal made
        made += 1
        return plain(*arguments)

    monkeypatch.setattr(places, "Place", counted)
    done = path_patch.apply(LONG, deletions(*(f"Group.member[{n}].id" for n in range(0, 5000, 5))))
    assert made < 10_000  # a handful each, not five thousand
    assert sum("id" in one for one in done["member"]) == 4000
    assert path_patch.apply(LONG, deletions("Group.member[5000]", "Group.member[4999]"))["member"][-1]["id"] == "m4998"


def test_a_criterion_is_compiled_once_for_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    compile_tree = places.compile_tree
    monkeypatch.setattr(places, "compile_tree", lambda *given: compiled.append(1) or compile_tree(*given))
    done = path_patch.apply(LONG, deletions("Group.member.where(id = 'm4000')"))
    assert (len(done["member"]), len(compiled)) == (4999, 1)


def test_searches_through_long_lists_are_bounded() -> None:
    paths = [f"Group.member.where(id = 'm{n}')" for n in range(11)]
    assert len(path_patch.apply(LONG, deletions(*paths[:9]))["member"]) == 4991
    with pytest.raises(Unpatchable) as refused:
        path_patch.apply(LONG, deletions(*paths))
    assert (refused.value.issue.code, refused.value.issue.expression) == ("too-costly", "Parameters.parameter[10]")
