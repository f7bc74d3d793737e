"""The licence table: where the patient is decides, and what is missing asks for a reason."""

from datetime import date

import pytest

from bedside.access.model.licence import Licence, LicenceDecision, decide

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 21)


def held(jurisdiction: str, until: date = date(2027, 6, 30), status: str = "active") -> Licence:
    return Licence("p", jurisdiction, "N1", "full", date(2020, 1, 1), until, TODAY, "board", status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("place", "licences", "answer"),
    [
        ("US-NY", [held("US-NY")], "allow"),
        ("US-NJ", [held("US-NY")], "override"),
        ("US-NY", [held("US-NY", until=date(2026, 11, 20))], "override"),
        ("US-NY", [held("US-NY", until=TODAY)], "allow"),
        ("US-NY", [held("US-NY", status="suspended")], "block"),
        ("US-NY", [], "override"),
        ("DE", [held("US-NY")], "block"),
        ("JP", [held("US-NY")], "override"),
    ],
)
def test_a_clinic_in_the_united_states(place: str, licences: list[Licence], answer: str) -> None:
    found = decide(place, "US", licences, TODAY)
    assert found.answer == answer
    assert found.jurisdiction == place
    assert found.rule
    assert found.source


def test_a_clinic_established_in_the_union_may_treat_across_it() -> None:
    assert decide("ES", "DE", [held("DE")], TODAY).answer == "allow"


def test_an_override_passes_only_with_a_reason() -> None:
    decision = LicenceDecision("override", "US-NJ", "", "", "")
    assert not decision.passes
    assert LicenceDecision("override", "US-NJ", "", "", "", reason="continuity of care").passes
    assert not LicenceDecision("block", "US-NJ", "", "", "", reason="please").passes


def test_before_its_first_day_a_rule_does_not_count() -> None:
    assert decide("DE", "DE", [held("DE")], date(2012, 1, 1)).rule.startswith("none")
