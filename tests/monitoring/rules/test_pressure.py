"""Categories of blood pressure, by scheme, against ladders written out by hand from the guidelines."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.foundation.errors import Invalid
from bedside.monitoring.rules.model.pressure import Pressure, category, grade, schemes
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.settings import Settings

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADULT = Profile(date(1950, 3, 1))


def oracle(scheme: str, s: int, d: int) -> str:
    if scheme == "acc-aha-2017":
        if s < 120 and d < 80:
            return "normal"
        if s < 130 and d < 80:
            return "elevated"
        return "stage-1" if s < 140 and d < 90 else "stage-2"
    if scheme == "esc-2024":
        if s < 120 and d < 70:
            return "non-elevated"
        return "elevated" if s < 140 and d < 90 else "hypertension"
    steps = ("optimal", "normal", "high-normal", "grade-1", "grade-2", "grade-3")
    return steps[max(sum(s >= at for at in (120, 130, 140, 160, 180)), sum(d >= at for at in (80, 85, 90, 100, 110)))]


@given(scheme=st.sampled_from(schemes()), s=st.integers(60, 260), d=st.integers(30, 150))
def test_every_scheme_is_its_guideline(scheme: str, s: int, d: int) -> None:
    assert grade(scheme, s, d) == oracle(scheme, s, d)


def test_one_pressure_two_schemes() -> None:
    assert (grade("acc-aha-2017", 118, 72), grade("esc-2024", 118, 72)) == ("normal", "elevated")
    assert (grade("acc-aha-2017", 119, 80), grade("esc-esh-2018", 119, 80)) == ("stage-1", "normal")


def at(days: float, s: float, d: float) -> Pressure:
    return Pressure(NOW - timedelta(days=days), s, d, f"p{days}")


def test_the_mean_needs_two_readings_on_two_days() -> None:
    none = category("esc-2024", [], ADULT, NOW)
    assert (none.newest, none.mean, none.why) == (None, None, "none")
    one_day = category("esc-2024", [at(0.1, 150, 80), at(0, 120, 60)], ADULT, NOW)
    assert one_day.newest is not None
    assert (one_day.newest.key, one_day.mean, one_day.why) == ("elevated", None, "few")
    both = category("acc-aha-2017", [at(8, 300, 200), at(7, 150, 80), at(0, 129, 79)], ADULT, NOW)
    assert both.mean is not None
    # 139.5 is shown as 140, and put into the category of 140; what is older than a week is not in it.
    assert (both.mean.systolic, both.mean.diastolic, both.mean.key) == (140, 80, "stage-2")
    assert (both.mean.readings, both.mean.days, both.why, both.name) == (2, 2, "", "ACC/AHA 2017")
    assert both.mean.inputs == ("p7", "p0")


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        (Profile(), "age-unknown"),
        (Profile(date(2015, 1, 1)), "under-16"),
        (Profile(date(1995, 1, 1), pregnant=True), "pregnant"),
    ],
)
def test_not_for_everybody(profile: Profile, why: str) -> None:
    found = category("esc-2024", [at(1, 150, 90), at(0, 150, 90)], profile, NOW)
    assert (found.newest, found.mean, found.why) == (None, None, why)


def test_not_from_a_monitor() -> None:
    assert category("esc-2024", [at(0, 150, 90)], ADULT, NOW, continuous=True).why == "continuous"


def test_an_installation_names_a_scheme_that_there_is() -> None:
    assert Settings.of_words("", pressure="esc-2024").pressure == "esc-2024"
    assert Settings.of_words("").pressure == schemes()[0]
    with pytest.raises(Invalid) as refused:
        Settings.of_words("", pressure="jnc-7")
    assert refused.value.where == "BEDSIDE_PRESSURE_SCHEME"
