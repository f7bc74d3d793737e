"""The timetable, pure: daylight saving both ways, over midnight, substitutes, gaps; against a walk minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedside.access.model import timetable
from bedside.access.model.people import Duty, Weekly
from bedside.access.model.timetable import Away, Row, Somebody

pytestmark = pytest.mark.unit

MADRID, NEW_YORK = "Europe/Madrid", "America/New_York"
MINUTE = timedelta(minutes=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
AMINA, TOM, EVE = (Somebody(name.lower(), name, frozenset({"nurse"})) for name in ("Amina", "Tom", "Eve"))


def weekly(days: str, begins: str, ends: str, zone: str = MADRID) -> Weekly:
    return Weekly(frozenset(map(int, days)), time.fromisoformat(begins), time.fromisoformat(ends), zone)


def row(who: Somebody, when: Weekly | None, *away: Away, step: int = 1, until: datetime | None = None) -> Row:
    return Row(Duty(f"d-{who.id}", who.id, who.name, "ward", "nurse", step, START, until, when), who, away)


def names(rows: list[Row], at: datetime) -> list[str]:
    return [duty.name for duty in timetable.on_duty(rows, at)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def shifts(one: Row, moment: str) -> list[tuple[datetime, datetime]]:
    assert one.duty.weekly is not None
    return list(timetable.shifts(one.duty.weekly, at(moment), at(moment)))


def test_a_night_shift_is_its_local_hours_on_both_nights_of_the_change() -> None:
    night, day = row(AMINA, weekly("1234567", "22:00", "06:00")), row(TOM, weekly("1234567", "06:00", "22:00"))
    [(start, end)] = shifts(night, "2026-03-28T23:00+01:00")
    assert end - start == timedelta(hours=7), "the night that loses an hour"
    [(start, end)] = shifts(night, "2026-10-24T23:00+02:00")
    assert end - start == timedelta(hours=9), "the night that comes twice"
    for moment, who in (
        ("2026-03-29T05:59+02:00", "Amina"),
        ("2026-03-29T06:00+02:00", "Tom"),
        ("2026-10-25T05:59+01:00", "Amina"),
        ("2026-10-25T06:00+01:00", "Tom"),
    ):
        assert names([night, day], at(moment)) == [who]


def test_a_change_of_shift_in_the_hour_that_does_not_exist_leaves_nobody_out() -> None:
    rows = [row(AMINA, weekly("1234567", "22:00", "02:30")), row(TOM, weekly("1234567", "02:30", "10:00"))]
    assert names(rows, at("2026-03-29T01:59+01:00")) == ["Amina"]
    assert names(rows, at("2026-03-29T03:00+02:00")) == ["Tom"], "at 2:00 the clock shows 3:00"
    zone = ZoneInfo(MADRID)
    assert timetable.instant(date(2026, 3, 29), time(2, 30), zone) == at("2026-03-29T03:00+02:00")


def test_a_change_of_shift_in_the_hour_that_comes_twice_happens_once() -> None:
    rows = [row(AMINA, weekly("1234567", "22:00", "02:30")), row(TOM, weekly("1234567", "02:30", "10:00"))]
    seen = [names(rows, at("2026-10-25T02:00+02:00") + n * MINUTE) for n in range(120)]
    assert seen == [["Amina"]] * 30 + [["Tom"]] * 90


def test_the_day_is_the_shift_s_first() -> None:
    rows = [row(AMINA, weekly("5", "20:00", "08:00", NEW_YORK))]
    assert names(rows, at("2026-11-28T07:59-05:00")) == ["Amina"], "Friday's night is Saturday's morning"
    assert names(rows, at("2026-11-27T07:59-05:00")) == []


def test_who_stands_in_is_asked_at_the_same_step_and_the_other_is_not() -> None:
    away = Away("s", at("2026-06-01T12:00+02:00"), at("2026-06-03T12:00+02:00"), TOM)
    rows = [row(AMINA, None, away, step=2)]
    assert names(rows, away.since - MINUTE) == ["Amina"]
    [duty] = timetable.on_duty(rows, away.since)
    assert (duty.name, duty.step, duty.instead_of, duty.instead_name) == ("Tom", 2, "amina", "Amina")
    assert names(rows, away.until) == ["Amina"]
    turns = timetable.turns(rows, away.since - timedelta(days=1), away.until + timedelta(days=1))
    assert [turn.duty.name for turn in turns if turn.duty] == ["Amina", "Tom", "Amina"]


def test_whoever_left_is_a_gap_with_their_name() -> None:
    gone = Somebody("eve", "Eve", frozenset({"nurse"}), active=False)
    since = at("2026-06-01T00:00+02:00")
    away = Away("s", since, since + timedelta(days=1), gone)
    rows = [row(AMINA, None, away), row(TOM, weekly("1234567", "08:00", "20:00"), step=2)]
    assert names(rows, since + timedelta(hours=1)) == []
    turns = timetable.turns(rows, since, since + timedelta(days=2))
    gaps = timetable.gaps(turns, since, since + timedelta(days=2))
    assert [(g.step, g.start, g.end, g.missing) for g in gaps if g.step is None] == [
        (None, since, since + timedelta(hours=8), ()),
        (None, since + timedelta(hours=20), since + timedelta(hours=24), ()),
    ]
    assert [(g.step, g.missing) for g in gaps if g.step == 1] == [(1, ("Eve",))]
    lost = Somebody("amina", "Amina", frozenset({"pharmacist"}))
    assert timetable.on_duty([row(lost, None)], since) == [], "they are on duty as what they are"


def test_a_ladder_without_anybody_is_one_gap() -> None:
    since = at("2026-06-01T00:00+02:00")
    assert timetable.gaps([], since, since + timedelta(days=7)) == [
        timetable.Gap(None, since, since + timedelta(days=7))
    ]


TRANSITIONS = (
    (MADRID, date(2026, 3, 29)),
    (MADRID, date(2026, 10, 25)),
    (NEW_YORK, date(2026, 3, 8)),
    (NEW_YORK, date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
)
clock = st.integers(0, 24 * 12 - 1).map(lambda n: time(n // 12, n % 12 * 5))


@given(
    place=st.sampled_from(TRANSITIONS),
    days=st.frozensets(st.integers(1, 7), min_size=1),
    begins=clock,
    ends=clock,
    away=st.none() | st.tuples(st.integers(0, 4000), st.integers(1, 2000)),
    until=st.none() | st.integers(1, 4320),
)
@settings(deadline=None, max_examples=120)
def test_a_walk_minute_by_minute_finds_the_same(
    place: tuple[str, date],
    days: frozenset[int],
    begins: time,
    ends: time,
    away: tuple[int, int] | None,
    until: int | None,
) -> None:
    """The walk looks at a wall clock that is never set back: a shift lasts from when it first shows the beginning to
    when it first shows the end."""
    if begins == ends:
        return
    zone = ZoneInfo(place[0])
    first = datetime.combine(place[1] - timedelta(days=1), time(0), UTC)
    last = first + timedelta(days=3)
    other = Away("s", first + away[0] * MINUTE, first + sum(away) * MINUTE, TOM) if away else None
    end = first + until * MINUTE if until else None
    rows = [row(AMINA, Weekly(days, begins, ends, place[0]), *([other] if other else []), until=end)]
    turns = timetable.turns(rows, first, last)
    shown = datetime(1, 1, 1)  # noqa: DTZ001 - a clock on a wall knows no zone
    moment = first - timedelta(days=3)
    while moment < last:
        shown = max(shown, moment.astimezone(zone).replace(tzinfo=None, fold=0))
        if moment >= first:
            expected = _walked(shown, days, begins, ends) and (end is None or moment < end)
            who = "Tom" if other and other.since <= moment < other.until else "Amina"
            covering = [t.duty.name for t in turns if t.duty and t.start <= moment < t.end]
            assert covering == ([who] if expected else []), moment
            if moment.minute % 15 == 0:
                assert names(rows, moment) == covering
        moment += MINUTE


def _walked(shown: datetime, days: frozenset[int], begins: time, ends: time) -> bool:
    for back in (0, 1):
        day = shown.date() - timedelta(days=back)
        close = day if ends > begins else day + timedelta(days=1)
        inside = datetime.combine(day, begins) <= shown < datetime.combine(close, ends)
        if inside and day.isoweekday() in days:
            return True
    return False
