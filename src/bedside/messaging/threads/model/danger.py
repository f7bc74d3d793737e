"""Words of danger: what makes the page stop before a message is sent. Rows of danger.toml. Pure. Hazard H125."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import msgspec

from bedside.foundation.tables import table_of


class _Row(msgspec.Struct):
    sign: str
    source: str
    checked: str
    words: dict[str, list[str]]


class _Table(msgspec.Struct):
    version: str
    row: list[_Row]


@cache
def table() -> _Table:
    """The rows as they stand."""
    return table_of(__package__, "danger.toml", _Table)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    found = []
    for row in table().row:
        phrases = sorted({plain(one) for words in row.words.values() for one in words})
        # An asterisk ends a stem: "suicid*". Words of a phrase may stand a little apart: "pain in my chest".
        each = "|".join(re.escape(one).replace(r"\*", r"\w*").replace(r"\ ", r"(?: \w+){0,2} ") for one in phrases)
        found.append((row.sign, re.compile(rf"(?<!\w)(?:{each})(?!\w)")))
    return tuple(found)


def plain(text: str) -> str:
    """As it is compared: no case, no accents, no apostrophes, one space where anything else stood."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^\w*]+", " ", re.sub(r"['’`´]", "", bare)).strip()


def signs(text: str) -> tuple[str, ...]:
    """The signs of danger that a text names, in any language of the table, in its order.

    "No chest pain" is one too: who means none sends all the same; who is not understood rings.
    """
    said = plain(text.replace("*", " "))
    return tuple(sign for sign, pattern in _patterns() if pattern.search(said))
