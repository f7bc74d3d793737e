"""A dosage reads in the patient's language, and its words are those that prescribing has."""

import tomllib
from importlib.resources import files

import pytest

from bedside.prescribing import FREQUENCIES, Draft, instruction
from bedside.prescribing.model.prescription import UNITS as UNITS_THERE
from bedside.web.clinician.dosage import COUNTED, OFTEN, UNITS, WAYS, dosage

pytestmark = pytest.mark.unit


def draft(dose: float = 1, unit: str = "tablet", days: int = 30, as_needed: bool = False) -> Draft:
    return Draft("p", "amlodipine-5", dose, unit, "oral", "BID", days, "pharmacy", as_needed=as_needed)


def test_the_words_are_those_of_prescribing() -> None:
    assert set(OFTEN) == {words for words, *_ in FREQUENCIES.values()}
    assert set(UNITS) == set(COUNTED) == set(UNITS_THERE)
    shipped = tomllib.loads((files("bedside.prescribing.model") / "formulary.toml").read_text("utf-8"))
    assert {route for row in shipped["medicine"] for route in row["routes"]} <= set(WAYS)


def test_english_and_spanish() -> None:
    assert dosage(draft(2, days=1), "en") == "2 tablets, by mouth, twice a day, for 1 day"
    assert dosage(draft(), "es") == "1 comprimido, por la boca, dos veces al día, durante 30 días"
    assert "cuando haga falta" in dosage(draft(as_needed=True), "es")
    assert "twice a day" in instruction(draft())
