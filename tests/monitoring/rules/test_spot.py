"""qSOFA and MEWS at every edge, against points written down a second time; incomplete is never zero."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.spot import Spot, scores

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ADULT = Profile(birth_date=date(1950, 1, 1))
CALM: dict[str, float | str] = {
    "systolic": 120,
    "heart-rate": 70,
    "respiratory-rate": 12,
    "temperature": 36.8,
    "consciousness": "A",
}


def one(metric: str, value: float | str, *, age: int = 1, flags: str = "") -> Measured:
    at = NOW - timedelta(minutes=age)
    return Measured(metric, metric, value, "", at, at, flags=frozenset(flags.split()))


def scored(key: str, profile: Profile = ADULT, **values: float | str) -> Spot:
    given = CALM | {name.replace("_", "-"): value for name, value in values.items()}
    newest = {metric: one(metric, value) for metric, value in given.items()}
    return next(found for found in scores(newest, profile, NOW) if found.key == key)


def mews(metric: str, value: float | str) -> int:
    """Subbe's table, by hand."""
    if isinstance(value, str):
        return {"A": 0, "V": 1, "P": 2, "U": 3}[value]
    match metric:
        case "systolic":
            return 3 if value <= 70 else 2 if value <= 80 else 1 if value <= 100 else 0 if value < 200 else 2
        case "heart-rate":
            if value <= 50:
                return 2 if value <= 40 else 1
            return 0 if value <= 100 else 1 if value <= 110 else 2 if value < 130 else 3
        case "respiratory-rate":
            return 2 if value < 9 else 0 if value <= 14 else 1 if value <= 20 else 2 if value < 30 else 3
        case _:
            return 2 if value < 35 else 0 if value < 38.5 else 2


@pytest.mark.parametrize(
    ("metric", "values"),
    [
        ("systolic", range(50, 231)),
        ("heart-rate", range(20, 200)),
        ("respiratory-rate", range(4, 45)),
        ("temperature", [n / 10 for n in range(320, 425)]),
        ("consciousness", "AVPU"),
    ],
)
def test_mews_over_the_whole_range(metric: str, values: list[float] | str) -> None:
    for value in values:
        found = scored("mews", **{metric.replace("-", "_"): value})
        assert (found.points[metric], found.total) == (mews(metric, value), mews(metric, value)), value


def test_qsofa_at_its_edges() -> None:
    assert scored("qsofa").total == 0
    assert [scored("qsofa", respiratory_rate=rate).total for rate in (21, 21.4, 22, 30)] == [0, 0, 1, 1]
    assert [scored("qsofa", systolic=value).total for value in (99, 100, 101)] == [1, 1, 0]
    assert [scored("qsofa", consciousness=value).total for value in "ACVPU"] == [0, 1, 1, 1, 1]
    worst = scored("qsofa", respiratory_rate=25, systolic=85, consciousness="V")
    assert worst.total == worst.most == 3
    assert worst.total >= worst.positive


def test_without_an_input_there_is_no_score() -> None:
    whole = {metric: one(metric, value) for metric, value in CALM.items()}
    for broken in (None, one("systolic", 120, age=60 * 24), one("systolic", 120, flags="implausible")):
        newest = {**whole, "systolic": broken} if broken else {k: v for k, v in whole.items() if k != "systolic"}
        for found in scores(newest, ADULT, NOW):
            assert (found.total, found.unscored) == (None, ("systolic",))
    # New confusion is not on the chart of AVPU.
    assert scored("mews", consciousness="C").total is None
    assert scored("qsofa", consciousness="C").total == 1


def test_for_adults_who_are_not_pregnant() -> None:
    for profile, why in (
        (Profile(birth_date=date(2015, 1, 1)), "under-16"),
        (Profile(birth_date=date(1990, 1, 1), pregnant=True), "pregnant"),
        (Profile(), "age-unknown"),
    ):
        found = scored("qsofa", profile)
        assert (found.total, found.why_not) == (None, why)
