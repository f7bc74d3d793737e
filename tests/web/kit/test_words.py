"""Words in templates: escaped whoever wrote them, unharmed by a per cent sign, and in the reader's language."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bedside.foundation.context import NOBODY
from bedside.web.kit import page as kit_page
from bedside.web.kit import written
from bedside.web.kit.clinic import Clinic
from bedside.web.kit.page import Page, environment

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(autouse=True)
def reader() -> Iterator[None]:
    page = Page("en", NEW_YORK, Clinic(zone="America/New_York"), NOBODY, NOW, "/")
    token = kit_page._page.set(page)
    yield
    kit_page._page.reset(token)


def said(source: str, language: str = "en", **data: object) -> str:
    return environment(language).from_string(source).render(**data)


def test_what_somebody_wrote_is_never_markup() -> None:
    """A problem's text goes through _() so that known ones are translated; it may be anything."""
    hostile = "<img src=x onerror=alert(1)> 0.9 % saline"
    for source in ("{{ _(text) }}", "{{ _('for %(name)s', name=text) }}", "{{ text }}"):
        shown = said(source, text=hostile)
        assert "<img" not in shown
        assert "0.9 % saline" in shown


def test_plurals_and_languages() -> None:
    source = '{{ ngettext("%(num)s reading", "%(num)s readings", n) }}'
    assert [said(source, n=n) for n in (1, 2)] == ["1 reading", "2 readings"]
    assert [said(source, "es", n=n) for n in (1, 2)] == ["1 medición", "2 mediciones"]


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=-3), "just now"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_ages(span: timedelta, words: str) -> None:
    assert written.age(span, "en") == words


@pytest.mark.parametrize(
    ("birth", "words"),
    [
        (date(1951, 11, 22), "74 years"),
        (date(1951, 11, 21), "75 years"),
        (date(2025, 2, 1), "21 months"),
        (date(2026, 11, 1), "20 days"),
    ],
)
def test_peoples_ages(birth: date, words: str) -> None:
    assert written.years(birth, NOW.date(), "en") == words


@pytest.mark.parametrize(("text", "shown"), [("1951-03-02", "2 Mar 1951"), ("1951-03", "Mar 1951"), ("1951", "1951")])
def test_a_date_keeps_its_precision(text: str, shown: str) -> None:
    assert written.day(text, "en", NEW_YORK) == shown


def test_a_zone_is_named_where_clocks_differ() -> None:
    at = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)
    assert written.when(at, "en", NEW_YORK, NOW, NEW_YORK) == "today 14:30"
    there = ZoneInfo("America/Los_Angeles")
    assert written.when(at, "en", there, NOW, NEW_YORK) == "today 11:30 PST"
    canary = ZoneInfo("Atlantic/Canary")
    assert written.when(at, "en", canary, NOW, ZoneInfo("Europe/Madrid")) == "today 19:30 (Canary)", "not +0000"
    assert written.when(at, "es", canary, NOW, ZoneInfo("Europe/Madrid")) == "hoy 19:30 WET"
    assert written.when(at - timedelta(days=1), "es", NEW_YORK, NOW) == "ayer 14:30"


def test_a_missing_number_is_no_zero() -> None:
    assert written.number(None, "en") == "–"
    assert written.number(38.04, "es", 1) == "38"
    assert written.number(38.16, "es", 1) == "38,2"


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert [written.number(value, "en", 1) for value in (-0.02, 0.0, -0.06, 0.96)] == ["0", "0", "-0.1", "1"]
    assert written.number(-0.4, "en", 0) == "0"
