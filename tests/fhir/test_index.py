"""Index values: what one resource says, and that every path agrees with fhirpathpy on every resource type."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from bedside.fhir import dates, definitions, structure
from bedside.fhir.index import Composite, Date, Index, Number, Quantity, ReferenceTo, String, Token, Uri, extract
from bedside.fhir.paths import First, Irregular, Key, Path, Where, paths, root
from bedside.fhir.testing import Maker

pytestmark = pytest.mark.unit

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def quantity(value: str, code: str) -> dict[str, Any]:
    return {"value": Decimal(value), "unit": code, "system": UCUM, "code": code}


PRESSURE = {
    "resourceType": "Observation",
    "status": "final",
    "meta": {"profile": ["http://x.org/bp|1.0"], "tag": [{"system": "http://x.org/t", "code": "home"}]},
    "identifier": [
        {
            "type": {"coding": [{"system": "http://x.org/kinds", "code": "REF"}], "text": "reference number"},
            "system": "http://x.org/ids",
            "value": "7",
        }
    ],
    "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Pressure"}], "text": "Blood pressure"},
    "subject": {"reference": "Patient/p1"},
    "encounter": {"reference": "http://x.org/fhir/Encounter/e1/_history/2"},
    "performer": [{"type": "Practitioner", "identifier": {"system": "http://x.org/ids", "value": "9"}}],
    "effectivePeriod": {"start": "2026-11-21T10:00:00+01:00"},
    "component": [
        {
            "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
            "valueQuantity": quantity("178", "mm[Hg]"),
        },
        {
            "code": {"coding": [{"system": LOINC, "code": "8462-4"}]},
            "valueQuantity": {**quantity("110", "mm[Hg]"), "comparator": ">"},
        },
    ],
}


def test_indexes_an_observation() -> None:
    index = extract(PRESSURE)
    assert set(index.tokens) >= {
        Token("status", "http://hl7.org/fhir/observation-status", "final"),
        Token("code", LOINC, "85354-9", "Pressure"),
        Token("code", None, None, "Blood pressure"),
        Token("component-code", LOINC, "8480-6"),
        Token("combo-code", LOINC, "8462-4"),
        Token("_tag", "http://x.org/t", "home"),
        Token("identifier", "http://x.org/ids", "7", "reference number", "http://x.org/kinds|REF"),
    }
    assert set(index.references) == {
        ReferenceTo("subject", "Patient", "p1"),
        ReferenceTo("patient", "Patient", "p1"),
        ReferenceTo("encounter", "Encounter", None, "http://x.org/fhir/Encounter/e1"),
        ReferenceTo("performer", "Practitioner", None, None, "http://x.org/ids", "9"),
    }
    assert index.dates == [Date("date", datetime(2026, 11, 21, 9, tzinfo=UTC), dates.LATEST)]
    assert index.uris == [Uri("_profile", "http://x.org/bp", "1.0")]
    pascal = Decimal(178) * Decimal(133322)
    high = Quantity(
        "component-value-quantity", Decimal(178), Decimal(178), UCUM, "mm[Hg]", "mm[Hg]", pascal, pascal, "g.m-1.s-2"
    )
    assert high in index.quantities
    (open_end,) = [one for one in index.quantities if one.param == "component-value-quantity" and one != high]
    assert (open_end.low, open_end.high, open_end.canonical_high) == (Decimal(110), None, None)


def test_composites_keep_together_what_stands_together() -> None:
    found = [one for one in extract(PRESSURE).composites if one.param == "component-code-value-quantity"]
    assert [[part.code for part in one.parts[0]] for one in found] == [["8480-6"], ["8462-4"]]
    assert [one.parts[1][0].low for one in found] == [Decimal(178), Decimal(110)]
    assert isinstance(found[0], Composite)
    assert extract(PRESSURE, composites=False).composites == []


def test_takes_only_what_is_wanted() -> None:
    index = extract(PRESSURE, only=frozenset({"code", "date"}))
    assert {one.param for one in index.tokens} == {"code"}
    assert index.dates == extract(PRESSURE).dates
    assert index.references == index.composites == []


def test_indexes_a_patient() -> None:
    index = extract(
        {
            "resourceType": "Patient",
            "name": [{"family": "Ångström", "given": ["Zoë", "Zoë"]}, {"text": "  Łódź  Née"}],
            "telecom": [{"system": "phone", "value": "555"}, {"system": "email", "value": "a@x.org"}],
            "gender": "female",
            "birthDate": "1950-02",
            "address": [{"line": ["Main St 1"], "city": "Łódź"}],
            "deceasedDateTime": "2020",
            "generalPractitioner": [{"reference": "Practitioner/1"}],
            "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
        }
    )
    assert {one.folded for one in index.strings if one.param == "name"} == {"angstrom", "zoe", "lodz nee"}
    assert String("family", "angstrom", "Ångström") in index.strings
    assert {one.folded for one in index.strings if one.param == "address-city"} == {"lodz"}
    assert [one.code for one in index.tokens if one.param == "phone"] == ["555"]
    assert [one.code for one in index.tokens if one.param == "email"] == ["a@x.org"]
    assert [one.code for one in index.tokens if one.param == "deceased"] == ["true"]
    assert Token("gender", "http://hl7.org/fhir/administrative-gender", "female") in index.tokens
    assert Date("birthdate", datetime(1950, 2, 1, tzinfo=UTC), datetime(1950, 3, 1, tzinfo=UTC)) in index.dates
    assert Date("death-date", datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)) in index.dates
    assert ReferenceTo("link", "Patient", "2") in index.references


@pytest.mark.parametrize(
    ("more", "expected"),
    [({}, "false"), ({"deceasedBoolean": False}, "false"), ({"deceasedBoolean": True}, "true")],
)
def test_deceased_is_a_question(more: dict[str, Any], expected: str) -> None:
    index = extract({"resourceType": "Patient", **more})
    assert [one.code for one in index.tokens if one.param == "deceased"] == [expected]


def test_indexes_the_rarer_kinds() -> None:
    risk = extract({"resourceType": "RiskAssessment", "prediction": [{"probabilityDecimal": Decimal("0.80")}]})
    assert risk.numbers == [Number("probability", Decimal("0.80"))]
    money = extract({"resourceType": "Invoice", "totalNet": {"value": 5, "currency": "EUR"}})
    assert [(one.system, one.code) for one in money.quantities] == [("urn:iso:std:iso:4217", "EUR")]
    form = extract({"resourceType": "QuestionnaireResponse", "questionnaire": "http://x.org/q|2"})
    assert form.references == [ReferenceTo("questionnaire", None, None, "http://x.org/q")]
    document = extract({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Composition", "id": "c"}}]})
    assert ReferenceTo("composition", "Composition", "c") in document.references
    molecule = extract(
        {
            "resourceType": "MolecularSequence",
            "referenceSeq": {"chromosome": {"coding": [{"code": "1"}]}},
            "variant": [{"start": 5, "end": 9}],
        }
    )
    (placed,) = [one for one in molecule.composites if one.param == "chromosome-variant-coordinate"]
    assert [part[0].param for part in placed.parts] == ["chromosome", "variant-start", "variant-end"]


def test_an_unknown_type_has_no_values() -> None:
    assert extract({"resourceType": "Foo", "name": "x"}) == Index()


# -- the oracle --------------------------------------------------------------------------------------------------


def _at(path: Path, resource: Any) -> list[Any]:
    found = [resource]
    for step in path.steps:
        match step:
            case Key(name):
                found = [one.get(name) for one in found if isinstance(one, dict)]
                found = [
                    one for value in found for one in (value if isinstance(value, list) else [value]) if one is not None
                ]
            case Where(name, value):
                found = [one for one in found if one.get(name) == value]
            case First():
                found = found[:1]
    return found


def _comparable(values: list[Any]) -> list[str]:
    plain = json.loads(json.dumps(values, default=float), parse_int=float)
    return sorted(json.dumps(value, sort_keys=True) for value in plain)


RESOLVE = re.compile(r"\.where\(resolve\(\) is \w+\)")


@pytest.mark.parametrize("seed", [1, 2])
def test_every_path_agrees_with_fhirpathpy(seed: int) -> None:
    maker = Maker(seed, fullness=0.5, depth=4)
    compared = filled = 0
    for type_ in sorted(definitions.resource_types()):
        resource = json.loads(structure.write(maker.resource(type_)))
        for parameter in definitions.search_parameters(type_).values():
            if parameter.tree is None or parameter.type == "composite":
                continue
            try:
                mine = [one for path in paths(parameter.tree, root(type_)) for one in _at(path, resource)]
            except Irregular:
                continue
            published = RESOLVE.sub("", parameter.expression).replace("Resource.", f"{type_}.", 1)
            theirs = fhirpathpy.evaluate(resource, published, {}, models["r4"])
            compared += 1
            filled += bool(mine)
            assert _comparable(mine) == _comparable(theirs), (type_, parameter.code)
    assert compared > 1500
    assert filled > 500
