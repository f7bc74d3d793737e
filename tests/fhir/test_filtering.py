"""The language of `_filter`, made into conditions."""

import pytest

from bedside.fhir.grammar import BadQuery, Filter, StringValue, parse
from bedside.fhir.query import Condition, Group

pytestmark = pytest.mark.unit


def read(type_: str, text: str) -> Condition:
    (found,) = parse(type_, [("_filter", text)]).filters
    assert isinstance(found, Group)
    (inner,) = found.parts
    return inner


def shape(one: Condition) -> object:
    """As nested tuples: groups, and of each filter its parameter with its modifier."""
    if isinstance(one, Group):
        return (one.how, *map(shape, one.parts))
    assert isinstance(one, Filter)
    return one.parameter.code + (f":{one.modifier}" if one.modifier else "")


@pytest.mark.parametrize(
    ("type_", "text", "expected"),
    [
        ("Patient", 'family eq "a"', "family:exact"),
        ("Patient", "family sw a and gender eq male or active eq true", ("or", ("and", "family", "gender"), "active")),
        (
            "Patient",
            "family sw a and (gender eq male or active eq true)",
            ("and", "family", ("or", "gender", "active")),
        ),
        ("Patient", "not (gender ne male)", ("not", ("not", "gender"))),
        ("Patient", "birthdate po 1990 and family pr false", ("and", "birthdate", "family:missing")),
        ("Observation", "code in http://x.org/v and code sb a|b", ("and", "code:in", "code:below")),
        ("Observation", "subject:Patient.family co x", "subject:Patient"),
    ],
)
def test_reads(type_: str, text: str, expected: object) -> None:
    assert shape(read(type_, text)) == expected


def test_a_text_is_meant_as_it_stands() -> None:
    found = read("Patient", r'family sw "O\"B,r$i|en \\"')
    assert isinstance(found, Filter)
    (value,) = found.values
    assert isinstance(value, StringValue)
    assert value.text == 'O"B,r$i|en \\'


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "family",
            "family eq",
            "family eq a b",
            "(family eq a",
            "family eq a)",
            'family eq "a',
            "not family eq a",
        ),
        *("family zz a", "nonsense eq a", "birthdate eq a", "family pr maybe", "name[use eq a].family eq b"),
        *("(" * 12 + "family eq a" + ")" * 12, " or ".join(["family eq a"] * 51), "_text eq a", "gender eq |"),
    ],
)
def test_names_what_it_is_not(text: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parse("Patient", [("_filter", text)])
    assert {issue.expression for issue in refused.value.issues} == {"_filter"}
