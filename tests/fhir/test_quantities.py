"""Units of UCUM: what is one, what it converts to."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir import quantities

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "code", "other", "unit"),
    [  # factors as UCUM's own tables and functional tests give them
        ("98.6", "[degF]", "37", "Cel"),
        ("0", "Cel", "273.15", "K"),
        ("1", "[lb_av]", "453.59237", "g"),
        ("6", "[ft_i]", "182.88", "cm"),
        ("120", "mm[Hg]", "15.99864", "kPa"),
        ("1", "g/L", "100", "mg/dL"),
        ("4.5", "10*3/uL", "4.5", "10*9/L"),
        ("1", "kU/L", "1000", "U/L"),
        ("60", "/min", "1", "/s"),
        ("1", "mmol/L", "1", "meq/L"),
        ("2", "mg/(24.h)", "2", "mg/d"),
        ("1", "mL/min/{1.73_m2}", "0.001", "L/min"),
        ("1", "ug/kg/min", "60", "ug/kg/h"),
        ("95", "%", "0.95", "1"),
        ("1", "m[IU]/mL", "1", "[iU]/L"),
        ("25", "kg/m2", "25000", "g/m2"),
        ("1", "h", "3600", "s"),
        ("1", "cm[H2O]", "98.0665", "Pa"),
    ],
)
def test_converts(value: str, code: str, other: str, unit: str) -> None:
    assert quantities.convert(Decimal(value), code, unit) == Decimal(other)
    assert quantities.canonical(Decimal(value), code) == quantities.canonical(Decimal(other), unit)


@pytest.mark.parametrize(
    "code",
    [
        "",
        "foo",
        "mg//L",
        "mg/",
        "(mg",
        "mg)",
        "mg mL",
        "mm[Hg",
        "kkg",
        "m(s)",
        "[lb_av]x",
        "mg{",
        "µg",
        "10*99999",
        "k%",
        "/0",
        "0.m",
    ],
)
def test_refuses_what_is_no_unit(code: str) -> None:
    assert not quantities.is_unit(code)
    assert quantities.canonical(Decimal(1), code) is None


def test_keeps_kinds_apart() -> None:
    assert not quantities.same_kind("mg", "mL")
    assert not quantities.same_kind("mmol/L", "mg/dL"), "needs the substance's molar mass: never guessed"
    assert not quantities.same_kind("[iU]", "mg")
    assert quantities.canonical(Decimal(3), "{score}") is None, "a score is not a count"
    assert quantities.canonical(Decimal("NaN"), "kg") is None


@given(st.decimals(-1000000, 1000000, places=6), st.sampled_from(["kg", "mm[Hg]", "Cel", "[degF]", "mg/dL", "/min"]))
def test_canonical_keeps_the_order(value: Decimal, code: str) -> None:
    here, there = quantities.canonical(value, code), quantities.canonical(value + 1, code)
    assert here is not None
    assert there is not None
    assert here.unit == there.unit
    assert here.value < there.value


@given(st.text(max_size=20))
def test_any_text_is_a_unit_or_not(code: str) -> None:
    assert quantities.is_unit(code) in (True, False)


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ("5.4", "5.35", "5.45"),
        ("5.40", "5.395", "5.405"),
        ("100", "99.5", "100.5"),
        ("1e2", "50", "150"),
        ("-1", "-1.5", "-0.5"),
    ],
)
def test_digits_written_are_a_range(written: str, low: str, high: str) -> None:
    assert quantities.precision(Decimal(written)) == (Decimal(low), Decimal(high))


def test_numbers_keep_their_digits() -> None:
    assert str(quantities.decimal(Decimal("1.50"))) == "1.50"
    assert quantities.decimal(0.1) == Decimal("0.1")
    assert quantities.decimal(True) is None
    assert quantities.decimal("1") is None
