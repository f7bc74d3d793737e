"""Whatever stands where a value should: an answer, never an exception; and what passes can be indexed."""

import copy
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir import definitions, structure
from bedside.fhir.index import extract
from bedside.fhir.issues import has_error
from bedside.fhir.testing import Maker

pytestmark = pytest.mark.unit

TYPES = sorted(definitions.resource_types())
WRONG: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**30, 1e300, "", " ", "\x00", "#", "#x", "x", "Patient/1", "2020-02-31", "a" * 5000),
    *([], {}, [[]], [{}], [None], {"a": 1}, {"resourceType": "Patient"}, {"resourceType": 5}, {"resourceType": "Foo"}),
    *({"extension": [{"url": 1}]}, [{"coding": "x"}], {"coding": [1]}, {"coding": {}}, {"reference": 5}),
    *({"reference": "#"}, {"system": 5, "code": []}, "http://[::1", "urn:uuid:1", "<div/>", {"coding": [{"code": {}}]}),
]


def places(value: Any, found: list[tuple[Any, Any]]) -> None:
    """Every owner and key or position in a resource."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found.append((value, key))
            places(value[key], found)


def spoil(resource: dict[str, Any], pick: random.Random) -> None:
    found: list[tuple[Any, Any]] = []
    places(resource, found)
    owner, key = pick.choice(found)
    owner[key] = copy.deepcopy(pick.choice(WRONG))
    if isinstance(owner, dict) and pick.random() < 0.2:
        owner[f"_{key}"] = copy.deepcopy(pick.choice(WRONG))


@pytest.mark.parametrize("seed", range(5))
def test_answers_whatever_is_given(seed: int) -> None:
    pick = random.Random(seed)
    for _ in range(300):
        resource = Maker(pick.randrange(10**6), fullness=pick.choice((0.1, 0.4))).resource(pick.choice(TYPES))
        if pick.random() < 0.2:
            resource["contained"] = [{"resourceType": "Organization", "id": "x", "name": "y"}]
        for _ in range(pick.choice((1, 1, 3))):
            spoil(resource, pick)
        issues = structure.validate(resource, warnings=True)
        if not has_error(issues):
            extract(resource)


@given(
    st.one_of(st.binary(max_size=200), st.from_regex(rb'\{"resourceType": ?"Patient", ?"[a-z]{1,9}": ?[^}]{0,40}\}'))
)
def test_answers_whatever_bytes_are_given(raw: bytes) -> None:
    assert isinstance(structure.validate(raw), list)


def test_big_and_knotted_input_is_answered_soon() -> None:
    """Each of these is quadratic or worse when done carelessly; the runner's time limit is the judge."""
    held = [{"resourceType": "Organization", "id": f"o{n}", "partOf": {"reference": f"#o{n + 1}"}} for n in range(5000)]
    assert has_error(structure.validate({"resourceType": "Patient", "contained": held}))
    entries = [
        {"fullUrl": f"http://x.org/Patient/{n}", "resource": {"resourceType": "Patient", "id": str(n)}}
        for n in range(5000)
    ]
    assert structure.validate({"resourceType": "Bundle", "type": "collection", "entry": entries}) == []
    codes = [{"code": str(n)} for n in range(5000)]
    system = {"resourceType": "CodeSystem", "status": "draft", "content": "complete", "concept": codes}
    assert structure.validate(system) == []
    slashes = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    assert has_error(structure.validate({**slashes, "subject": {"reference": "/" * 500_000}}))
    structure.validate({**slashes, "subject": {"reference": "http://" + "a/" * 500_000}})
    structure.validate({**slashes, "text": {"status": "generated", "div": "<div>" * 100_000}})
    many = 100_000
    for spoiled in ({"name": [{}] * many}, {"gender": "x", "name": [{"given": [""] * many}]}, {"foo": [{}] * many}):
        assert 0 < len(structure.validate({"resourceType": "Patient", **spoiled})) < 1000
    assert has_error(structure.validate({"resourceType": "Patient", **{f"x{n}": n for n in range(many)}}))
    doubled = b",".join(b'"id":"a"' for _ in range(many))
    assert has_error(structure.validate(b'{"resourceType":"Patient",' + doubled + b"}"))
    structure.validate({**slashes, "valueString": "é" * 1_000_000})
