"""The handbook tells of the program as it is: every page has its chapter, every button that a chapter names is on some
page, every address and every command that it names exists."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jinja2 import Environment, nodes
from starlette.applications import Starlette
from starlette.routing import Match, Route
from tests.journeys.pictures import LARGEST, PICTURES
from tools import build_handbook
from tools.build_handbook import Chapter, built
from tools.messages import LOCALE, load
from typer.main import get_command

from bedside.app.rooms import ROUTES
from bedside.cli import cli
from bedside.web.kit.book import find
from bedside.web.kit.page import WEB

pytestmark = pytest.mark.unit

PARTS, CHAPTERS = built()
OWN = [one for one in CHAPTERS if one.own]
NO_CHAPTER = {"kit/pages/kit", "kit/pages/help", "kit/pages/chapter", "kit/pages/find_help"} | {
    "kit/pages/folder_contents",
    "kit/pages/folder_chapter",
}
"""The kit's examples, and the handbook itself."""
NO_PAGE = {
    "/": "leads to one's own first page",
    "/admin/people/template.csv": "a file",
    "/help/pictures/{name}": "a picture",
    "/messages/{key}/files/{binary}": "a file",
    "/patients/found": "a fragment",
    "/patients/{id}/waveforms.json": "a file",
    "/patients/{id}/waveforms.zip": "a file",
    "/wall/patient/{patient}": "a fragment",
}
WORDS = re.compile(r"(?<![\w*])\*\*([^*\n]+)\*\*")
ADDRESS = re.compile(r"`(/[a-z][\w/.{}-]*)`")
COMMAND = re.compile(r"(?:^    |^|`)bedside ([a-z][^`\n#]*)", re.MULTILINE)


def templates() -> Iterator[tuple[str, nodes.Template]]:
    """Every template that is a page, by its name without .html."""
    env = Environment(autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
    for path in sorted(WEB.rglob("*.html")):
        name = path.relative_to(WEB).with_suffix("").as_posix()
        tree = env.parse(path.read_text())
        if not name.startswith("kit/layout/") and list(tree.find_all(nodes.Extends)):
            yield name, tree


def helps(tree: nodes.Template) -> list[str]:
    """The chapters that a template's block help can name."""
    found = []
    for block in tree.find_all(nodes.Block):
        if block.name == "help":
            found += [data.data for data in block.find_all(nodes.TemplateData)]
            found += [str(one.value) for one in block.find_all(nodes.Const) if str(one.value).startswith("/")]
    return found


def anchors() -> dict[str, set[str]]:
    return {one.place: {section["id"] for section in one.sections} for one in CHAPTERS if one.language == "en"}


def test_every_page_leads_to_a_chapter_that_is_there() -> None:
    known, wrong = anchors(), []
    for name, tree in templates():
        if name in NO_CHAPTER:
            continue
        found = helps(tree)
        if not found:
            wrong.append(f"{name}.html: no {{% block help %}}/part/chapter#heading{{% endblock %}}")
        for goal in found:
            place, _, anchor = goal.removeprefix("/").partition("#")
            if place not in known or (anchor and anchor not in known[place]):
                wrong.append(f"{name}.html: the handbook has no {goal}")
    assert wrong == []


def test_every_address_that_a_browser_opens_is_answered_by_such_a_page() -> None:
    """By the templates that its module names: a page made otherwise would have no help."""
    pages = {f"{name}.html" for name, _ in templates()}
    wrong = []
    for route in ROUTES:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()) or route.path in NO_PAGE:
            continue
        module = inspect.getmodule(route.endpoint)
        if module is None or not module.__name__.startswith("bedside.web."):
            continue
        named = set(re.findall(r'"([\w/]+\.html)"', inspect.getsource(module)))
        if not named & pages:
            wrong.append(f"{route.path}: {module.__name__} names no page")
    assert wrong == []


@pytest.mark.parametrize("chapter", OWN, ids=lambda one: f"{one.place}.{one.language}")
def test_the_words_in_bold_are_words_of_the_pages(chapter: Chapter) -> None:
    said: set[str] = set()
    for path in LOCALE.glob("*/*.po"):
        for message in load(path):
            both = message.id if chapter.language == "en" else message.string
            said.update([both] if isinstance(both, str) else both)
    bold = {words.strip() for words in WORDS.findall(chapter.source.read_text())}
    unknown = {words for words in bold if words not in said and words.rstrip(".") not in said}
    assert unknown == set(), "bold is for words that stand on a page; emphasis is *so*"


@pytest.mark.parametrize("chapter", OWN, ids=lambda one: f"{one.place}.{one.language}")
def test_the_addresses_and_commands_exist(chapter: Chapter) -> None:
    text = chapter.source.read_text()
    wrong = [path for path in ADDRESS.findall(text) if not answered(path)]
    wrong += [command for command in COMMAND.findall(text) if not understood(command)]
    assert wrong == []


def answered(path: str) -> bool:
    """Whether some address of the program is, or begins with, this path."""
    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "root_path": ""}
    return any(route.matches(scope)[0] is Match.FULL for route in ROUTES)


def understood(command: str) -> bool:
    """Whether the command and every option of the line exist."""
    at = get_command(cli)
    words = command.split()
    options: set[str] = set()
    for word in words:
        if hasattr(at, "commands") and word in at.commands:
            at = at.commands[word]
            options.update(option for one in at.params for option in (*one.opts, *one.secondary_opts))
        elif word.startswith("--") and word.partition("=")[0] not in options:
            return False
    return at is not get_command(cli) and bool(options)


