"""The formulary that ships, and search in it. The table is formulary.toml beside this file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache

import msgspec

from bedside.foundation.errors import NotFound
from bedside.foundation.tables import table_of


class Medicine(msgspec.Struct, frozen=True):
    """One line of the formulary. schedule: US Controlled Substances Act schedule, where it is controlled."""

    id: str
    name: str
    ingredients: tuple[str, ...]
    classes: tuple[str, ...]
    form: str
    routes: tuple[str, ...]
    rxnorm: str | None = None
    schedule: str | None = None


class _Table(msgspec.Struct):
    version: str
    medicine: list[Medicine]


@cache
def _table() -> _Table:
    return table_of(__package__, "formulary.toml", _Table)


def version() -> str:
    """The date of the formulary's edition."""
    return _table().version


def fold(text: str) -> str:
    """Lower case without accents, for comparing words."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def medicine(key: str) -> Medicine:
    """The medicine with this id. Raises NotFound."""
    for found in _table().medicine:
        if found.id == key:
            return found
    raise NotFound("This medicine is not in the formulary.", where="medicine")


def find(text: str, limit: int = 12, said: Callable[[str], str] = str) -> list[Medicine]:
    """Medicines whose name, ingredient or class has every word of text; names that begin with it first.

    said: an ingredient or a class as the searcher's language calls it, which finds it too.
    """
    words = fold(text).split()
    if not words:
        return []

    def names(m: Medicine) -> str:
        called = (*m.ingredients, *m.classes)
        return fold(" ".join((m.name, *called, *map(said, called))))

    found = [m for m in _table().medicine if all(w in names(m) for w in words)]
    return sorted(found, key=lambda m: (not fold(m.name).startswith(words[0]), m.name))[:limit]


def recognise(text: str, codes: frozenset[str]) -> tuple[str, ...]:
    """Ingredients that the formulary knows in a medicine named elsewhere: by RxNorm code, else by a whole word."""
    for known in _table().medicine:
        if known.rxnorm and known.rxnorm in codes:
            return known.ingredients
    folded = fold(text)
    words = set("".join(c if c.isalnum() else " " for c in folded).split())
    names = {i for m in _table().medicine for i in m.ingredients}
    return tuple(sorted(i for i in names if (i in words if " " not in i else i in folded)))


@cache
def substances() -> tuple[str, ...]:
    """Every ingredient and class that the formulary names, in English: msgids of the catalogue."""
    return tuple(sorted({one for m in _table().medicine for one in (*m.ingredients, *m.classes)}))


def named(text: str, said: Callable[[str], str]) -> str:
    """A text with the English name of the substance that it names in its writer's language beside it, by which it is
    recognised; said: a substance as that language calls it. Text that names none stays as it is."""
    folded = f" {' '.join(''.join(c if c.isalnum() else ' ' for c in fold(text)).split())} "
    for one in sorted(substances(), key=len, reverse=True):
        if fold(one) in folded:
            return text
        if f" {' '.join(fold(said(one)).split())} " in folded:
            return f"{text} ({one})"
    return text


def classes_of(ingredient: str) -> frozenset[str]:
    """Every class that a medicine with this ingredient belongs to."""
    return frozenset(c for m in _table().medicine if ingredient in m.ingredients for c in m.classes)
