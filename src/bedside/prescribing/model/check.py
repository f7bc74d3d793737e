"""The check at the moment of signing: allergy by ingredient and class, same ingredient twice, interactions.

It never says "safe". A finding is 'stop' (an override needs a reason), 'caution', or 'not-checked' with what was not
and why. The tables are interactions.toml beside this file; hazards H12, H22, H23 in docs/hazards.md.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from bedside.fhir.allergies import denies
from bedside.prescribing.model.formulary import Medicine, classes_of, fold, recognise

Level = Literal["stop", "caution", "not-checked"]


class Check(msgspec.Struct, frozen=True):
    """One finding. about: allergy, duplicate, interaction or dose. source: the document and section."""

    level: Level
    about: str
    text: str
    source: str

    @property
    def key(self) -> str:
        """Names the finding, so that a reason given for one is not taken for another."""
        return f"{self.about}:{self.text}"


class Current(msgspec.Struct, frozen=True):
    """A medicine or an allergy that the record holds: its text and its codes (of any system).

    category: of an allergy, FHIR's food, medication, environment, biologic; empty where not said.
    """

    text: str
    codes: frozenset[str] = frozenset()
    category: str = ""


class _AllergyClass(msgspec.Struct, frozen=True):
    name: str
    ingredients: tuple[str, ...]
    codes: tuple[str, ...]
    words: tuple[str, ...]
    caution: tuple[str, ...]
    source: str


class _Interaction(msgspec.Struct, frozen=True):
    between: tuple[str, str]
    severity: Literal["contraindicated", "serious", "moderate"]
    effect: str
    source: str


class _Tables(msgspec.Struct):
    version: str
    severities: list[str]
    allergy_class: list[_AllergyClass]
    interaction: list[_Interaction]


@cache
def _tables() -> _Tables:
    text = resources.files(__package__).joinpath("interactions.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Tables)


UNRELATED = ("food", "environment")


def check(new: Medicine, current: Sequence[Current], allergies: Sequence[Current]) -> list[Check]:
    """What the tables say about giving new beside current to somebody with allergies, worst first."""
    found = [*_allergies(new, allergies), *_duplicates(new, current), *_interactions(new, current)]
    found += _blind_spots(new)
    order: dict[str, int] = {"stop": 0, "caution": 1, "not-checked": 2}
    return sorted(found, key=lambda c: order[c.level])


def _allergies(new: Medicine, allergies: Sequence[Current]) -> Iterator[Check]:
    denied = [denies(allergy.codes) for allergy in allergies]
    if not allergies or not set(denied) - {"environment", "food"}:
        # To have asked about food says nothing of medicines.
        text = "No allergies to medicines are recorded: nobody has said that there are none."
        yield Check("not-checked", "allergy", text, "the record")
    for allergy in allergies:
        if denies(allergy.codes):
            continue
        known = recognise(allergy.text, allergy.codes)
        hits = [c for c in _tables().allergy_class if _names(c, allergy)]
        for ingredient in set(new.ingredients) & set(known):
            yield Check("stop", "allergy", f"Recorded allergy to {ingredient}.", "the record")
        for group in hits:
            if group.name in new.classes or set(group.ingredients) & set(new.ingredients):
                yield Check("stop", "allergy", f"Recorded allergy to {group.name}: {new.name} is one.", group.source)
            elif set(group.caution) & set(new.classes):
                shared = ", ".join(sorted(set(group.caution) & set(new.classes)))
                text = f"Recorded allergy to {group.name}: {shared} can cross-react."
                yield Check("caution", "allergy", text, group.source)
        if not hits and not known and allergy.category not in UNRELATED:
            text = f"Allergy “{allergy.text}” is not in the table."
            yield Check("not-checked", "allergy", text, f"allergy table {_tables().version}")


def _names(group: _AllergyClass, allergy: Current) -> bool:
    folded = fold(allergy.text)
    return bool(allergy.codes & set(group.codes)) or any(word in folded for word in group.words)


def _duplicates(new: Medicine, current: Sequence[Current]) -> Iterator[Check]:
    for taken in current:
        same = sorted(set(recognise(taken.text, taken.codes)) & set(new.ingredients))
        if same:
            yield Check("stop", "duplicate", f"{same[0].capitalize()} is already taken: {taken.text}.", "the record")


def _interactions(new: Medicine, current: Sequence[Current]) -> Iterator[Check]:
    mine = {*new.ingredients, *new.classes}
    for taken in current:
        ingredients = recognise(taken.text, taken.codes)
        if not ingredients:
            text = f"“{taken.text}” is not in the formulary: its interactions are not known here."
            yield Check("not-checked", "interaction", text, f"formulary and interaction table {_tables().version}")
        theirs = {*ingredients, *(c for i in ingredients for c in classes_of(i))}
        for pair in _tables().interaction:
            one, other = pair.between
            if (one in mine and other in theirs) or (other in mine and one in theirs):
                level: Level = "caution" if pair.severity == "moderate" else "stop"
                yield Check(level, "interaction", f"With {taken.text}: {pair.severity}. {pair.effect}", pair.source)


def _blind_spots(new: Medicine) -> Iterator[Check]:
    text = "Dose for age, weight, kidney and liver function, pregnancy and breastfeeding."
    yield Check("not-checked", "dose", text, "no table for it ships yet")
    pairs = len(_tables().interaction)
    text = f"Interactions outside the shipped table of {pairs} pairs."
    yield Check("not-checked", "interaction", text, f"interaction table {_tables().version}")
    if not classes_of(new.ingredients[0]):
        yield Check("not-checked", "interaction", f"{new.name} has no class in the table.", "formulary")