def test_a_command_that_is_none_is_seen() -> None:
    assert understood("backup drill --key FILE --home HOME")
    assert not understood("backup drill --nonsense")
    assert not understood("nonsense --home HOME")


def test_each_chapter_says_the_same_in_both_languages() -> None:
    """The same headings, pictures and links in the same order: a page's help leads to the same place in each."""
    english = {one.place: one for one in OWN if one.language == "en"}
    for other in (one for one in OWN if one.language != "en"):
        one = english[other.place]
        names = [[section["id"] for section in each.sections if section["level"] == "2"] for each in (one, other)]
        assert names[0] == names[1], other.source.name
        assert [name.replace("-es", "") for name in other.pictures] == one.pictures, other.source.name


def test_a_picture_says_that_it_is_one_and_in_which_language() -> None:
    """A picture of a form looks like a form: nobody is to press what is drawn on it."""
    for chapter in CHAPTERS:
        captions = re.findall(r'<figure class="shot"><figcaption>([^<]+)</figcaption><img', chapter.html)
        own = [name for name in chapter.pictures if name.endswith(f"-{chapter.language}") or chapter.language == "en"]
        assert len(captions) == len(chapter.pictures), chapter.source.name
        assert sum("inglés" not in words for words in captions) == len(own), chapter.source.name


def test_pictures_are_there_small_and_each_is_used() -> None:
    kept = json.loads((build_handbook.PICTURES / "pictures.json").read_text())
    listed = {
        one.name if language == "en" else f"{one.name}-{language}" for one in PICTURES for language in one.languages
    }
    shown = {name for one in CHAPTERS for name in one.pictures}
    assert shown == listed
    files = {f"{name}-{theme}.webp" for name in listed for theme in ("light", "dark")}
    assert {path.name for path in build_handbook.PICTURES.glob("*.webp")} == files == set(kept["shapes"])
    assert set(kept["said"]) == listed
    sizes = [(build_handbook.PICTURES / name).stat().st_size for name in files]
    assert max(sizes) <= LARGEST
    assert sum(sizes) <= 2_000_000


def test_a_link_into_nothing_and_a_heading_without_a_name_stop_the_build(tmp_path: Path) -> None:
    broken = Chapter("nurse/none", "en", build_handbook.ROOT / "docs/handbook/nurse/none.md", own=True)
    for text, why in (
        ("# One\n\n## Two\n", "a heading without a name"),
        ("no title", "no title"),
        ("# One\n\n![](picture:home)\n", "a picture without words"),
    ):
        broken.source.write_text(text)
        try:
            with pytest.raises(build_handbook.Broken, match=why):
                build_handbook.read(Chapter(broken.place, "en", broken.source, own=True), {}, {})
        finally:
            broken.source.unlink()
    one = Chapter("a/b", "en", broken.source, own=True, links=[(3, "/help/nurse/alarms#nowhere")])
    with pytest.raises(build_handbook.Broken, match="no /help/nurse/alarms#nowhere"):
        build_handbook.check_links([one, *CHAPTERS])


def test_finding_ignores_accents_and_case_and_begins_with_headings() -> None:
    found = find("SILENCE", "en")
    assert found[0].section.title.lower().find("silen") >= 0 or "silen" in found[0].says.lower()
    assert find("contrasena", "es")[0].place == "patient/getting-in"
    assert find("contraseña", "es") == find("CONTRASENA", "es")
    assert not [one for each in CHAPTERS for one in each.sections if "<code>" in one["text"] or "<img" in one["text"]]
    assert find("", "en") == [] == find("xyzzy", "en")
    assert all("alarm" in (one.section.title + one.section.text).lower() for one in find("alarm undo", "en"))


async def test_a_chapter_is_read_by_nobody_in_particular(app: Starlette) -> None:
    transport = httpx.ASGITransport(app=app)
    english, spanish = {"accept-language": "en"}, {"accept-language": "es"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        contents = (await client.get("/help", headers=english)).text
        for part in PARTS:
            for key in part["chapters"]:
                assert f'href="/help/{part["key"]}/{key}"' in contents
                page = await client.get(f"/help/{part['key']}/{key}", headers=english)
                assert page.status_code == 200
                assert "<script>" not in page.text
        own = (await client.get("/help/patient/getting-in", headers=spanish)).text
        assert "No puedo entrar" in own
        assert 'id="cannot"' in own
        assert "La vida de una alarma" in (await client.get("/help/nurse/alarms", headers=spanish)).text
        other = (await client.get("/help/integrator/doors", headers=spanish)).text
        assert "Este capítulo está solo en inglés" in other
        assert '<article lang="en">' in other
        assert "No puedo entrar" in (await client.get("/help/find?q=perdio+telefono", headers=spanish)).text
        assert "&lt;b&gt;" in (await client.get("/help/find?q=<b>", headers=english)).text
        for nowhere in (
            "/help/nurse/none",
            "/help/none/none",
            "/help/pictures/none.webp",
            "/help/pictures/..%2fbook.json",
        ):
            assert (await client.get(nowhere, headers=english | {"accept": "text/html"})).status_code == 404
        src = re.search(r'src="(/help/pictures/[^"]+)"', own)
        assert src is not None
        shown = await client.get(src.group(1))
        assert shown.headers["content-type"] == "image/webp"
        assert "immutable" in shown.headers["cache-control"]
