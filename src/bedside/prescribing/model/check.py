"""The check at the moment of signing: allergy by ingredient and class, same ingredient twice, interactions.

It never says "safe". A finding is 'stop' (an override needs a reason), 'caution', or 'not-checked' with what was not
and why. The tables are interactions.toml beside this file; hazards H12, H22, H23 in docs/hazards.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal

import msgspec

from bedside.fhir.allergies import denies
from bedside.foundation.errors import N_
from bedside.foundation.tables import table_of
from bedside.prescribing.model.formulary import Medicine, classes_of, fold, recognise

Level = Literal["stop", "caution", "not-checked"]


class Check(msgspec.Struct, frozen=True):
    """One finding. about: allergy, duplicate, interaction or dose. source: the document and section.

    text and source are English, as the record keeps them; says and origin are their msgids and values what stands in
    them, so that a page can say both in the reader's language. Older findings have no msgids.
    """

    level: Level
    about: str
    text: str
    source: str
    says: str = ""
    origin: str = ""
    values: dict[str, str | int] = {}

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
    return table_of(__package__, "interactions.toml", _Tables)


UNRELATED = ("food", "environment")
THE_RECORD = N_("the record")


def _found(level: Level, about: str, says: str, origin: str, **values: str | int) -> Check:
    """A finding by its msgids: where it is shown a page translates them, and the words among the values."""
    text, source = (msgid % values if "%(" in msgid else msgid for msgid in (says, origin))
    return Check(level, about, text, source, says, origin, values)


def check(
    new: Medicine, current: Sequence[Current], allergies: Sequence[Current], *, joined: bool = False
) -> list[Check]:
    """What the tables say about giving new beside current to somebody with allergies, worst first.

    joined: whether the person has another record, whose allergies and medicines are not among these.
    """
    found = [*_allergies(new, allergies), *_duplicates(new, current), *_interactions(new, current)]
    found += _blind_spots(new)
    if joined:
        says = N_("This person has another record: allergies and medicines there are not looked at.")
        found.append(_found("not-checked", "allergy", says, THE_RECORD))
    order: dict[str, int] = {"stop": 0, "caution": 1, "not-checked": 2}
    return sorted(found, key=lambda c: order[c.level])


def _allergies(new: Medicine, allergies: Sequence[Current]) -> Iterator[Check]:
    denied = [denies(allergy.codes) for allergy in allergies]
    if not allergies or not set(denied) - {"environment", "food"}:
        # To have asked about food says nothing of medicines.
        says = N_("No allergies to medicines are recorded: nobody has said that there are none.")
        yield _found("not-checked", "allergy", says, THE_RECORD)
    for allergy in allergies:
        if denies(allergy.codes):
            continue
        known = recognise(allergy.text, allergy.codes)
        hits = [c for c in _tables().allergy_class if _names(c, allergy)]
        for ingredient in sorted(set(new.ingredients) & set(known)):
            says = N_("Recorded allergy to %(ingredient)s.")
            yield _found("stop", "allergy", says, THE_RECORD, ingredient=ingredient)
        for group in hits:
            if group.name in new.classes or set(group.ingredients) & set(new.ingredients):
                says = N_("Recorded allergy to %(group)s: %(medicine)s is one.")
                yield _found("stop", "allergy", says, group.source, group=group.name, medicine=new.name)
                continue
            for shared in sorted(set(group.caution) & set(new.classes)):
                says = N_("Recorded allergy to %(group)s: %(shared)s can cross-react.")
                yield _found("caution", "allergy", says, group.source, group=group.name, shared=shared)
        if not hits and not known and allergy.category not in UNRELATED:
            says, origin = N_("Allergy “%(allergy)s” is not in the table."), N_("allergy table %(version)s")
            yield _found("not-checked", "allergy", says, origin, allergy=allergy.text, version=_tables().version)


def _names(group: _AllergyClass, allergy: Current) -> bool:
    folded = fold(allergy.text)
    return bool(allergy.codes & set(group.codes)) or any(word in folded for word in group.words)


def _duplicates(new: Medicine, current: Sequence[Current]) -> Iterator[Check]:
    for taken in current:
        same = sorted(set(recognise(taken.text, taken.codes)) & set(new.ingredients))
        if same:
            says = N_("Already taken: %(ingredient)s, as %(taken)s.")
            yield _found("stop", "duplicate", says, THE_RECORD, ingredient=same[0], taken=taken.text)


def _interactions(new: Medicine, current: Sequence[Current]) -> Iterator[Check]:
    mine = {*new.ingredients, *new.classes}
    version = _tables().version
    for taken in current:
        ingredients = recognise(taken.text, taken.codes)
        if not ingredients:
            says = N_("“%(taken)s” is not in the formulary: its interactions are not known here.")
            origin = N_("formulary and interaction table %(version)s")
            yield _found("not-checked", "interaction", says, origin, taken=taken.text, version=version)
        theirs = {*ingredients, *(c for i in ingredients for c in classes_of(i))}
        for pair in _tables().interaction:
            one, other = pair.between
            if (one in mine and other in theirs) or (other in mine and one in theirs):
                level: Level = "caution" if pair.severity == "moderate" else "stop"
                words = {"taken": taken.text, "severity": pair.severity, "effect": pair.effect}
                says = N_("With %(taken)s: %(severity)s. %(effect)s")
                yield _found(level, "interaction", says, pair.source, **words)


def _blind_spots(new: Medicine) -> Iterator[Check]:
    says = N_("Dose for age, weight, kidney and liver function, pregnancy and breastfeeding.")
    yield _found("not-checked", "dose", says, N_("no table for it ships yet"))
    pairs, version = len(_tables().interaction), _tables().version
    says, origin = N_("Interactions outside the shipped table of %(pairs)s pairs."), N_("interaction table %(version)s")
    yield _found("not-checked", "interaction", says, origin, pairs=pairs, version=version)
    if not classes_of(new.ingredients[0]):
        says = N_("%(medicine)s has no class in the table.")
        yield _found("not-checked", "interaction", says, N_("formulary"), medicine=new.name)
