"""A visit as a calendar file: read back by two libraries, right on both sides of a change of the clocks, stable."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject

from bedside.access import instant
from bedside.visits import Visit
from bedside.visits.model.calendar import calendar

pytestmark = pytest.mark.unit

BASE = "https://clinic.example"
ASKED = datetime(2026, 3, 1, 9, tzinfo=UTC)


def visit(at: datetime | None, **changes: object) -> Visit:
    fields = {
        "id": "v1",
        "status": "invited",
        "patient": "rosa",
        "person": "p-rosa",
        "reason": "Depression, worse",
        "asked_by": "elena",
        "asked_by_name": "Elena Ruiz",
        "asked_at": ASKED,
        "clinician": "elena",
        "clinician_name": "Elena Ruiz",
        "planned_at": at,
        "planned_minutes": 30,
        "planned_changed": ASKED,
        **changes,
    }
    return Visit(**fields)  # type: ignore[arg-type]


# The days on which clocks change in 2026, and those around them. Source: tz database.
AROUND = {
    "Europe/Madrid": [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 24), date(2026, 10, 25)],
    "America/New_York": [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9), date(2026, 10, 31), date(2026, 11, 1)],
}


@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in AROUND.items() for day in days])
@pytest.mark.parametrize("clock", [time(0, 30), time(4), time(14, 30), time(23, 45)])
def test_it_is_that_time_on_the_clocks_of_that_place(zone: str, day: date, clock: time) -> None:
    there = ZoneInfo(zone)
    content = calendar([visit(instant(day, clock, there))], "elena", "en", BASE)
    [one] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    other = vobject.readOne(content.decode()).vevent
    for start, end in ((one.decoded("dtstart"), one.decoded("dtend")), (other.dtstart.value, other.dtend.value)):
        shown = start.astimezone(there)
        assert (shown.date(), shown.time()) == (day, clock)
        assert end - start == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc"),
    [
        ("Europe/Madrid", date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, tzinfo=UTC)),  # not there: 3:00
        ("Europe/Madrid", date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first
        ("America/New_York", date(2026, 3, 8), time(2, 30), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), time(1, 30), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)
def test_a_time_that_is_missing_or_comes_twice(zone: str, day: date, clock: time, utc: datetime) -> None:
    content = calendar([visit(instant(day, clock, ZoneInfo(zone)))], "elena", "en", BASE)
    assert f"DTSTART:{utc:%Y%m%dT%H%M%SZ}".encode() in content


def test_it_is_known_again_and_each_change_counts() -> None:
    at = datetime(2026, 5, 4, 12, 30, tzinfo=UTC)
    first = calendar([visit(at)], "elena", "en", BASE)
    assert first == calendar([visit(at)], "elena", "en", BASE)
    later = ASKED + timedelta(days=1)
    moved = visit(at + timedelta(hours=1), planned_changes=1, planned_changed=later)
    off = visit(at, status="cancelled", planned_changes=2, planned_changed=later)
    events = [icalendar.Calendar.from_ical(calendar([v], "elena", "en", BASE)).walk("VEVENT")[0] for v in (moved, off)]
    assert {str(one["uid"]) for one in events} == {"v1@visit.bedside"}
    assert [(int(one["sequence"]), str(one["status"])) for one in events] == [(1, "CONFIRMED"), (2, "CANCELLED")]
    assert events[0].decoded("dtstamp") == later


@pytest.mark.parametrize("language", ["en", "es", "es-MX", "fr"])
@pytest.mark.parametrize(("person", "link"), [("p-rosa", f"{BASE}/visit/v1"), ("elena", f"{BASE}/visits/v1")])
def test_it_says_where_to_join_and_nothing_of_health(language: str, person: str, link: str) -> None:
    content = calendar([visit(datetime(2026, 5, 4, 12, 30, tzinfo=UTC))], person, language, BASE)
    [one] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert link in str(one["description"])
    assert str(one["url"]) == link
    assert str(one["class"]) == "PRIVATE"
    for secret in ("Depression", "Elena", "rosa@", "Rosa"):
        assert secret.encode() not in content


def test_what_is_planned_for_no_time_is_left_out() -> None:
    content = calendar([visit(None)], "elena", "en", BASE)
    assert not icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
