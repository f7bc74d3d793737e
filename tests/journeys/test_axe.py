"""axe-core finds nothing on any page, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from tests.journeys.pages import PAGES, Page
from tests.journeys.visiting import show

pytestmark = pytest.mark.journey

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, theme: str, visitor: Callable[..., Tab]) -> None:
    # The page's own policy forbids injected scripts; only here it is put aside.
    tab = visitor(page.who, bypass_csp=True, color_scheme=theme, reduced_motion="reduce")
    found = []
    for width in page.widths:
        tab.set_viewport_size({"width": width, "height": 900})
        show(tab, page)
        tab.add_script_tag(path=AXE)
        violations = tab.evaluate(f"async () => (await axe.run(document, {RULES})).violations")
        found += [
            f"{width}: {each['id']}: {each['help']}: {node['html']}\n   {node['failureSummary']}"
            for each in violations
            for node in each["nodes"]
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nothing_runs_off_a_narrow_screen(page: Page, visitor: Callable[..., Tab]) -> None:
    tab = visitor(page.who, viewport={"width": 320, "height": 640})
    show(tab, page)
    wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{wide} px to the side at 320 px"
