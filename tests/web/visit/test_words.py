"""What a visit's pages say of places and licences, in the reader's language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bedside.access import LicenceDecision
from bedside.foundation.context import NOBODY
from bedside.web.clinician.licence import licence_words, place_name
from bedside.web.kit.clinic import Clinic
from bedside.web.kit.page import Page
from bedside.web.visit.words import country_names

pytestmark = pytest.mark.unit


def reader(language: str) -> Page:
    return Page(language, ZoneInfo("UTC"), Clinic(), NOBODY, datetime(2026, 11, 21, tzinfo=UTC), "/")


@pytest.mark.parametrize(
    ("code", "english", "spanish"),
    [
        ("US-NY", "New York", "New York"),
        ("DE", "Germany", "Alemania"),
        ("US", "United States", "Estados Unidos"),
        ("XX-1", "XX-1", "XX-1"),
        ("QQ", "QQ", "QQ"),
    ],
)
def test_a_place_by_its_name(code: str, english: str, spanish: str) -> None:
    assert (place_name(code, "en"), place_name(code, "es")) == (english, spanish)


def test_countries_in_the_order_of_each_alphabet() -> None:
    english, spanish = list(country_names("en").values()), list(country_names("es").values())
    assert english[0] == "Afghanistan"
    assert english.index("Åland Islands") < english.index("Albania")
    assert spanish.index("Alemania") < spanish.index("España") < spanish.index("Estados Unidos")


def test_what_the_licence_table_answered() -> None:
    why = "Licensed in %(place)s until %(until)s."
    values = {"place": "US-NY", "until": "2027-06-30"}
    decision = LicenceDecision("allow", "US-NY", why, "rule", "source", values=values)
    assert licence_words(decision, reader("en")) == "Licensed in New York until 30 Jun 2027."
    assert "30 jun 2027" in licence_words(decision, reader("es"))
    gone = LicenceDecision(
        "override",
        "DE",
        "No licence for %(place)s is recorded.",
        "rule",
        "source",
        reason="she travels",
        values={"place": "DE"},
    )
    assert licence_words(gone, reader("en")) == "No licence for Germany is recorded. Reason: she travels"
