"""What the check at signing found reads in Spanish, whatever is prescribed to whom."""

import tomllib
from importlib.resources import files
from io import BytesIO

import pytest
from babel.messages.pofile import read_po

from bedside.prescribing import Check, medicine
from bedside.prescribing.model import Current, check
from bedside.web.clinician import finding
from bedside.web.kit.languages import LOCALE

pytestmark = pytest.mark.unit

PENICILLIN = Current("Penicillin", frozenset({"764146007"}), "medication")


def found(key: str, current: list[Current], allergies: list[Current]) -> dict[str, Check]:
    return {one.about + ":" + one.level: one for one in check(medicine(key), current, allergies)}


def test_a_finding_in_both_languages() -> None:
    one = found("amoxicillin-500", [], [PENICILLIN])["allergy:stop"]
    assert finding.said(one, "en") == one.text == "Recorded allergy to penicillin: Amoxicillin 500 mg capsule is one."
    assert finding.said(one, "es") == "Alergia anotada: penicilina. Amoxicillin 500 mg capsule pertenece a ese grupo."
    assert finding.source(one, "es") == one.source
    assert "US prescribing information" in one.source


def test_an_interaction_with_its_effect_and_the_table_it_is_from() -> None:
    told = found(
        "sildenafil-50", [Current("Nitroglycerin 0.4 mg sublingual tablet"), Current("Gotas 5 %")], [PENICILLIN]
    )
    said = finding.said(told["interaction:stop"], "es")
    assert said.endswith(": contraindicado. La presión puede bajar peligrosamente.")
    unknown = check(medicine("sildenafil-50"), [Current("Gotas 5 %")], [PENICILLIN])
    (one,) = [c for c in unknown if "Gotas" in c.text]
    assert finding.said(one, "es") == "«Gotas 5 %» no está en el formulario: aquí no se conocen sus interacciones."
    assert finding.source(one, "es").startswith("formulario y tabla de interacciones 20")


def test_every_finding_that_the_tables_can_give_is_spanish() -> None:
    shipped = tomllib.loads((files("bedside.prescribing.model") / "formulary.toml").read_text("utf-8"))["medicine"]
    everything = [Current(row["name"]) for row in shipped]
    for row in shipped:
        for one in check(medicine(row["id"]), everything, [PENICILLIN, Current("Zorblax")]):
            assert finding.said(one, "en") == one.text
            assert finding.said(one, "es") != one.text
    words = {word for row in shipped for word in (*row["ingredients"], *row["classes"], row["form"])}
    catalogues = [read_po(BytesIO(path.read_bytes())) for path in (LOCALE / "es").glob("*.po")]
    known = {message.id for one in catalogues for message in one if message.string}
    assert words <= known


def test_one_that_was_kept_before_it_had_a_msgid_stays_as_it_was() -> None:
    old = Check("stop", "allergy", "Recorded allergy to penicillin.", "the record")
    assert (finding.said(old, "es"), finding.source(old, "es")) == (old.text, old.source)
