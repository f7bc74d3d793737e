"""What a reading is said to mean: never "normal" where nobody set a limit, never a judgement without a cuff."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bedside.monitoring import Latest, Plan, Profile
from bedside.monitoring.rules.model import limits
from bedside.web.kit.band import band
from bedside.web.kit.series import Chart, Dot, Line
from bedside.web.patient.home import greeting
from bedside.web.patient.looked import OWN, lines
from bedside.web.patient.meaning import latest_of, meaning

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADULT = Profile(birth_date=date(1950, 1, 1))


def plan(profile: Profile) -> Plan:
    return limits.plan(profile, (), NOW.date())


def newest(metric: str, value: float, *, at: datetime = NOW, flags: frozenset[str] = frozenset()) -> Latest:
    return Latest(
        id=f"r.1.1.{metric}",
        metric=metric,
        value=value,
        unit="",
        device_time=at,
        received_at=at,
        age=NOW - at,
        stale=False,
        stale_at=at + timedelta(hours=12),
        source="device",
        flags=flags,
        device="d",
        device_kind="blood-pressure",
    )


def pressure(upper: float, lower: float, **more: frozenset[str]) -> list[Latest]:
    return [newest("systolic", upper, **more), newest("diastolic", lower, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("upper", "lower", "words", "outside"),
    [
        (132, 80, "within your limits", False),
        (178, 112, "higher than your limit", True),
        (140, 101, "higher than your limit", True),
        (84, 50, "lower than your limit", True),
    ],
)
def test_an_adult(upper: int, lower: int, words: str, outside: bool) -> None:
    shown = latest_of(pressure(upper, lower))
    assert shown is not None
    found = meaning(shown, plan(ADULT))
    assert (found.words, found.outside) == (words, outside)


@pytest.mark.parametrize(
    "profile", [Profile(), Profile(birth_date=date(2018, 1, 1)), Profile(birth_date=date(1995, 1, 1), pregnant=True)]
)
def test_without_limits_nothing_is_judged(profile: Profile) -> None:
    shown = latest_of(pressure(120, 80))
    assert shown is not None
    assert meaning(shown, plan(profile)).words == "no limits are set for you, so this is not judged"
    assert "no limits" in meaning(shown, None).words


def test_cuffless_is_for_information() -> None:
    shown = latest_of(pressure(190, 120, flags=frozenset({"cuffless"})))
    assert shown is not None
    assert not meaning(shown, plan(ADULT)).outside


def test_two_halves_of_two_moments_are_no_pressure() -> None:
    halves = [newest("systolic", 178), newest("diastolic", 80, at=NOW - timedelta(hours=3))]
    assert latest_of(halves) is None


def test_the_last_reading_is_the_newest() -> None:
    older = pressure(132, 80)
    shown = latest_of([*older, newest("weight", 81.5, at=NOW + timedelta(minutes=1))])
    assert shown is not None
    assert shown.key == "weight"


def test_the_band_breaks_where_nothing_was_measured() -> None:
    at = [NOW - timedelta(days=n) for n in (6, 5, 1, 0)]
    line = Line("Weight", tuple(Dot(t, 80.0 + n, "device") for n, t in enumerate(at)), ((at[1], at[2]),))
    drawn = band(Chart("weight", "Weight", "kg", (line,), ((78.0, 82.0),), NOW - timedelta(days=7), NOW))
    assert drawn is not None
    assert drawn.paths[0].count("M") == 2
    assert drawn.target is not None
    assert band(Chart("w", "W", "kg", (Line("W", ()),), ((None, None),), NOW - timedelta(days=7), NOW)) is None


@pytest.mark.parametrize(("hour", "words"), [(4, "evening"), (5, "morning"), (12, "afternoon"), (19, "evening")])
def test_greeting(hour: int, words: str) -> None:
    assert words in greeting(hour)


def test_ones_own_reading_of_the_record_is_one_line() -> None:
    from bedside.access import AuditLine

    def line(actor: str, action: str, outcome: str = "allowed", wrote: bool = False) -> AuditLine:
        return AuditLine(
            "1", NOW, action, outcome, "person", actor, actor, None, ("nurse",), "TREAT", None, "", "R", (), (), wrote
        )

    found = lines(
        [
            line("me", "opened the home page"),
            line("me", "opened the readings"),
            line("me", "typed a reading", wrote=True),
            line("amina", "opened the chart"),
            line("amina", "opened the chart"),
            line("amina", "opened the chart", "refused"),
        ],
        "me",
    )
    assert [(x.what, x.times, x.refused) for x in found] == [
        (OWN, 2, False),
        ("typed a reading", 1, False),
        ("opened the chart", 2, False),
        ("opened the chart", 1, True),
    ]
