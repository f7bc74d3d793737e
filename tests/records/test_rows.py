"""The index's hashes and orders."""

import math
import random

import pytest

from bedside.fhir.definitions import resource_types, search_parameters
from bedside.records.model import rows

pytestmark = pytest.mark.unit


def test_no_two_parameters_share_a_number() -> None:
    seen: dict[int, str] = {}
    for type_ in sorted(resource_types()):
        for code in search_parameters(type_):
            for suffix in ("", ":identifier", ":of-type", ":canonical"):
                name = f"{type_}.{code}{suffix}"
                assert seen.setdefault(rows.param(type_, code + suffix), name) == name
    assert seen.setdefault(rows.NAME_PART, "own") == "own"


def test_numbers_keep_their_order() -> None:
    values = [random.uniform(-1, 1) * 10 ** random.randint(-300, 300) for _ in range(2000)]
    values += [0.0, -0.0, math.inf, -math.inf, 1e-320, -1e-320]
    assert sorted(values) == sorted(values, key=rows.in_order)
    assert rows.in_order(-0.0) == rows.in_order(0.0)


def test_what_repeats_another_parameter_is_not_written() -> None:
    shape = rows.shape("Observation")
    assert shape.stands_for["patient"] == ("subject",)
    assert shape.stands_for["combo-code"] == ("code", "component-code")
    assert {"patient", "combo-code", "_id", "code-value-quantity"}.isdisjoint(shape.written)
    assert (shape.patient, shape.date) == ("subject", "date")
    assert rows.shape("Appointment").patient is None  # several patients may meet
    assert rows.shape("Patient").patient is None


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("O'Brien", {"obrien", "o", "brien"}),
        ("anna-lena", {"annalena", "anna", "lena"}),
        ("Li", {"li"}),
        ("", set()),
        ("Müller", {"muller", "mueller"}),
        ("Mu\u0308ller", {"muller", "mueller"}),
        ("MUELLER", {"muller", "mueller"}),
        ("Muller", {"muller"}),
        ("Weiß", {"weiss"}),
        ("Øster-Å", {"ostera", "oster", "a", "oesteraa", "oester", "aa"}),
    ],
)
def test_the_words_of_a_name(name: str, parts: set[str]) -> None:
    assert rows.name_parts(name) == parts
