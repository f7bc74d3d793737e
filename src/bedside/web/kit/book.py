"""The handbook as tools/build_handbook.py made it: its parts, chapters and sections, and finding in them."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

import msgspec

BOOK = Path(__file__).parent / "book"
NOT_BUILT = "the handbook is not built: run `python -m tools.build_handbook` (make setup does)"


class Section(msgspec.Struct, frozen=True):
    """A heading and the plain words below it. id: "" for what stands before the first heading."""

    id: str
    title: str
    level: str
    text: str


class Chapter(msgspec.Struct, frozen=True):
    """A chapter in one language. html: ours, made at build time from a source without HTML."""

    title: str
    html: str
    sections: tuple[Section, ...]


class Part(msgspec.Struct, frozen=True):
    """Whom the chapters are for, and their order."""

    key: str
    chapters: tuple[str, ...]


class Book(msgspec.Struct, frozen=True):
    """chapters: "nurse/alarms" and then by language; English is always there."""

    parts: tuple[Part, ...]
    chapters: dict[str, dict[str, Chapter]]

    def chapter(self, place: str, language: str) -> tuple[Chapter, str] | None:
        """In the reader's language where it is written in it, else in English; and which of both it is."""
        written = self.chapters.get(place)
        if written is None:
            return None
        return (written[language], language) if language in written else (written["en"], "en")


class Found(msgspec.Struct, frozen=True):
    """A section that says all the words. place: its chapter."""

    place: str
    language: str
    chapter: str
    section: Section
    says: str


@cache
def book() -> Book:
    """Read once a process. Raises RuntimeError when it was never built."""
    try:
        return msgspec.json.decode((BOOK / "book.json").read_bytes(), type=Book)
    except FileNotFoundError:
        raise RuntimeError(NOT_BUILT) from None


MOST = 20
AROUND = 80
"""Characters shown on each side of the first word."""


def find(asked: str, language: str) -> list[Found]:
    """The sections that say every word asked for, accents and case aside; those whose heading does so first."""
    words = folded(asked).split()
    if not words:
        return []
    hits: list[tuple[int, int, Found]] = []
    for part in book().parts:
        for key in part.chapters:
            place = f"{part.key}/{key}"
            chapter, spoken = book().chapters[place].get(language), language
            if chapter is None:
                chapter, spoken = book().chapters[place]["en"], "en"
            for section in chapter.sections:
                title, text = folded(section.title), folded(section.text)
                if all(word in title or word in text for word in words):
                    missed = sum(word not in title for word in words)
                    found = Found(place, spoken, chapter.title, section, _said(section.text, text, words))
                    hits.append((missed, len(hits), found))
    return [found for _, _, found in sorted(hits, key=lambda hit: hit[:2])[:MOST]]


def folded(text: str) -> str:
    """Small letters without accents, one character for each character, so that places agree."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text).lower()


def _said(text: str, plain: str, words: list[str]) -> str:
    """The piece of the text around the first of the words that it holds."""
    at = min((plain.find(word) for word in words if word in plain), default=0)
    begin, end = max(0, at - AROUND), at + AROUND
    if begin:
        begin = text.find(" ", begin) + 1
    if end < len(text):
        end = text.rfind(" ", begin, end)
    return ("… " if begin else "") + text[begin:end] + (" …" if end < len(text) else "")
