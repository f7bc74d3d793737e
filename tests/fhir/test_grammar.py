"""Search strings to typed queries; what is not understood is named."""

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir import definitions
from bedside.fhir.grammar import (
    BadQuery,
    CompositeValue,
    DateValue,
    Filter,
    Has,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    parse,
)

pytestmark = pytest.mark.unit

LOINC = "http://loinc.org"


def only(type_: str, query: str) -> Filter:
    (found,) = parse(type_, query).filters
    assert isinstance(found, Filter)
    return found


@pytest.mark.parametrize(
    ("query", "values"),
    [
        (f"code={LOINC}|8867-4,8480-6", (TokenValue(LOINC, "8867-4"), TokenValue(None, "8480-6"))),
        ("code=|x", (TokenValue("", "x"),)),
        (f"code={LOINC}|", (TokenValue(LOINC, None),)),
        (r"code=a\,b", (TokenValue(None, "a,b"),)),
        (r"code=a\|b", (TokenValue(None, "a|b"),)),
        ("code:in=http://x.org/vs", (UriValue("http://x.org/vs"),)),
        ("code:text=Häm", (StringValue("Häm", "ham"),)),
        ("identifier:of-type=http://x.org|MR|12", (TokenValue(None, "12", ("http://x.org", "MR")),)),
        ("date=ge2026-11", (DateValue("ge", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),)),
        ("value-string:exact=Ä", (StringValue("Ä", "a"),)),
        ("patient=Patient/1", (ReferenceValue("Patient", "1"),)),
        ("subject=1", (ReferenceValue(None, "1"),)),
        ("subject:Group=1", (ReferenceValue("Group", "1"),)),
        ("encounter=1", (ReferenceValue(None, "1"),)),
        ("subject=http://x.org/Patient/1", (ReferenceValue("Patient", None, "http://x.org/Patient/1"),)),
        ("subject=http://here/Patient/1", (ReferenceValue("Patient", "1"),)),
        ("subject:identifier=a|b", (ReferenceValue(None, None, None, TokenValue("a", "b")),)),
        ("_profile=http://x.org/p", (UriValue("http://x.org/p"),)),
    ],
)
def test_reads_values(query: str, values: tuple[object, ...]) -> None:
    (found,) = parse("Observation", query, bases=("http://here/",)).filters
    assert isinstance(found, Filter)
    assert found.values == values


def test_reads_quantities_with_precision_and_unit() -> None:
    (value,) = only("Observation", "value-quantity=gt5.4|http://unitsofmeasure.org|mg").values
    assert isinstance(value, QuantityValue)
    assert value[:6] == ("gt", Decimal("5.4"), Decimal("5.35"), Decimal("5.45"), "http://unitsofmeasure.org", "mg")
    assert (value.canonical_low, value.canonical_unit) == (Decimal("0.00535"), "g")
    (bare,) = only("Observation", "value-quantity=5||furlong").values
    assert isinstance(bare, QuantityValue)
    assert (bare.code, bare.canonical_unit) == ("furlong", None)
    (number,) = only("RiskAssessment", "probability=lt0.8").values
    assert number == NumberValue("lt", Decimal("0.8"), Decimal("0.75"), Decimal("0.85"))


def test_reads_composites() -> None:
    (value,) = only("Observation", f"code-value-quantity={LOINC}|8867-4$gt100").values
    assert isinstance(value, CompositeValue)
    assert value.parts[0] == TokenValue(LOINC, "8867-4")
    assert isinstance(value.parts[1], QuantityValue)


def test_reads_chains_and_has() -> None:
    chain = only("Observation", "subject:Patient.name:exact=Smith")
    assert chain.targets == ("Patient",)
    assert isinstance(chain.chain, Filter)
    assert (chain.chain.parameter.code, chain.chain.modifier) == ("name", "exact")
    (has,) = parse("Patient", "_has:Observation:patient:encounter.type=x").filters
    assert isinstance(has, Has)
    assert (has.type, has.reference.code) == ("Observation", "patient")
    assert isinstance(has.filter, Filter)
    assert isinstance(has.filter.chain, Filter)
    anywhere = only("Observation", "subject.name=x")
    assert "Patient" in anywhere.targets
    assert "Location" in anywhere.targets


def test_reads_what_the_answer_shall_be_like() -> None:
    query = parse(
        "Observation",
        "_sort=-date,code&_count=20&_summary=count&_total=accurate&_elements=code,status&_cursor=x"
        "&_include=Observation:subject:Patient&_include:iterate=Patient:organization&_revinclude=Provenance:target"
        "&_include=Observation:*&_format=json",
    )
    assert [(key.parameter.code, key.descending) for key in query.sort] == [("date", True), ("code", False)]
    assert (query.count, query.summary, query.total, query.cursor) == (20, "count", "accurate", "x")
    assert query.elements == ("code", "status")
    assert [(one.source, one.target, one.iterate) for one in query.includes] == [
        ("Observation", "Patient", False),
        ("Patient", None, True),
        ("Observation", None, False),
    ]
    assert query.revincludes[0].source == "Provenance"
    assert query.filters == ()


