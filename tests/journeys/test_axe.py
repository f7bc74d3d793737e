"""axe-core finds nothing on any page, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Error
from playwright.sync_api import Page as Tab
from tests.journeys.pages import PAGES, Page
from tests.journeys.visiting import show

pytestmark = pytest.mark.journey

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
COLOURS = "{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}"
"""What another theme changes of a page that is otherwise the same."""
THEMES: tuple[tuple[Literal["light", "dark"], str], ...] = (("light", RULES), ("dark", COLOURS))


def looked_at(tab: Tab, rules: str) -> list[dict[str, Any]]:
    """What axe finds. It cannot name an element that a new reading replaced while it looked; then it looks again."""
    for _ in range(60):
        try:
            found: list[dict[str, Any]] = tab.evaluate(f"async () => (await axe.run(document, {rules})).violations")
        except Error as error:
            if "reading 'nthChild'" not in str(error):
                raise
        else:
            return found
    raise AssertionError("the page never stood still")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_axe_finds_nothing(page: Page, opened: Callable[[Page], Tab], scene: dict[str, str]) -> None:
    tab = opened(page)
    found = []
    for width in page.widths:
        # Loaded anew for each theme: Chromium leaves some colours as they were when it is switched under an open page.
        for theme, rules in THEMES:
            # So high that no bar, fixed to the edge, covers what scrolling would bring into the open.
            tab.set_viewport_size({"width": width, "height": 3000})
            tab.emulate_media(color_scheme=theme)
            show(tab, page, scene)
            whole = tab.evaluate("document.documentElement.scrollHeight")
            if whole > 3000:  # a list that has grown while other tests ran
                tab.set_viewport_size({"width": width, "height": whole + 200})
            tab.add_script_tag(path=AXE)
            violations = looked_at(tab, rules)
            found += [
                f"{width} {theme}: {each['id']}: {each['help']}: {node['html']}\n   {node['failureSummary']}"
                for each in violations
                for node in each["nodes"]
            ]
    assert not found, "\n".join(found)
