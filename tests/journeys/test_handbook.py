"""The handbook's pictures do not lie: each page is looked at anew, and still says what its picture shows. And the help
of every page leads to its chapter, in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect
from tests.journeys.pages import PAGES, Page
from tests.journeys.pictures import PICTURES, Picture, clip, opened, reads, said_in, spanish
from tests.journeys.visiting import show
from tools.build_handbook import PICTURES as FOLDER

pytestmark = pytest.mark.journey

KEPT: dict[str, list[str]] = json.loads((FOLDER / "pictures.json").read_text())["said"]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_shows_the_page_as_it_is(
    picture: Picture, opened_as: Callable[[str | None], Tab], scene: dict[str, str]
) -> None:
    tab = opened_as(picture.reader)
    try:
        for language in picture.languages:
            reads(tab, picture, language)
            opened(tab, picture, scene, language)
            look(tab, picture, language)
    finally:  # the patient reads Spanish, as the other tests know her
        reads(tab, picture, picture.languages[-1])


def look(tab: Tab, picture: Picture, language: str) -> None:
    """What the chapter points at is on the page, and so is what names things in the picture."""
    for role, name in picture.points:
        said = name if language == "en" else spanish()[name]
        found = tab.get_by_role(role, name=re.compile(rf"^\s*{re.escape(said)}"))  # type: ignore[arg-type]
        expect(found.first, f"{picture.page} has no {role} “{said}” any more").to_be_attached()
    assert clip(tab, picture)["height"] > 50
    name = picture.name if language == "en" else f"{picture.name}-{language}"
    gone = [one for one in KEPT[name] if one not in said_in(tab)]
    assert gone == [], f"the picture {name} shows what the page does not: make handbook"


@pytest.mark.parametrize("name", ["today", "home", "wall", "sign-in"])
def test_help_leads_to_the_chapter_of_the_page(name: str, opened: Callable[[Page], Tab], scene: dict[str, str]) -> None:
    page = next(one for one in PAGES if one.name == name)
    tab = opened(page)
    show(tab, page, scene)
    goal = tab.locator("link[rel=help]").get_attribute("href") or ""
    answer = tab.goto(goal)
    assert answer is not None
    assert answer.ok, goal
    expect(tab.locator(f"[id='{goal.partition('#')[2]}']" if "#" in goal else "h1")).to_be_visible()
