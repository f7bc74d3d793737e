"""The header of staff's pages is one line on a telephone and on a laptop, whatever somebody is called."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect
from tests.journeys.pages import NURSE, PAGES, Page
from tests.journeys.visiting import show

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

WORK = next(page for page in PAGES if page.name == "work")
PLACES = """() => [...document.querySelectorAll('.top .brand, .who a')].map(each => {
    const box = each.getBoundingClientRect();
    return [Math.round(box.top + box.height / 2), Math.round(box.right), box.height, box.width];
})"""


@pytest.mark.parametrize("width", [320, 360])
@pytest.mark.parametrize(
    "name", ["Li Wu", "Elena Ruiz", "María Fernanda Castellanos", "Wolfeschlegelsteinhausenberger"]
)
def test_a_long_name_stays_on_the_line(
    opened: Callable[[Page], Tab], scene: dict[str, str], width: int, name: str
) -> None:
    tab = opened(WORK)
    tab.set_viewport_size({"width": width, "height": 740})
    show(tab, WORK, scene)
    tab.locator(".who .account span").evaluate("(each, name) => { each.textContent = name }", name)
    brand, help_, account = tab.evaluate(PLACES)
    assert brand[0] == help_[0] == account[0], "one line"
    assert account[1] <= width - 16, "nothing runs off"
    assert all(height >= 24 and wide >= 24 for _, _, height, wide in (brand, help_, account)), "large enough to hit"
    assert tab.locator(".who .account").inner_text() == name, "read out whole"


@pytest.mark.parametrize("width", [1280, 1440])
@pytest.mark.parametrize("language", ["en", "es"])
def test_on_a_laptop_all_of_it_is_one_line(
    opened: Callable[[Page], Tab], scene: dict[str, str], width: int, language: str
) -> None:
    tab = opened(WORK)
    tab.set_viewport_size({"width": width, "height": 740})
    tab.context.request.post("/account", form={"language": language})
    try:
        show(tab, WORK, scene) if language == "en" else tab.goto(WORK.path)
        tab.locator(".who .account span").evaluate("each => { each.textContent = 'María Fernanda Castellanos' }")
        lines = tab.evaluate(
            "[...document.querySelectorAll('.top-in > *')].map(each => each.getBoundingClientRect())"
            ".map(box => Math.round(box.top + box.height / 2))"
        )
        assert max(lines) - min(lines) <= 2
    finally:
        tab.context.request.post("/account", form={"language": "en"})


@pytest.mark.parametrize("language", ["en", "es"])
def test_on_a_telephone_every_place_is_in_sight(
    opened: Callable[[Page], Tab], scene: dict[str, str], language: str
) -> None:
    tab = opened(WORK)
    tab.set_viewport_size({"width": 360, "height": 740})
    tab.context.request.post("/account", form={"language": language})
    try:
        tab.goto(WORK.path)
        places = tab.locator("nav.places a")
        assert places.count() == 8
        assert tab.locator("nav.places").evaluate("each => each.scrollWidth - each.clientWidth") == 0
        boxes = places.evaluate_all("all => all.map(each => each.getBoundingClientRect().toJSON())")
        assert [box for box in boxes if box["width"] < 24 or box["height"] < 44] == []
        assert all(one["right"] <= other["left"] for one, other in pairwise(boxes))
    finally:
        tab.context.request.post("/account", form={"language": "en"})


def test_the_arrows_go_through_what_the_patient_search_found(visitor: Callable[..., Tab]) -> None:
    nurse = visitor(NURSE)
    nurse.goto("/work")
    nurse.keyboard.press("/")
    search = nurse.get_by_label("Find a patient by name")
    expect(search).to_be_focused()
    nurse.keyboard.type("ma")
    links = nurse.locator("[data-found] li a")
    expect(links.nth(1)).to_be_visible()
    for key, focused in (("ArrowDown", links.first), ("ArrowDown", links.nth(1)), ("ArrowUp", links.first)):
        nurse.keyboard.press(key)
        expect(focused).to_be_focused()
    nurse.keyboard.press("ArrowUp")
    expect(search).to_be_focused()
    nurse.keyboard.press("ArrowDown")
    nurse.keyboard.press("Escape")
    expect(search).to_be_focused()
    expect(links).to_have_count(0)
    nurse.keyboard.type("r")
    expect(links.first).to_be_visible()
    nurse.keyboard.press("ArrowDown")
    nurse.keyboard.press("Enter")
    nurse.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}$"))