def test_missing_takes_a_boolean() -> None:
    assert only("Observation", "code:missing=true").missing is True
    assert only("Patient", "birthdate:missing=false").missing is False


@pytest.mark.parametrize(
    ("type_", "query", "name"),
    [
        ("Observation", "foo=1", "foo"),
        ("Observation", "code:exact=1", "code:exact"),
        ("Observation", "subject:Practitioner=1", "subject:Practitioner"),
        ("Observation", "date=2026-02-30", "date"),
        ("Observation", "date=", "date"),
        ("Observation", "date=xx2026", "date"),
        ("Observation", "value-quantity=a", "value-quantity"),
        ("Observation", "value-quantity=1|2", "value-quantity"),
        ("Observation", "code=a|b|c", "code"),
        ("Observation", "code=|", "code"),
        ("Observation", "code=a,,b", "code"),
        ("Observation", "code=a%00", "code"),
        ("Observation", "subject=a b", "subject"),
        ("Observation", "subject.foo=1", "subject.foo"),
        ("Observation", "code.text=1", "code.text"),
        ("Observation", "subject:missing=1", "subject:missing"),
        ("Observation", "_count=-1", "_count"),
        ("Observation", "_count=1&_count=2", "_count"),
        ("Observation", "_sort=foo", "_sort"),
        ("Observation", "_summary=x", "_summary"),
        ("Observation", "_include=Foo:x", "_include"),
        ("Observation", "_include=Observation:code", "_include"),
        ("Observation", "_include=Observation", "_include"),
        ("Observation", "_has:Foo:x:y=1", "_has:Foo:x:y"),
        ("Observation", "_has:Encounter:subject:x=1", "_has:Encounter:subject:x"),
        ("Observation", "_has:Encounter=1", "_has:Encounter"),
        ("Observation", "code-value-quantity=1", "code-value-quantity"),
        ("Observation", "_text:exact=x", "_text:exact"),
        ("Observation", "subject._content=x", "subject._content"),
        ("Observation", "_list=$current-problems", "_list"),
        ("Observation", "_id:text=x", "_id:text"),
        ("Observation", "_type=Patient", "_type"),
        ("Observation", "_sort=code,-code", "_sort"),
        ("Observation", "_include=Encounter:patient", "_include"),
        ("Observation", "_include=Observation:patient:Group", "_include"),
        ("Observation", "_revinclude=Encounter:patient", "_revinclude"),
        ("Observation", "code=" + ",".join("a" * 1001), "code"),
        ("Location", "near=1|2", "near"),
        ("Observation", "has-member" + ".has-member" * 6 + "=1", "has-member" + ".has-member" * 6),
    ],
)
def test_names_the_parameter_at_fault(type_: str, query: str, name: str) -> None:
    with pytest.raises(BadQuery) as refused:
        parse(type_, query)
    assert [issue.expression for issue in refused.value.issues] == [name]
    lenient = parse(type_, query, strict=False)
    assert [issue.expression for issue in lenient.ignored] == [name]
    assert [issue.severity for issue in lenient.ignored] == ["warning"]


def test_says_nothing_of_the_value() -> None:
    with pytest.raises(BadQuery) as refused:
        parse("Observation", "date=Smith&subject=Mary Brown&foo=Jones")
    assert len(refused.value.issues) == 3
    assert not any(name in str(refused.value) for name in ("Smith", "Mary", "Jones"))


def test_searches_across_types() -> None:
    query = parse(None, "_type=Observation,Condition&patient=1")
    assert query.types == ("Observation", "Condition")
    assert len(parse(None, "_id=1").types) == len(definitions.resource_types())
    for wrong in ("_type=Foo", "_type=Observation,Patient&code=1"):
        with pytest.raises(BadQuery):
            parse(None, wrong)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=30)), max_size=4))
def test_any_query_is_understood_or_named(pairs: list[tuple[str, str]]) -> None:
    query = parse("Patient", urlencode(pairs, errors="replace"), strict=False)
    assert query.types == ("Patient",)


@given(st.sampled_from(sorted(definitions.search_parameters("Patient"))), st.text(min_size=1, max_size=30))
def test_any_value_is_understood_or_named(code: str, value: str) -> None:
    try:
        parse("Patient", [(code, value)])
    except BadQuery as refused:
        assert refused.issues[0].expression == code


def test_every_published_parameter_can_be_searched() -> None:
    sample = {"date": "2026", "number": "1", "quantity": "1", "reference": "Patient/1", "special": ""}
    for type_ in definitions.resource_types():
        for code, parameter in definitions.search_parameters(type_).items():
            if parameter.type == "special":
                continue
            values = [sample.get(one.type, "x") for one in parameter.components] or [sample.get(parameter.type, "x")]
            assert parse(type_, [(code, "$".join(values))]).filters
