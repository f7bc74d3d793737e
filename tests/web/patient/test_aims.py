"""What a patient reads of targets, averages and days: counted right, and never against them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bedside.monitoring import Target
from bedside.web.kit.series import Chart, Dot, Line
from bedside.web.patient.aims import WEEKS, aimed, aims, kept

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def chart(*values: tuple[float, float], wrong: bool = False) -> Chart:
    """values: (days ago, value) of weight."""
    dots = tuple(Dot(NOW - timedelta(days=d), v, "typed", wrong=wrong) for d, v in values)
    return Chart("weight", "Weight", "kg", (Line("Weight", dots),), ((None, 90),), NOW - timedelta(days=56), NOW)


def test_days_are_the_readers_days() -> None:
    # 04:00 UTC is still the evening before in New York.
    week = kept([chart((0, 70))], NOW, NEW_YORK)
    assert week.days[-1] == (datetime(2026, 11, 28, 12, tzinfo=NEW_YORK), True)
    assert week.count == 1


def test_weeks_away_break_nothing() -> None:
    week = kept([chart((1, 70), (40, 70), (41, 70), (55, 71))], NOW, NEW_YORK)
    assert (week.count, week.weeks) == (1, 3)
    assert kept([chart((1, 70), wrong=True)], NOW, NEW_YORK).weeks == 0
    assert kept([chart(*((n * 7 + 0.5, 70) for n in range(WEEKS)))], NOW, NEW_YORK).weeks == WEEKS


def test_the_share_in_the_target_and_the_averages() -> None:
    values = [(1, 70), (2, 71), (3, 75), (8, 80), (9, 80), (10, 83), (29, 70), (31, 70)]
    aim = aims([chart(*values)], {"weight": Target("weight", None, 75)}, NOW, NEW_YORK)["weight"]
    assert (aim.inside, aim.of) == (4, 7)
    assert aim.averages == ((72, 81),)
    few = aims([chart((1, 70), (2, 71))], {}, NOW, NEW_YORK)["weight"]
    assert few.averages == ()
    assert few.set is None


def test_the_band_is_the_target_where_one_is_set() -> None:
    plain = chart((1, 70))
    assert aimed(plain, {}) is plain
    band = aimed(plain, {"weight": Target("weight", 60, 75)})
    assert band.limits == ((60, 75),)
    assert band.aimed
