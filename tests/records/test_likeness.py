"""How alike two patients are, by each detail and in all."""

from typing import Any

import pytest

from bedside.records.model.likeness import likeness, usable

pytestmark = pytest.mark.unit

ADA: dict[str, Any] = {
    "resourceType": "Patient",
    "identifier": [{"system": "urn:mrn", "value": "17"}],
    "name": [{"family": "Quist", "given": ["Ada"]}],
    "birthDate": "1950-04-12",
    "gender": "female",
    "telecom": [{"system": "phone", "value": "+1 (555) 010-0001"}],
    "address": [{"line": ["12 Long Street"], "city": "Ghent", "postalCode": "9000"}],
}


@pytest.mark.parametrize(
    ("other", "grade"),
    [
        (ADA, "certain"),
        ({**ADA, "identifier": [], "telecom": [], "address": []}, "probable"),
        ({**ADA, "identifier": [], "address": []}, "certain"),
        ({**ADA, "telecom": [], "address": [], "name": [{"family": "Kvist", "given": ["Ada"]}]}, "certain"),
        ({**ADA, "identifier": [], "birthDate": "1950-12-04"}, "probable"),
        ({**ADA, "name": [{"family": "Smith", "given": ["Ada"]}]}, "certain"),  # married, by her number
        ({**ADA, "name": [{"family": "Smith", "given": ["Ada"]}], "identifier": []}, "probable"),
        ({**ADA, "identifier": [], "telecom": [], "birthDate": "1987-01-01"}, "possible"),
        ({**ADA, "identifier": [], "telecom": [], "address": [], "birthDate": "1987-01-01"}, "certainly-not"),
        ({"resourceType": "Patient", "gender": "female"}, "certainly-not"),
    ],
)
def test_grades(other: dict[str, Any], grade: str) -> None:
    found = likeness(ADA, other)
    assert found.grade == grade, found
    assert likeness(other, ADA) == found


@pytest.mark.parametrize(
    ("name", "mine", "theirs", "how"),
    [
        ("birth", {"birthDate": "1950-04-12"}, {"birthDate": "1950-04-13"}, "near"),
        ("birth", {"birthDate": "1950-04-12"}, {"birthDate": "1950"}, "near"),
        ("birth", {"birthDate": "1950-04-12"}, {"birthDate": "1951-05-13"}, "other"),
        ("given", {"name": [{"given": ["Ada"]}]}, {"name": [{"given": ["A."]}]}, "near"),
        ("family", {"name": [{"family": "Müller"}]}, {"name": [{"family": "MULLER"}]}, "same"),
        ("family", {"name": [{"family": "Bø"}]}, {"name": [{"family": "BOE"}]}, "same"),
        ("family", {"name": [{"family": "Lu\u0308"}]}, {"name": [{"family": "Lue"}]}, "same"),
        ("given", {"name": [{"given": ["Åse"]}]}, {"name": [{"given": ["Aase"]}]}, "same"),
        ("given", {"name": [{"given": ["Michal"]}]}, {"name": [{"given": ["Michael"]}]}, "near"),
        ("address", {"address": [{"line": ["Große Allee 3"]}]}, {"address": [{"line": ["GROSSE ALLEE 3"]}]}, "same"),
        ("family", {"name": [{"family": "Álvarez"}]}, {"name": [{"family": "Alvarez Gómez"}]}, "near"),
        ("family", {"name": [{"family": "O’Néill-D'Angelo"}]}, {"name": [{"family": "O'Neill"}]}, "near"),
        ("family", {"name": [{"family": "Gómez"}]}, {"name": [{"family": "Álvarez Gil"}]}, "other"),
        ("telecom", {"telecom": [{"value": "0221 / 555-01"}]}, {"telecom": [{"value": "+49 221 55501"}]}, "same"),
        ("telecom", {"telecom": [{"value": "0221 / 555-01"}]}, {"telecom": [{"value": "+49 231 55501"}]}, None),
        ("telecom", {"telecom": [{"value": "0555 010 0001"}]}, {"telecom": [{"value": "+1555-0100001"}]}, "same"),
        ("identifier", {"identifier": [{"system": "a", "value": "1"}]}, {"identifier": [{"value": "1"}]}, None),
        ("address", {"address": [{"city": "Ghent"}]}, {"address": [{"city": "GHENT"}]}, "near"),
        ("gender", {"gender": "male"}, {"gender": "unknown"}, None),
    ],
)
def test_each_detail(name: str, mine: dict[str, Any], theirs: dict[str, Any], how: str | None) -> None:
    assert likeness(mine, theirs).found.get(name) == how


def test_what_nobody_is_found_by() -> None:
    assert not usable({"gender": "male", "telecom": [{"value": "12"}]})
    assert usable({"name": [{"given": ["Ada"]}]})


def test_what_is_not_said_is_not_alike() -> None:
    one = {"resourceType": "Patient", "address": [{"line": [None, "1 Elm"]}]}
    other = {"resourceType": "Patient", "address": [{"line": [None, "9 Oak"]}]}
    assert likeness(one, other).found.get("address") is None
