"""The patient summary's table and its words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bedside.fhir import ips, structure
from bedside.fhir.definitions import search_parameters

pytestmark = pytest.mark.unit


def test_the_required_sections_and_searches_that_r4_has() -> None:
    assert {one.code for one in ips.sections() if one.required} == {"11450-4", "48765-2", "10160-0"}
    assert len({one.code for one in ips.sections()}) == len(ips.sections())
    for section in ips.sections():
        for source in section.sources:
            known = search_parameters(source.type)
            assert "patient" in known
            for part in filter(None, source.query.split("&")):
                assert part.partition("=")[0].partition(":")[0] in known


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            {"resourceType": "Condition", "code": {"text": "asthma"}, "onsetDateTime": "2020-05-01T10:00:00Z"},
            "asthma (2020-05-01)",
        ),
        (
            {
                "resourceType": "Observation",
                "code": {"coding": [{"code": "8310-5", "display": "Body temperature"}]},
                "valueQuantity": {"value": Decimal("36.60"), "unit": "Cel"},
            },
            "Body temperature, 36.60 Cel",
        ),
        (
            {
                "resourceType": "Observation",
                "code": {"text": "pressure"},
                "component": [
                    {"code": {"text": "upper"}, "valueQuantity": {"value": 120, "comparator": "<", "code": "mm[Hg]"}}
                ],
            },
            "pressure, upper <120 mm[Hg]",
        ),
        (
            {
                "resourceType": "MedicationRequest",
                "medicationReference": {"display": "aspirin"},
                "dosageInstruction": [{"text": "1 a day"}],
            },
            "aspirin, 1 a day",
        ),
        ({"resourceType": "Procedure"}, "Procedure"),
    ],
)
def test_a_line(resource: dict[str, Any], expected: str) -> None:
    assert ips.line(resource) == expected


def test_more_than_is_shown_is_said_and_markup_is_text() -> None:
    (section, *_) = ips.sections()
    filled = [ips.Filled(section, [{"resourceType": "Condition", "id": "1", "code": {"text": "<i>&"}}], more=True)]
    made = ips.composition(
        filled,
        id_="x",
        patient="Patient/p",
        author="Device/d",
        now=datetime(2026, 1, 1, tzinfo=UTC),
        base="http://x.org",
    )
    assert structure.validate(made) == []
    div = made["section"][0]["text"]["div"]
    assert "&lt;i&gt;&amp;" in div
    assert "There are more in the record." in div


def test_none_known() -> None:
    nil = {"emptyReason": {"coding": [{"code": "nilknown"}]}}
    assert ips.none_known([nil])
    assert not ips.none_known([])
    assert not ips.none_known([{}, nil])
    assert not ips.none_known([{"emptyReason": {"coding": [{"code": "notasked"}]}}])
