"""Which resources are results that somebody has to see."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bedside.orders.model import arrived, in_question

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)


def potassium(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "k",
        "meta": {"versionId": "3"},
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"text": "Potassium"},
        "subject": {"reference": "Patient/1"},
        "issued": "2026-11-30T08:00:00Z",
        **changes,
    }


@pytest.mark.parametrize("flag", ["HH", "LL", "AA"])
def test_a_critical_flag_makes_it_critical(flag: str) -> None:
    found = arrived(potassium(interpretation=[{"coding": [{"code": flag}]}]), NOW)
    assert found is not None
    assert found.critical
    assert (found.ref, found.patient, found.version) == ("Observation/k", "1", 3)


def test_what_waits_for_nobody() -> None:
    assert arrived(potassium(issued="2026-09-01T08:00:00Z"), NOW) is None  # history
    assert arrived(potassium(category=[{"coding": [{"code": "vital-signs"}]}]), NOW) is None
    assert arrived(potassium(status="registered"), NOW) is None
    brought = {"versionId": "1", "tag": [{"system": "urn:bedside:arrival", "code": "history"}]}
    assert arrived(potassium(meta=brought), NOW) is None
    assert arrived(potassium(subject={"reference": "Group/1"}), NOW) is None
    assert not in_question({"resourceType": "Observation", "category": "laboratory"})


def test_a_late_result_of_an_old_sample_waits() -> None:
    assert arrived(potassium(effectiveDateTime="2026-06-01"), NOW) is not None


def test_only_what_it_says_tells_versions_apart() -> None:
    one, other, changed = (
        arrived(potassium(**more), NOW) for more in ({}, {"meta": {"versionId": "4"}}, {"valueInteger": 9})
    )
    assert one is not None
    assert other is not None
    assert changed is not None
    assert one.digest == other.digest != changed.digest
