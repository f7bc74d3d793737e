"""The handbook's folder in a real browser, from a file, with nothing else running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, expect
from playwright.sync_api import Page as Tab
from tests.journeys.axe import RULES, looked_at

from bedside.app import handbook

pytestmark = pytest.mark.journey

ON_FILE = ("index.html", "es/nurse/downtime.html", "en/nurse/alarms.html", "en/patient/getting-in.html")
"""Each kind of page: contents, staff's and patients' chapters, with and without a picture."""
WITHOUT_FETCHING = RULES.replace("{", "{preload: false, ", 1)
"""Nor does axe ask for the style sheets: from a file it may not."""
Theme = Literal["light", "dark"]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("worst day") / "book"
    handbook.write(to)
    return to


@pytest.fixture
def at(browser: Browser, book: Path) -> Iterator[Callable[..., Tab]]:
    """at(page, width, theme): that page from its file. What it asks a network for, or complains of, fails the test."""
    wrong: list[str] = []
    contexts = []

    def opened(page: str, width: int = 1440, theme: Theme = "light") -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, offline=True)
        contexts.append(context)
        tab = context.new_page()
        tab.on("request", lambda one: None if one.url.startswith(("file:", "data:")) else wrong.append(one.url))
        tab.on("requestfailed", lambda one: wrong.append(f"missing: {one.url}"))
        tab.on("console", lambda said: wrong.append(said.text) if said.type in {"error", "warning"} else None)
        tab.goto((book / page).as_uri())
        return tab

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def test_a_nurse_finds_the_way_from_the_contents_to_the_words_in_her_language(at: Callable[..., Tab]) -> None:
    tab = at("index.html")
    tab.locator("#worst").get_by_role("link", name="When nothing runs", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("When nothing runs")
    picture = tab.get_by_role("img", name="Typing in a line from paper")
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 300
    tab.get_by_role("link", name="Español").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Cuando no funciona nada")
    tab.get_by_role("link", name="El panel").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("El panel")
    tab.get_by_role("link", name="Alarmas", exact=True).last.click()
    tab.get_by_role("link", name="La lista", exact=True).click()
    expect(tab.locator("#list")).to_be_in_viewport()
    tab.get_by_role("link", name="Ayuda", exact=True).click()
    expect(tab.get_by_role("heading", name="Cuando Bedside no funciona")).to_be_visible()


def test_it_has_our_font_and_follows_the_readers_dark(at: Callable[..., Tab]) -> None:
    grounds = []
    for theme in ("light", "dark"):
        tab = at("en/nurse/alarms.html", 360, theme)
        assert tab.evaluate("document.fonts.ready.then(all => [...all].filter(one => one.status === 'loaded').length)")
        grounds.append(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
        shown = tab.locator(".shot img:visible")
        expect(shown).to_have_count(1)
        assert f"-{theme}." in (shown.get_attribute("src") or "")
    assert grounds == ["rgb(247, 246, 242)", "rgb(15, 23, 22)"]


@pytest.mark.parametrize("page", ON_FILE)
def test_axe_finds_nothing_and_nothing_is_too_wide(page: str, at: Callable[..., Tab]) -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    for width in (320, 1440):
        for theme in themes:
            tab = at(page, width, theme)
            assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
            tab.set_viewport_size({"width": width, "height": 6000})
            assert [(one["id"], one["nodes"][0]["html"]) for one in looked_at(tab, WITHOUT_FETCHING)] == []


def test_on_paper_it_is_the_chapter_alone(at: Callable[..., Tab]) -> None:
    tab = at("en/administrator/backup.html")
    tab.emulate_media(media="print")
    expect(tab.get_by_role("heading", level=1)).to_be_visible()
    expect(tab.get_by_role("link", name="Español")).to_be_hidden()
    expect(tab.locator("aside")).to_be_hidden()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
