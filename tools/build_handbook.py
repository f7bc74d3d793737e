"""Builds the handbook: docs/handbook and the documents that it takes in, into src/bedside/web/kit/book.

    python -m tools.build_handbook

Markdown becomes HTML here, at set-up, so that the running program only reads. What would mislead a reader stops the
build, with file and line: a heading that no page could name, a link to a chapter or heading that does not exist.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape, unescape
from pathlib import Path, PurePosixPath
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tools.steps import ROOT, say

DOCS = ROOT / "docs"
SOURCES = DOCS / "handbook"
PICTURES = SOURCES / "pictures"
OUT = ROOT / "src" / "bedside" / "web" / "kit" / "book"
NAMED = re.compile(r"\s*\{#([a-z0-9-]+)\}\s*$")
THEMES = ("light", "dark")
CAPTIONS = {
    "en": ("Picture: this is how the page looks", ""),
    "es": ("Imagen: así se ve la página", "Imagen: así se ve la página, aquí en inglés"),
}
"""What stands above a picture, so that nobody presses what is drawn on it:
of a page in the chapter's language, and of one that was taken in English alone."""


class Broken(Exception):
    """A chapter that must not be shipped; the message says where and why."""


@dataclass
class Chapter:
    """One chapter in one language. place: "nurse/alarms"; own: whether it was written for the handbook, so that its
    headings must be named."""

    place: str
    language: str
    source: Path
    own: bool
    title: str = ""
    html: str = ""
    sections: list[dict[str, str]] = field(default_factory=list)
    links: list[tuple[int, str]] = field(default_factory=list)
    pictures: list[str] = field(default_factory=list)


def contents() -> list[dict[str, Any]]:
    """The parts in their order, from book.toml."""
    return list(tomllib.loads((SOURCES / "book.toml").read_text())["part"])


def chapters(parts: list[dict[str, Any]]) -> list[Chapter]:
    """Every chapter in every language that its part has, not read yet. Raises Broken for a file that is in no part."""
    found = []
    for part in parts:
        for key in part["chapters"]:
            place = f"{part['key']}/{key}"
            taken = part.get("taken", {}).get(key)
            if taken:
                found.append(Chapter(place, "en", DOCS / taken, own=False))
                continue
            for language in part["languages"]:
                ending = ".md" if language == "en" else f".{language}.md"
                found.append(Chapter(place, language, SOURCES / part["key"] / (key + ending), own=True))
    known = {chapter.source for chapter in found}
    for path in SOURCES.glob("*/*.md"):
        if path not in known:
            raise Broken(f"{path.relative_to(ROOT)} is in no part of book.toml: nobody would find it")
    return found


def read(chapter: Chapter, places: dict[Path, str], shapes: dict[str, Any]) -> None:
    """Fill in the chapter's title, HTML and sections. places: which chapter a source file became."""
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
    name = chapter.source.relative_to(ROOT)
    if not chapter.source.is_file():
        raise Broken(f"{name} is in book.toml and is not there")
    tokens = markdown.parse(chapter.source.read_text())
    heading: dict[str, str] | None = None
    for at, token in enumerate(tokens):
        line = (token.map or [0])[0] + 1
        if token.type == "heading_open":
            words = tokens[at + 1]
            where = _named(words)
            said = _text(words)
            if token.tag == "h1":
                if chapter.title:
                    raise Broken(f"{name}:{line}: a second title")
                chapter.title = said
                heading = {"id": "", "title": said, "level": "1", "text": ""}
            else:
                if not where and chapter.own and token.tag == "h2":
                    raise Broken(f"{name}:{line}: a heading without a name: write “## {said} {{#name}}”")
                where = where or _slug(said, {one["id"] for one in chapter.sections})
                token.attrSet("id", where)
                heading = {"id": where, "title": said, "level": token.tag[1], "text": ""}
            chapter.sections.append(heading)
        elif token.type == "inline":
            _inside(chapter, token, line, places, shapes, markdown)
            if heading is not None and tokens[at - 1].type != "heading_open":
                heading["text"] += f" {_text(token)}"
        elif token.type in {"fence", "code_block"} and heading is not None:
            heading["text"] += f" {token.content}"
    if not chapter.title:
        raise Broken(f"{name}: no title: begin with “# …”")
    begins = next(at for at, token in enumerate(tokens) if token.type == "heading_close") + 1
    html = markdown.renderer.render(tokens[begins:], markdown.options, {})
    html = re.sub(r"<p>(<figure.*?</figure>)</p>", r"\1", html, flags=re.DOTALL)
    # What is wider than a screen is moved by itself, by the keyboard too.
    html = html.replace("<pre>", '<pre tabindex="0">')
    roll = '<div class="table-scroll" tabindex="0" role="group" aria-label="{}"><table class="table">'
    html = html.replace("<table>", roll.format({"es": "Tabla"}.get(chapter.language, "Table")))
    chapter.html = html.replace("</table>", "</table></div>")
    for one in chapter.sections:
        one["text"] = re.sub(r"\s+", " ", one["text"]).strip()


def _named(words: Token) -> str | None:
    """The name that a heading gives itself by {#…}, taken off its words."""
    last = words.children[-1] if words.children else None
    found = NAMED.search(last.content) if last is not None and last.type == "text" else None
    if found and last is not None:
        last.content = last.content[: found.start()]
        words.content = NAMED.sub("", words.content)
    return found.group(1) if found else None


