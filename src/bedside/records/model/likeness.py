"""How alike two Patients are: weights of likeness.toml, a score, a grade. Pure."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Literal, NamedTuple

from bedside.fhir.texts import spellings
from bedside.foundation.tables import table_of

Grade = Literal["certain", "probable", "possible", "certainly-not"]
ALIKE = 0.84
"""Of difflib's ratio, from which two names count as near: one letter in six, about."""


class Likeness(NamedTuple):
    """score: 0 to 1, the chance that both are one person as the weights see it. found: what of each detail."""

    score: float
    grade: Grade
    found: dict[str, str]


@cache
def _table() -> dict[str, Any]:
    return table_of(__package__, "likeness.toml", dict[str, Any])


def likeness(asked: dict[str, Any], other: dict[str, Any]) -> Likeness:
    """Compare. A detail that one of them lacks says nothing."""
    found = {
        "identifier": _identifiers(asked, other),
        "birth": _birth(asked.get("birthDate"), other.get("birthDate")),
        "family": _names(_families(asked), _families(other), parts=True),
        "given": _names(_givens(asked), _givens(other), initials=True),
        "gender": _gender(asked.get("gender"), other.get("gender")),
        "telecom": "same" if _reached(_telecoms(asked), _telecoms(other)) else None,
        "address": _addresses(asked, other),
    }
    known = {name: how for name, how in found.items() if how is not None}
    table = _table()
    weight = table["prior"] + sum(table["weights"][name].get(how, 0) for name, how in known.items())
    return Likeness(round(1 / (1 + 2.0**-weight), 4), _grade(weight, known), known)


def _grade(weight: float, found: dict[str, str]) -> Grade:
    least = _table()["grades"]
    # A name and a birth date alone are shared by people who are not one; a family name may change, all else may not.
    numbered = found.get("identifier") == "same" and "other" not in (found.get("birth"), found.get("given"))
    reached = "same" in (found.get("telecom"), found.get("address"))
    named = "other" not in (found.get("family"), found.get("given"))
    if weight >= least["certain"] and (numbered or (found.get("birth") == "same" and named and reached)):
        return "certain"
    if weight >= least["probable"]:
        return "probable"
    return "possible" if weight >= least["possible"] else "certainly-not"


def usable(patient: dict[str, Any]) -> bool:
    """Whether there is anything to find somebody by."""
    return bool(
        _numbers(patient) or patient.get("birthDate") or _families(patient) or _givens(patient) or _telecoms(patient)
    )


def _numbers(patient: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (str(one.get("system", "")), str(one["value"]).strip())
        for one in patient.get("identifier") or ()
        if one.get("value")
    }


def _identifiers(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    mine, theirs = _numbers(one), _numbers(other)
    if mine & theirs:
        return "same"
    return "other" if {system for system, _ in mine} & {system for system, _ in theirs} - {""} else None


def _birth(one: Any, other: Any) -> str | None:
    if not isinstance(one, str) or not isinstance(other, str):
        return None
    if one == other and len(one) == 10:
        return "same"
    mine, theirs = one.split("-"), other.split("-")
    if len(mine) != len(theirs):
        shared = min(len(mine), len(theirs))
        return "near" if mine[:shared] == theirs[:shared] else "other"
    if one == other:
        return "near"  # a month or a year alone
    swapped = len(mine) == 3 and mine[0] == theirs[0] and mine[1:] == theirs[:0:-1]
    wrong = sum(a != b for a, b in zip(one, other, strict=False)) if len(one) == len(other) else 9
    return "near" if swapped or wrong == 1 else "other"


def _families(patient: dict[str, Any]) -> set[str]:
    families = (str(one["family"]) for one in patient.get("name") or () if one.get("family"))
    return {written for one in families for written in spellings(one)}


def _givens(patient: dict[str, Any]) -> set[str]:
    givens = (str(name) for one in patient.get("name") or () for name in (one.get("given") or ())[:1] if name)
    return {written for one in givens for written in spellings(one)}


def _names(mine: set[str], theirs: set[str], *, initials: bool = False, parts: bool = False) -> str | None:
    """parts: whether a part of a name is near to all of it: of two family names people often say one."""
    if not mine or not theirs:
        return None
    if mine & theirs:
        return "same"
    pairs = [(a, b) for a in mine for b in theirs]
    if any(SequenceMatcher(None, a, b).ratio() >= ALIKE for a, b in pairs):
        return "near"
    if parts and any(_words(a) <= _words(b) or _words(b) <= _words(a) for a, b in pairs):
        return "near"
    if initials and any(len(min(a, b, key=len).rstrip(".")) == 1 and a[:1] == b[:1] for a, b in pairs):
        return "near"
    return "other"


def _words(name: str) -> set[str]:
    """Of a family name, a letter alone aside; the whole name where nothing is left."""
    return {part for part in re.split(r"[\s-]+", name) if len(part) > 1} or {name}


def _gender(one: Any, other: Any) -> str | None:
    known = {"male", "female", "other"}
    if one not in known or other not in known:
        return None
    return "same" if one == other else "other"


def _telecoms(patient: dict[str, Any]) -> set[str]:
    """Mail addresses, and of telephone numbers the last nine digits without the zeros before them: prefixes are written
    in many ways."""
    found = set()
    for one in patient.get("telecom") or ():
        value = str(one.get("value", "")).strip().lower()
        digits = "".join(c for c in value if c.isdigit())
        if "@" in value:
            found.add(value)
        elif len(digits) >= 7:
            found.add(digits.lstrip("0")[-9:])
    return found


def _reached(mine: set[str], theirs: set[str]) -> bool:
    """Whether they share one; a short number with its country's before it ends as it does without."""
    if mine & theirs:
        return True
    numbers = [(a, b) for a in mine for b in theirs if a.isdigit() and b.isdigit() and min(len(a), len(b)) >= 7]
    return any(a.endswith(b) or b.endswith(a) for a, b in numbers)


def _addresses(one: dict[str, Any], other: dict[str, Any]) -> str | None:
    if not one.get("address") or not other.get("address"):
        return None
    if _places(one, "line") & _places(other, "line"):
        return "same"
    near = _places(one, "postalCode") & _places(other, "postalCode") or _places(one, "city") & _places(other, "city")
    return "near" if near else None


def _places(patient: dict[str, Any], name: str) -> set[str]:
    def texts() -> Iterable[Any]:
        for address in patient.get("address") or ():
            value = address.get(name)
            yield from value if isinstance(value, list) else [value] if value else []

    return {written for one in texts() if one is not None for written in spellings(str(one))}
