"""References taken apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.fhir import references

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "type_", "id_", "server", "version"),
    [
        ("Patient/1", "Patient", "1", None, None),
        ("Patient/a.b-C/_history/3", "Patient", "a.b-C", None, "3"),
        ("http://x.org/fhir/Patient/1", "Patient", "1", "http://x.org/fhir/", None),
        ("https://x.org/Patient/1/_history/2", "Patient", "1", "https://x.org/", "2"),
        ("urn:uuid:0189f3c2-7a52-7d5a-9a1a-000000000000", None, None, None, None),
        ("Patient/1/2", None, None, None, None),
        ("patient/1", None, None, None, None),
        ("Patient/", None, None, None, None),
        ("Patient?identifier=1", None, None, None, None),
    ],
)
def test_takes_apart(url: str, type_: str | None, id_: str | None, server: str | None, version: str | None) -> None:
    found = references.parse(url)
    assert (found.type, found.id, found.server, found.version) == (type_, id_, server, version)
    assert found.local == (f"{type_}/{id_}" if id_ and not server else None)


def test_own_base_is_local() -> None:
    found = references.parse("https://here/fhir/R4/Patient/1", bases=("https://here/fhir/R4/",))
    assert found.local == "Patient/1"
    assert references.parse("https://there/fhir/R4/Patient/1", bases=("https://here/fhir/R4/",)).local is None


def test_tells_the_type_without_looking_up() -> None:
    assert references.target_type({"reference": "#a"}, {"a": "Patient"}) == "Patient"
    assert references.target_type({"reference": "urn:uuid:1", "type": "Group"}) == "Group"
    assert references.target_type({"type": "http://hl7.org/fhir/StructureDefinition/Patient"}) == "Patient"
    assert references.target_type({"display": "x"}) is None


@given(st.from_regex(r"[A-Za-z0-9\-.]{1,64}", fullmatch=True, alphabet=st.characters(max_codepoint=127)))
def test_every_id_makes_a_reference(id_: str) -> None:
    assert references.is_id(id_)
    assert references.parse(f"Patient/{id_}").id == id_


@given(st.text(max_size=80))
def test_any_text_is_parsed(text: str) -> None:
    assert references.parse(text).url == text


def test_a_canonical_has_a_version() -> None:
    assert references.canonical("http://x.org/a|1.0") == ("http://x.org/a", "1.0")
    assert references.canonical("http://x.org/a") == ("http://x.org/a", None)