def _text(token: Token) -> str:
    said = [child for child in token.children or [] if child.type != "html_inline"]
    return "".join(" " if child.type.endswith("break") else child.content for child in said).strip()


def _slug(said: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", said.lower()).strip("-") or "part"
    return next(one for one in (plain, *(f"{plain}-{n}" for n in range(2, 99))) if one not in taken)


def _inside(
    chapter: Chapter, token: Token, line: int, places: dict[Path, str], shapes: dict[str, Any], markdown: MarkdownIt
) -> None:
    """Links and pictures of one run of words."""
    out: list[Token] = []
    dead: list[str] = []
    for child in token.children or []:
        if child.type == "link_open":
            goal = _goal(chapter, str(child.attrs["href"]), places)
            dead.append("" if goal else str(child.attrs["href"]))
            if goal:
                chapter.links.append((line, goal))
                child.attrs["href"] = goal
                if goal.startswith("https:"):
                    child.attrs["rel"] = "noreferrer"
                out.append(child)
        elif child.type == "link_close":
            missing = dead.pop()
            if missing:  # in the source, and not in the handbook: said, not linked
                path = PurePosixPath(missing.partition("#")[0]).name
                out.append(_raw(f" (<code>{escape(path)}</code>)"))
            else:
                out.append(child)
        elif child.type == "image":
            out.append(_raw(_figure(chapter, child, line, shapes, markdown)))
        else:
            out.append(child)
    token.children = out


def _raw(html: str) -> Token:
    made = Token("html_inline", "", 0)
    made.content = html
    return made


def _goal(chapter: Chapter, href: str, places: dict[Path, str]) -> str | None:
    """Where a link leads in the running program; None when it leads to a file that is no chapter."""
    if href.startswith(("https:", "/", "#")):
        return href
    file, _, anchor = href.partition("#")
    place = places.get((chapter.source.parent / file).resolve())
    return f"/help/{place}{'#' + anchor if anchor else ''}" if place else None


def _figure(chapter: Chapter, image: Token, line: int, shapes: dict[str, Any], markdown: MarkdownIt) -> str:
    """A picture in light and dark. Where it was not taken yet, what it would show stands in words."""
    said = "".join(child.content for child in image.children or [])
    name = str(image.attrs["src"]).removeprefix("picture:")
    if not said:
        raise Broken(f"{chapter.source.relative_to(ROOT)}:{line}: a picture without words for who cannot see it")
    caption = CAPTIONS[chapter.language][0]
    if chapter.language != "en":
        if f"{name}-{chapter.language}-light.webp" in shapes:
            name = f"{name}-{chapter.language}"
        else:
            caption = CAPTIONS[chapter.language][1]
    chapter.pictures.append(name)
    tags = []
    for theme in THEMES:
        shape = shapes.get(f"{name}-{theme}.webp")
        if shape is None:
            say(f"No picture {name}-{theme}.webp yet: `make handbook` takes it")
            return ""
        tags.append(
            f'<img class="in-{theme}" src="/help/pictures/{stored(f"{name}-{theme}.webp")}" loading="lazy" '
            f'width="{shape["width"]}" height="{shape["height"]}" alt="{escape(unescape(said))}">'
        )
    return f'<figure class="shot"><figcaption>{caption}</figcaption>{"".join(tags)}</figure>'


def stored(name: str) -> str:
    """A picture's name with a hash, so that browsers may keep it: another picture has another name."""
    path = PICTURES / name
    return f"{path.stem}.{sha256(path.read_bytes()).hexdigest()[:10]}{path.suffix}"


def check_links(found: list[Chapter]) -> None:
    """Every link within the handbook leads to a heading. Raises Broken with all that do not."""
    anchors = {(one.place, one.language): {section["id"] for section in one.sections} for one in found}
    wrong = []
    for one in found:
        for line, goal in one.links:
            if goal.startswith("#"):
                place, anchor = one.place, goal[1:]
            elif goal.startswith("/help/"):
                place, _, anchor = goal.removeprefix("/help/").partition("#")
            else:
                continue
            there = anchors.get((place, one.language)) or anchors.get((place, "en"))
            if there is None or (anchor and anchor not in there):
                wrong.append(f"{one.source.relative_to(ROOT)}:{line}: no {goal}")
    if wrong:
        raise Broken("\n".join(wrong))


def built() -> tuple[list[dict[str, Any]], list[Chapter]]:
    """The parts and all chapters, read and checked."""
    parts = contents()
    found = chapters(parts)
    places = {one.source.resolve(): one.place for one in found}
    kept = PICTURES / "pictures.json"
    shapes = json.loads(kept.read_text())["shapes"] if kept.is_file() else {}
    for one in found:
        read(one, places, shapes)
    check_links(found)
    return parts, found


def main() -> int:
    """Write book.json and the pictures beside it."""
    try:
        parts, found = built()
    except Broken as error:
        say(f"The handbook is broken:\n{error}")
        return 1
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "pictures").mkdir(parents=True)
    for path in PICTURES.glob("*.webp"):
        shutil.copyfile(path, OUT / "pictures" / stored(path.name))
    pages: dict[str, dict[str, Any]] = {}
    for one in found:
        pages.setdefault(one.place, {})[one.language] = {
            "title": one.title,
            "html": one.html,
            "sections": one.sections,
        }
    order = [{"key": part["key"], "chapters": part["chapters"]} for part in parts]
    (OUT / "book.json").write_text(json.dumps({"parts": order, "chapters": pages}, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
