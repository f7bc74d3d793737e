"""By when an answer is promised: working days on the clinic's calendar, right across both changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from bedside.messaging.threads.model.promise import Promise

pytestmark = pytest.mark.unit

MADRID = "Europe/Madrid"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("written", "promised"),
    [
        ("2026-11-30T09:00+01:00", "2026-12-01T17:00+01:00"),  # Monday
        ("2026-11-30T23:59+01:00", "2026-12-01T17:00+01:00"),
        ("2026-12-04T16:59+01:00", "2026-12-07T17:00+01:00"),  # Friday
        ("2026-12-05T10:00+01:00", "2026-12-07T17:00+01:00"),  # Saturday
        ("2026-12-06T10:00+01:00", "2026-12-07T17:00+01:00"),  # Sunday
        ("2026-03-27T12:00+01:00", "2026-03-30T17:00+02:00"),  # over the night without an hour
        ("2026-10-23T12:00+02:00", "2026-10-26T17:00+01:00"),  # over the night with one twice
        ("2026-11-30T23:30+00:00", "2026-12-02T17:00+01:00"),  # Tuesday already, there
    ],
)
def test_the_end_of_the_next_working_day(written: str, promised: str) -> None:
    assert Promise().until(at(written), MADRID) == at(promised)


def test_holidays_and_other_weeks() -> None:
    christmas = Promise(closed=frozenset({date(2026, 12, 24), date(2026, 12, 25)}))
    assert christmas.until(at("2026-12-23T12:00+01:00"), MADRID) == at("2026-12-28T17:00+01:00")
    gulf = Promise(weekdays=frozenset({7, 1, 2, 3, 4}), closes=time(14))
    assert gulf.until(at("2026-12-03T09:00+04:00"), "Asia/Dubai") == at("2026-12-06T14:00+04:00")
    assert Promise(days=3).until(at("2026-12-03T09:00+01:00"), MADRID) == at("2026-12-08T17:00+01:00")


def test_the_same_day_while_it_is_open() -> None:
    today = Promise(days=0)
    assert today.until(at("2026-11-30T16:59+01:00"), MADRID) == at("2026-11-30T17:00+01:00")
    assert today.until(at("2026-11-30T17:00+01:00"), MADRID) == at("2026-12-01T17:00+01:00")
    assert today.until(at("2026-12-05T09:00+01:00"), MADRID) == at("2026-12-07T17:00+01:00")


def test_a_close_that_the_clock_jumps_over_or_meets_twice() -> None:
    night = Promise(weekdays=frozenset(range(1, 8)), closes=time(2, 30))
    assert night.until(at("2026-03-28T12:00+01:00"), MADRID) == at("2026-03-29T03:30+02:00")
    assert night.until(at("2026-10-24T12:00+02:00"), MADRID) == at("2026-10-25T02:30+02:00")


def test_who_never_works_promises_nothing() -> None:
    assert Promise(weekdays=frozenset()).until(at("2026-11-30T09:00+01:00"), MADRID) is None
