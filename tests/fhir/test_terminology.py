"""Value sets spelled out, code systems with their hierarchies."""

from typing import Any

import pytest

from bedside.fhir import terminology
from bedside.fhir.terminology import Known, Missing, Unlisted, code_system_of, expand, value_set_of

pytestmark = pytest.mark.unit

ANIMALS: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": "http://x.org/animals",
    "content": "complete",
    "concept": [
        {"code": "bird", "concept": [{"code": "duck", "display": "Duck"}, {"code": "crow"}]},
        {"code": "swimmer"},
        {"code": "diver", "concept": [], "property": [{"code": "parent", "valueCode": "duck"}]},
        {"code": "eider", "property": [{"code": "subsumedBy", "valueCode": "swimmer"}]},
    ],
}
ANIMALS["concept"][0]["concept"][0]["property"] = [{"code": "subsumedBy", "valueCode": "swimmer"}]


def known(*clauses: dict[str, Any], exclude: list[dict[str, Any]] | None = None) -> Known:
    compose = {"include": list(clauses), "exclude": exclude or []}
    made = value_set_of({"url": "http://x.org/set", "compose": compose})
    return Known({ANIMALS["url"]: code_system_of(ANIMALS)}, {"http://x.org/set": made})


def codes(found: terminology.Codes) -> set[str]:
    return set(found.get(ANIMALS["url"], ()))


def filtered(op: str, value: str, property: str = "concept") -> dict[str, Any]:  # noqa: A002  FHIR's own name
    return {"system": ANIMALS["url"], "filter": [{"property": property, "op": op, "value": value}]}


def test_a_hierarchy_has_several_parents() -> None:
    system = code_system_of(ANIMALS)
    assert system.below("bird") == {"bird", "duck", "crow", "diver"}
    assert system.below("swimmer") == {"swimmer", "duck", "diver", "eider"}
    assert system.above("diver") == {"diver", "duck", "bird", "swimmer"}
    assert system.below("fish") == frozenset()


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ({"system": ANIMALS["url"]}, {"bird", "duck", "crow", "swimmer", "diver", "eider"}),
        ({"system": ANIMALS["url"], "concept": [{"code": "crow"}, {"code": "unheard-of"}]}, {"crow", "unheard-of"}),
        (filtered("is-a", "duck"), {"duck", "diver"}),
        (filtered("descendent-of", "duck"), {"diver"}),
        (filtered("is-not-a", "swimmer"), {"bird", "crow"}),
        (filtered("generalizes", "crow"), {"crow", "bird"}),
        (filtered("in", "crow,fish"), {"crow"}),
        (filtered("not-in", "crow,bird", "code"), {"duck", "swimmer", "diver", "eider"}),
        (filtered("=", "crow"), {"crow"}),
    ],
)
def test_a_clause_lets_through(clause: dict[str, Any], expected: set[str]) -> None:
    assert codes(expand("http://x.org/set", known(clause))) == expected


def test_sets_within_sets() -> None:
    beside = known(filtered("is-a", "swimmer"), exclude=[filtered("is-a", "duck")])
    assert codes(expand("http://x.org/set", beside)) == {"swimmer", "eider"}
    # What stands in one clause must hold together.
    both = {**filtered("is-a", "bird"), "valueSet": ["http://x.org/set|1"]}
    beside = known(filtered("is-a", "swimmer"))
    beside.value_sets["http://x.org/both"] = value_set_of({"url": "http://x.org/both", "compose": {"include": [both]}})
    assert codes(expand("http://x.org/both", beside)) == {"duck", "diver"}
    for _ in range(2):
        beside.value_sets["http://x.org/set"] = value_set_of(
            {"url": "http://x.org/set", "compose": {"include": [{"valueSet": ["http://x.org/both"]}]}}
        )
    with pytest.raises(Unlisted):  # a circle
        expand("http://x.org/both", beside)


def test_says_what_is_missing() -> None:
    with pytest.raises(Missing) as missing:
        expand("http://x.org/nowhere")
    assert (missing.value.kind, missing.value.url) == ("ValueSet", "http://x.org/nowhere")
    with pytest.raises(Missing) as missing:
        expand("http://x.org/set", known({"system": "http://x.org/plants"}))
    assert missing.value.kind == "CodeSystem"
    with pytest.raises(Unlisted):
        expand("http://x.org/set", known(filtered("regex", "(a+)+$")))


def test_takes_a_set_by_its_expansion() -> None:
    contains = [
        {"system": "a", "code": "1", "contains": [{"system": "a", "code": "2"}]},
        {"abstract": True, "code": "3"},
    ]
    made = value_set_of({"url": "u", "expansion": {"contains": contains}})
    assert terminology.spelled_out(made) == {"a": frozenset({"1", "2"})}


def test_has_what_r4_publishes() -> None:
    status = expand("http://hl7.org/fhir/ValueSet/observation-status")
    assert "entered-in-error" in status["http://hl7.org/fhir/observation-status"]
    act = terminology.code_system("http://terminology.hl7.org/CodeSystem/v3-ActCode")
    assert act is not None
    assert act.by_code["AMB"].display == "ambulatory"
    assert "IMP" in act.below("_ActEncounterCode")
    assert terminology.value_set("http://x.org/nowhere") is None
    listed = 0
    for url in terminology.value_sets():
        try:
            listed += bool(expand(url))
        except (Missing, Unlisted):
            continue
    assert listed > 1150


def test_icd_10_cm_is_whole_and_in_order() -> None:
    icd = terminology.code_system("http://hl7.org/fhir/sid/icd-10-cm")
    assert icd is not None
    assert icd.complete
    assert len(icd.concepts) > 95_000
    assert icd.by_code["E11.9"].display == "Type 2 diabetes mellitus without complications"
    assert icd.above("S06.0X0A") == {"S06.0X0A", "S06.0X0", "S06.0X", "S06.0", "S06"}
    assert "S06.0X0A" in icd.below("S06")
    assert icd.by_code["C7A"].parents == ()  # a category whose block has its name
    assert not {"A00-A09", "1", "E119"} & icd.by_code.keys()  # headings, and codes without their full stop
    for one in icd.concepts:
        assert one.display, one
        for parent in one.parents:
            assert one.code.startswith(parent), one
            assert parent in icd.by_code
        assert bool(one.parents) is (len(one.code) > 3)
