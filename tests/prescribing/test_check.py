"""The check at signing, by its tables."""

import pytest

from bedside.foundation.errors import Conflict, Invalid
from bedside.prescribing.model import Current, Draft, check, find, instruction, medicine, next_status
from bedside.prescribing.model.prescription import validate

pytestmark = pytest.mark.unit

PENICILLIN = Current("Penicillin", frozenset({"764146007"}), "medication")


def levels(name: str, current: list[Current], allergies: list[Current]) -> set[tuple[str, str]]:
    return {(c.level, c.about) for c in check(medicine(name), current, allergies)}


def test_amoxicillin_under_a_penicillin_allergy_stops() -> None:
    assert ("stop", "allergy") in levels("amoxicillin-500", [], [PENICILLIN])
    assert ("stop", "allergy") in levels("amoxicillin-clavulanate-875", [], [Current("allergic to penicillin")])


def test_cephalosporin_under_a_penicillin_allergy_is_a_caution() -> None:
    found = levels("cephalexin-500", [], [PENICILLIN])
    assert ("caution", "allergy") in found
    assert ("stop", "allergy") not in found


def test_an_unrelated_medicine_under_a_penicillin_allergy_is_not_stopped() -> None:
    assert {level for level, about in levels("amlodipine-5", [], [PENICILLIN]) if about == "allergy"} == set()


def test_no_recorded_allergies_is_not_checked_but_none_known_is() -> None:
    assert ("not-checked", "allergy") in levels("amlodipine-5", [], [])
    none_known = Current("No known allergy", frozenset({"716186003"}))
    assert ("not-checked", "allergy") not in levels("amlodipine-5", [], [none_known])
    no_food = Current("No known food allergy", frozenset({"429625007"}))
    assert ("not-checked", "allergy") in levels("amlodipine-5", [], [no_food])


def test_an_allergy_that_no_table_knows_is_said_to_be_unchecked() -> None:
    assert ("not-checked", "allergy") in levels("amlodipine-5", [], [Current("Zorblax")])
    assert ("not-checked", "allergy") not in levels("amlodipine-5", [], [Current("Peanut", category="food")])


def test_the_same_ingredient_twice_stops_whatever_its_strength() -> None:
    assert ("stop", "duplicate") in levels("amlodipine-5", [Current("Amlodipine 10 mg tablet")], [PENICILLIN])
    assert ("stop", "duplicate") in levels("amlodipine-5", [Current("Norvasc", frozenset({"197361"}))], [PENICILLIN])


@pytest.mark.parametrize(
    ("new", "taken", "level"),
    [
        ("ibuprofen-400", "Apixaban 5 mg tablet", "stop"),
        ("sildenafil-50", "Nitroglycerin 0.4 mg sublingual tablet", "stop"),
        ("nitroglycerin-0.4", "Sildenafil 50 mg", "stop"),
        ("omeprazole-20", "Clopidogrel 75 mg tablet", "caution"),
        ("spironolactone-25", "Lisinopril 10 mg tablet", "stop"),
    ],
)
def test_an_interaction_is_found_from_either_side(new: str, taken: str, level: str) -> None:
    found = [c for c in check(medicine(new), [Current(taken)], [PENICILLIN]) if c.about == "interaction"]
    assert level in {c.level for c in found}
    assert all(c.source for c in found)


def test_a_medicine_nobody_knows_is_not_checked_and_nothing_is_ever_called_safe() -> None:
    found = check(medicine("amlodipine-5"), [Current("Herbal drops")], [PENICILLIN])
    assert any(c.level == "not-checked" and "Herbal drops" in c.text for c in found)
    assert not any("safe" in c.text.lower() for c in found)


def test_search_finds_by_name_ingredient_class_and_without_accents() -> None:
    assert find("amlo")[0].id == "amlodipine-5"
    assert any(m.id == "acetaminophen-500" for m in find("Paracetamol"))
    assert {m.id for m in find("penicillin")} >= {"amoxicillin-500", "penicillin-v-500"}
    assert find("  ") == []
    assert find("amlodipino") == []
    spanish = {"amlodipine": "amlodipino", "penicillin": "penicilina"}
    assert [m.id for m in find("Amlodipino", said=lambda word: spanish.get(word, word))] == ["amlodipine-5"]


DRAFT = Draft("p", "amlodipine-5", 1, "tablet", "oral", "QD", 30, "pharmacy")


def test_the_instruction_reads_as_words() -> None:
    assert instruction(DRAFT) == "1 tablet, oral, once a day, for 30 days"


@pytest.mark.parametrize(
    ("field", "value"),
    [("dose", 0), ("dose", 5000), ("unit", "bucket"), ("route", "rectal"), ("frequency", "often"), ("days", 0)],
)
def test_a_bad_field_is_named(field: str, value: object) -> None:
    values = {name: getattr(DRAFT, name) for name in DRAFT.__struct_fields__} | {field: value}
    with pytest.raises(Invalid) as error:
        validate(Draft(**values), ("oral",))
    assert error.value.where == field


def test_a_signed_prescription_can_be_cancelled_but_not_signed_again() -> None:
    assert next_status("signed", "cancel") == "cancelled"
    for status, step in (
        ("signed", "sign"),
        ("dispensed", "cancel"),
        ("cancelled", "dispense"),
        ("signed", "dispense"),
    ):
        with pytest.raises(Conflict):
            next_status(status, step)
