"""The vital signs hang together."""

import pytest

from bedside.fhir import quantities
from bedside.fhir.texts import fold
from bedside.fhir.vocabulary import VITAL_SIGNS

pytestmark = pytest.mark.unit


def test_vital_signs_hang_together() -> None:
    for sign in VITAL_SIGNS.values():
        assert all(quantities.is_unit(unit) for unit in sign.units), sign
        assert all(quantities.same_kind(sign.units[0], unit) for unit in sign.units), sign
        assert all(code in VITAL_SIGNS for code in (*sign.components, *sign.also)), sign
    oximetry = VITAL_SIGNS["59408-5"]
    assert oximetry.also == ("2708-6",), "US Core asks for both codes"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Ångström", "angstrom"),
        ("  Łódź \t Straße ", "lodz strasse"),
        ("ÇELİK ışık", "celik isik"),
        ("O’Brien", "o'brien"),
        ("Œuvre Æ", "oeuvre ae"),
        ("Nguyễn", "nguyen"),
        ("山田", "山田"),
        ("", ""),
    ],
)
def test_texts_fold(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded
