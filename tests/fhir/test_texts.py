"""Texts folded for search, and the spellings of a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir.texts import fold, shortened, spellings, spelt_out

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("name", "plain", "out"),
    [
        ("Ångström  Łódź", "angstrom lodz", "aangstroem lodz"),
        ("MÜLLER", "muller", "mueller"),
        ("Mu\u0308ller", "muller", "mueller"),
        ("Straße", "strasse", "strasse"),
        ("Bjørn Æbeltoft", "bjorn aebeltoft", "bjoern aebeltoft"),
        ("Núñez", "nunez", "nunez"),
    ],
)
def test_both_ways_of_writing(name: str, plain: str, out: str) -> None:
    assert (fold(name), spelt_out(name)) == (plain, out)
    assert spellings(name) == {plain, out}


@given(st.text())
def test_both_have_the_same_words(text: str) -> None:
    assert len(fold(text).split()) == len(spelt_out(text).split())


def test_what_is_spelt_out_is_shortened() -> None:
    assert [shortened(one) for one in ("mueller", "aase", "jaeger", "joe", "quist")] == [
        "muller",
        "ase",
        "jager",
        "jo",
        "quist",
    ]
