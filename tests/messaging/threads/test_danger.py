"""Words of danger, in both languages, however they are typed; and what is none."""

from __future__ import annotations

import pytest

from bedside.messaging.threads.model.danger import signs, table

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "sign"),
    [
        ("I have CHEST PAIN since noon", "chest-pain"),
        ("a strange pain in my left chest", "chest-pain"),
        ("Me duele mucho el pecho", "chest-pain"),
        ("opresión  en el pecho", "chest-pain"),
        ("OPRESION EN EL PECHO", "chest-pain"),
        ("I can’t breathe", "breathing"),
        ("i can't really breathe", "breathing"),
        ("I cant breath", "breathing"),
        ("there is a pressure in my chest", "chest-pain"),
        ("dolor torácico desde ayer", "chest-pain"),
        ("No puedo respirar bien", "breathing"),
        ("her face is drooping", "stroke"),
        ("he passed out", "unconscious"),
        ("no deja de sangrar", "bleeding"),
        ("my throat is closing", "allergy"),
        ("she took too many pills", "overdose"),
        ("I am suicidal", "suicide"),
        ("quiero morirme", "suicide"),
        ("no chest pain today", "chest-pain"),
    ],
)
def test_it_stops(said: str, sign: str) -> None:
    assert sign in signs(said)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Can I take ibuprofen with this?",
        "I cannot see the results, thank you",
        "¿Puedo cambiar la cita del pecho de pollo?",
        "My doctor is not responding to my letter",
        "el médico no responde",
        "*",
        "breath test on Monday",
    ],
)
def test_it_lets_pass(said: str) -> None:
    assert signs(said) == ()


def test_every_row_says_where_it_is_from_and_in_every_language() -> None:
    for row in table().row:
        assert row.source
        assert row.checked.startswith("20")
        assert set(row.words) == {"en", "es"}
        assert all(row.words.values())


def test_every_phrase_is_found_as_it_stands() -> None:
    for row in table().row:
        for words in row.words.values():
            for phrase in words:
                assert row.sign in signs(phrase.replace("*", "")), phrase
