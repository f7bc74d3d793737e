"""FHIR dates mean spans of the real calendar."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir import dates

pytestmark = pytest.mark.unit


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", utc(2026, 1, 1), utc(2027, 1, 1)),
        ("2026-12", utc(2026, 12, 1), utc(2027, 1, 1)),
        ("2024-02", utc(2024, 2, 1), utc(2024, 3, 1)),
        ("2024-02-29", utc(2024, 2, 29), utc(2024, 3, 1)),
        ("2026-11-21T10:30", utc(2026, 11, 21, 10, 30), utc(2026, 11, 21, 10, 31)),
        ("2026-11-21T10:30:00", utc(2026, 11, 21, 10, 30), utc(2026, 11, 21, 10, 30, 1)),
        ("2026-11-21T10:30:00+05:30", utc(2026, 11, 21, 5), utc(2026, 11, 21, 5, 0, 1)),
        ("2026-11-21T00:30:00-05:00", utc(2026, 11, 21, 5, 30), utc(2026, 11, 21, 5, 30, 1)),
        ("2026-11-21T10:30:00.5Z", utc(2026, 11, 21, 10, 30, 0, 500_000), utc(2026, 11, 21, 10, 30, 0, 600_000)),
        ("2026-11-21T10:30:00.1234567Z", utc(2026, 11, 21, 10, 30, 0, 123_456), utc(2026, 11, 21, 10, 30, 0, 123_457)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1), utc(2017, 1, 1, 0, 0, 1)),
        ("9999", utc(9999, 1, 1), dates.LATEST),
        ("9999-12-31", utc(9999, 12, 31), dates.LATEST),
        ("0001-01-01T00:00:00+14:00", dates.EARLIEST, dates.EARLIEST + timedelta(seconds=1)),
    ],
)
def test_means_a_span(text: str, low: datetime, high: datetime) -> None:
    assert dates.span(text) == (low, high)


def test_takes_the_place_s_zone_where_none_is_named() -> None:
    # The day on which the clocks go back in New York lasts 25 hours.
    span = dates.span("2026-11-01", ZoneInfo("America/New_York"))
    assert span.high - span.low == timedelta(hours=25)


@pytest.mark.parametrize(
    "text",
    ["", "26", "2026-13", "2026-00", "2026-02-30", "2025-02-29", "2026-1-1", "20261121", "2026-W47-6", "2026-11-21T",
     "2026-11-21T24:00:00Z", "2026-11-21T10", "2026-11-21T10:60Z", "2026-11-21T10:30:61Z", "2026-11-21 10:30:00Z",
     "2026-11-21T10:30:00+15:00", "2026-11-21T10:30:00.Z", "0000", "0000-01-01", "-2026", "２０２６",
     "2026-11-21T10:30:00z"],
)  # fmt: skip
def test_refuses_what_is_no_date(text: str) -> None:
    with pytest.raises(ValueError):
        dates.span(text)
    assert not dates.is_datetime(text)


@given(
    st.datetimes(min_value=utc(2, 1, 1).replace(tzinfo=None), max_value=utc(9998, 1, 1).replace(tzinfo=None)),
    st.integers(-14 * 60, 14 * 60),
)
def test_a_moment_lies_in_every_span_that_names_it(moment: datetime, minutes: int) -> None:
    there = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = there.isoformat(timespec="microseconds")
    for written in (text, text[:21] + text[26:], text[:19] + text[26:]):
        assert dates.is_instant(written)
        span = dates.span(written)
        assert span.low <= there < span.high
    for length in (10, 7, 4):
        assert dates.is_date(text[:length])
        span = dates.span(text[:length], there.tzinfo or UTC)
        assert span.low <= there < span.high


@given(st.text(max_size=30))
def test_any_text_is_a_span_or_refused(text: str) -> None:
    try:
        span = dates.span(text)
    except ValueError:
        return
    assert span.low < span.high


def test_knows_times_of_day() -> None:
    assert dates.is_time("23:59:60")
    assert dates.is_time("00:00:00.123")
    assert not dates.is_time("24:00:00")
    assert not dates.is_time("1:00:00")
