"""JSON Patch on resources: RFC 6902's steps, decimals as written, bounds."""

from decimal import Decimal
from typing import Any

import pytest

from bedside.fhir import json_patch
from bedside.fhir.structure import write
from bedside.fhir.unpatchable import Unpatchable

pytestmark = pytest.mark.unit

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "ada",
    "name": [{"family": "Quist", "given": ["Ada", "B"]}],
    "active": True,
}


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (b'[{"op":"add","path":"/gender","value":"female"}]', {"gender": "female"}),
        (b'[{"op":"replace","path":"/active","value":false}]', {"active": False}),
        (b'[{"op":"add","path":"/name/0/given/-","value":"C"}]', {"name": [{"family": "Quist", "given": [*"AB"]}]}),
        (b'[{"op":"test","path":"/active","value":true},{"op":"remove","path":"/name"}]', {"name": None}),
        (b'[{"op":"copy","from":"/name/0","path":"/name/1"}]', {"name": [PATIENT["name"][0]] * 2}),
        (b'[{"op":"move","from":"/name/0/given/0","path":"/name/0/given/1"}]', {"name": [{"family": "Quist"}]}),
        (b"[]", {}),
    ],
)
def test_steps(steps: bytes, expected: dict[str, Any]) -> None:
    before = write(PATIENT)
    made = json_patch.apply(PATIENT, json_patch.read(steps))
    assert write(PATIENT) == before  # what was handed in stays
    for key, value in expected.items():
        if value is None:
            assert key not in made
        elif key == "name" and b"given" in steps:
            given = made["name"][0]["given"]
            assert given == (["Ada", "B", "C"] if b"add" in steps else ["B", "Ada"])
        else:
            assert made[key] == value


def test_decimals_stay_as_written() -> None:
    steps = json_patch.read(b'[{"op":"add","path":"/valueQuantity","value":{"value":1.2300000000000000000000000001}}]')
    made = json_patch.apply({"resourceType": "Observation", "valueInteger": 1}, steps)
    assert made["valueQuantity"]["value"] == Decimal("1.2300000000000000000000000001")
    assert b"1.2300000000000000000000000001" in write(made)
    kept = json_patch.apply({"resourceType": "Observation", "x": Decimal("1.50")}, json_patch.read(b"[]"))
    assert write(kept) == b'{"resourceType":"Observation","x":1.50}'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[1]",
        b"nonsense",
        b"[\xff]",
        b"[NaN]",
        b'[{"op":"add","op":"test","path":"/a","value":1}]',
        b"[" * 100_000,
        b'[{"op":"add","path":"/a","value":' + b"9" * 10_000 + b"}]",
        b"[" + b",".join([b'{"op":"test","path":"/active","value":true}'] * 1001) + b"]",
    ],
)
def test_no_patch(raw: bytes) -> None:
    with pytest.raises(Unpatchable) as caught:
        json_patch.read(raw)
    assert caught.value.malformed


@pytest.mark.parametrize(
    ("steps", "malformed"),
    [
        (b'[{"op":"nonsense","path":"/a"}]', True),
        (b'[{"op":"add","path":"/a"}]', True),
        (b'[{"path":"/a"}]', True),
        (b'[{"op":"remove","path":"/gender"}]', False),
        (b'[{"op":"replace","path":"/gender","value":"male"}]', False),
        (b'[{"op":"test","path":"/active","value":1}]', False),
        (b'[{"op":"add","path":"/name/7","value":{}}]', False),
        (b'[{"op":"add","path":"/a/b/c","value":{}}]', False),
        (b'[{"op":"add","path":"","value":[]}]', False),
        (b'[{"op":"add","path":"no-slash","value":[]}]', False),
        (b'[{"op":"copy","from":"/nowhere","path":"/a"}]', False),
        (b'[{"op":"copy","path":"/a"}]', None),
    ],
)
def test_the_step_that_fails_is_named(steps: bytes, malformed: bool | None) -> None:
    good = b'[{"op":"test","path":"/id","value":"ada"},' + steps[1:]
    with pytest.raises(Unpatchable) as caught:
        json_patch.apply(PATIENT, json_patch.read(good))
    assert caught.value.issue.expression == "[1]"
    if malformed is not None:
        assert caught.value.malformed is malformed


def test_a_list_copied_into_itself_stops() -> None:
    step = b'{"op":"copy","from":"/name","path":"/name/-"}'
    with pytest.raises(Unpatchable, match="copies too much"):
        json_patch.apply(PATIENT, json_patch.read(b"[" + b",".join([step] * 60) + b"]"))


class Silent(list[Any]):
    """A list that may be compared and never written out."""

    def __repr__(self) -> str:
        raise AssertionError("written out")

    __str__ = __repr__


def test_a_test_of_a_long_list_compares_and_no_more() -> None:
    long = Silent(range(5000))
    resource = {"resourceType": "List", "entry": long}
    steps = [{"op": "test", "path": "/entry", "value": Silent(range(5000))}]
    assert json_patch.apply(resource, steps) is resource
    with pytest.raises(Unpatchable):
        json_patch.apply(resource, [{"op": "test", "path": "/entry", "value": Silent(range(1))}])
    for path in ("/none", "/entry/9999", "/entry/x"):
        with pytest.raises(Unpatchable):
            json_patch.apply({"entry": [1]}, [{"op": "test", "path": path, "value": 1}])


def test_a_change_after_a_test_leaves_what_was_handed_in() -> None:
    resource = {"resourceType": "Patient", "active": True}
    steps = [{"op": "test", "path": "/active", "value": True}, {"op": "replace", "path": "/active", "value": False}]
    assert json_patch.apply(resource, steps) == {"resourceType": "Patient", "active": False}
    assert resource["active"] is True
