"""When more of a medicine can be asked for, and what is said where it cannot."""

from datetime import UTC, datetime, timedelta

import pytest

from bedside.prescribing.model import Draft, Event, Prescription, Refill, Status, impossible

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
DRAFT = Draft("1", "amlodipine-5", 1, "tablet", "oral", "QD", 30, "corner")


def prescription(status: Status, signed: datetime | None = NOW, *events: Event) -> Prescription:
    return Prescription("rx", status, DRAFT, "Amlodipine", "c", "Dr", (), NOW, signed, events)


def refill(**changes: object) -> Refill:
    return Refill("r", "rx", "1", "c", "Amlodipine", "refused", NOW, "Ana", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "signed", "why"),
    [
        ("signed", NOW, None),
        ("accepted", NOW, None),
        ("dispensed", NOW - timedelta(days=364), None),
        ("dispensed", NOW - timedelta(days=365), "more than a year old"),
        ("draft", None, "not signed"),
        ("refused", NOW, "pharmacy refused"),
        ("cancelled", NOW, "was cancelled"),
    ],
)
def test_when_it_can_be_asked_for(status: Status, signed: datetime | None, why: str | None) -> None:
    said = impossible(prescription(status, signed), [], NOW)
    assert said is None if why is None else why in str(said)


def test_a_refused_request_may_be_made_again_a_renewed_one_not() -> None:
    assert impossible(prescription("dispensed"), [refill()], NOW) is None
    assert "was renewed" in str(impossible(prescription("dispensed"), [refill(renewed_as="rx2")], NOW))


def test_what_was_dispensed_is_taken_until_its_days_are_over() -> None:
    given = prescription("dispensed", NOW, Event("dispense", NOW, "Pharmacist"))
    assert given.taken(NOW + timedelta(days=29))
    assert not given.taken(NOW + timedelta(days=30))
    assert prescription("signed").taken(NOW)
    assert not prescription("cancelled").taken(NOW)
