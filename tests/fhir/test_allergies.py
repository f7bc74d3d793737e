"""What allergies say together: "none recorded" is not "none known", and to have asked of one kind is not of all."""

from typing import Any

import pytest

from bedside.fhir.allergies import known

pytestmark = pytest.mark.unit


def denial(code: str) -> dict[str, Any]:
    return {"code": {"coding": [{"system": "http://snomed.info/sct", "code": code}]}}


@pytest.mark.parametrize(
    ("code", "none_known", "kind"),
    [
        ("716186003", True, "all"),
        ("160244002", True, "all"),
        ("no-known-allergies", True, "all"),
        ("409137002", False, "drug"),
        ("429625007", False, "food"),
        ("428607008", False, "environment"),
    ],
)
def test_a_denial_says_no_more_than_what_was_asked(code: str, none_known: bool, kind: str) -> None:
    said = known([denial(code)])
    assert (said.names, said.none_known, said.denied) == ((), none_known, {kind})


def test_nothing_recorded_says_nothing() -> None:
    assert (known([]).none_known, known([]).denied) == (False, frozenset())


def test_a_denial_that_was_withdrawn_is_a_question_again() -> None:
    past = denial("716186003") | {"verificationStatus": {"coding": [{"code": "entered-in-error"}]}}
    assert known([past]).none_known is False
