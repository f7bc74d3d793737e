"""The handbook as a folder of pages that open from a file: for the day on which nothing runs.

The chapters, the frame's words and the look are those of /help; only the addresses are others, each relative to its
page, so that the folder may lie anywhere. Nothing in it is a script, and nothing asks a network for anything.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

import bedside
from bedside.foundation.context import NOBODY
from bedside.web.kit.assets import STATIC, asset
from bedside.web.kit.book import BOOK, book
from bedside.web.kit.clinic import Clinic
from bedside.web.kit.handbook import PARTS, titles
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import Page, text_for

FIRST = "index.html"
LOOKS = ("patient", "staff", "handbook")
WORST = (
    "nurse/downtime",
    "administrator/does-not-start",
    "administrator/disk-full",
    "administrator/backup",
    "administrator/downtime-copies",
)
"""What is looked for while nothing runs: it stands first in the contents."""
POLICY = (
    "script-src 'none'; connect-src 'none'; object-src 'none'; frame-src 'none'; form-action 'none'; base-uri 'none'"
)
"""Says nothing of styles and pictures: browsers do not agree on what 'self' is where a page is a file."""
ADDRESS = re.compile(r'\b(href|src)="(/[^"]*)"')
FONT = re.compile(r"url\(/static/(asset/[^)]+\.woff2)\)")


def stamp(main: str, clinic: Clinic) -> str:
    """What a folder is made of: where it says the same, writing it again would change nothing."""
    told = msgspec.json.encode((bedside.__version__, main, clinic, [asset(f"kit/css/{look}.css") for look in LOOKS]))
    return sha256((BOOK / "book.json").read_bytes() + told).hexdigest()


def files(main: str, clinic: Clinic) -> Iterator[tuple[str, bytes]]:
    """Every file of the folder: its path in it, with slashes, and what it holds. main: the language of index.html.

    Raises RuntimeError where the handbook or the front end was never built.
    """
    for look in LOOKS:
        yield f"look/{look}.css", _look(look).encode()
    for path in sorted((BOOK / "pictures").glob("*.webp")):
        yield f"pictures/{path.name}", path.read_bytes()
    for language in LANGUAGES:
        yield _home(main, language), _contents(main, language, clinic).encode()
        for place in book().chapters:
            yield _at(language, place), _chapter(main, language, clinic, place).encode()


def _home(main: str, language: str) -> str:
    return FIRST if language == main else f"{language}/{FIRST}"


def _at(language: str, place: str) -> str:
    return f"{language}/{place}.html"


def _look(look: str) -> str:
    """A style sheet that holds its fonts: browsers refuse a page that is a file the fonts beside it."""
    css = (STATIC / asset(f"kit/css/{look}.css").removeprefix("/static/")).read_text()
    return FONT.sub(lambda found: f"url(data:font/woff2;base64,{_base64(STATIC / found[1])})", css)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _contents(main: str, language: str, clinic: Clinic) -> str:
    here = _home(main, language)
    return _page(here, main, language, clinic, "contents", parts=book().parts, worst=WORST, place=None)


def _chapter(main: str, language: str, clinic: Clinic, place: str) -> str:
    here = _at(language, place)
    read, spoken = titles(language)[place][2], titles(language)[place][1]
    part = place.partition("/")[0]
    # Built from our own sources, in which HTML is off.
    text = Markup(_moved(read.html, here, main, language))  # noqa: S704
    siblings = next(one for one in book().parts if one.key == part).chapters
    return _page(
        here,
        main,
        language,
        clinic,
        "chapter",
        place=place,
        part=part,
        chapter=read,
        spoken=spoken,
        text=text,
        siblings=siblings,
    )


def _moved(html: str, here: str, main: str, language: str) -> str:
    """The same with the server's addresses as files of the folder. Another address of a server leads nowhere now."""

    def goal(found: re.Match[str]) -> str:
        path, _, anchor = found[2].partition("#")
        inside = path.removeprefix("/help/")
        if inside == path:
            return f'{found[1]}="{_way(here, _home(main, language))}"' if path == "/help" else ""
        file = inside if inside.startswith("pictures/") else _at(language, inside)
        return f'{found[1]}="{_way(here, file)}{"#" + anchor if anchor else ""}"'

    return ADDRESS.sub(goal, html)


def _way(here: str, goal: str) -> str:
    """From one file of the folder to another."""
    return posixpath.relpath(goal, posixpath.dirname(here) or ".")


def _page(here: str, main: str, language: str, clinic: Clinic, kind: str, place: str | None, **data: object) -> str:
    others = {
        code: _way(here, _at(code, place) if place else _home(main, code)) for code in LANGUAGES if code != language
    }
    page = Page(
        language=language, zone=ZoneInfo("UTC"), clinic=clinic, actor=NOBODY, now=datetime.now(UTC), path=f"/{here}"
    )
    return text_for(
        page,
        f"kit/pages/folder_{kind}.html",
        place=place,
        others=others,
        policy=POLICY,
        version=bedside.__version__,
        words=PARTS,
        titles=titles(language),
        home=_way(here, _home(main, language)),
        to_look=lambda look: _way(here, f"look/{look}.css"),
        to_chapter=lambda place: _way(here, _at(language, place)),
        **data,
    )
