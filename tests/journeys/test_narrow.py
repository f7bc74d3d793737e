"""Nothing runs off a narrow screen, on any page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page as Tab
from tests.journeys.pages import PAGES, Page
from tests.journeys.visiting import show

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_runs_off_a_narrow_screen(page: Page, opened: Callable[[Page], Tab], scene: dict[str, str]) -> None:
    tab = opened(page)
    tab.set_viewport_size({"width": 320, "height": 640})
    show(tab, page, scene)
    wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px to the side at 320 px"
