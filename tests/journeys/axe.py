"""axe-core on a page that is open: what it finds, narrow and wide, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Error
from playwright.sync_api import Page as Tab

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}"
COLOURS = "{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}"
"""What another theme changes of a page that is otherwise the same."""
HIGH = 3000
"""Pixels of the window: so high that no bar, fixed to the edge, covers what scrolling would bring into the open."""

STILL = """() => {
  const copy = document.documentElement.cloneNode(true);
  for (const script of copy.querySelectorAll("script")) script.remove();
  return "<!doctype html>" + copy.outerHTML;
}"""


def looked_at(tab: Tab, rules: str) -> list[dict[str, Any]]:
    """What axe finds in the open page: its violations, each with its nodes.

    It cannot name an element that a new reading replaced while it looked; then it looks at a still of the page.
    """
    try:
        return _run(tab, rules)
    except Error as error:
        if "reading 'nthChild'" not in str(error):
            raise
    still, live = tab.evaluate(STILL), tab.url
    tab.route(live, lambda route: route.fulfill(body=still, content_type="text/html"), times=1)
    tab.goto(live)
    found = _run(tab, rules)
    tab.goto(live)
    return found


def _run(tab: Tab, rules: str) -> list[dict[str, Any]]:
    if not tab.evaluate("'axe' in window"):
        tab.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = tab.evaluate(f"async () => (await axe.run(document, {rules})).violations")
    return found


def violations(tab: Tab, widths: tuple[int, ...], rules: str) -> list[str]:
    """What axe finds in the open page at each of these widths, each with the element and what it lacks."""
    found = []
    for width in widths:
        tab.set_viewport_size({"width": width, "height": HIGH})
        whole = tab.evaluate("document.documentElement.scrollHeight")
        if whole > HIGH:  # a list that has grown while other tests ran
            tab.set_viewport_size({"width": width, "height": whole + 200})
        found += [
            f"{width}: {each['id']}: {each['help']}: {node['html']}\n   {node['failureSummary']}"
            for each in looked_at(tab, rules)
            for node in each["nodes"]
        ]
    return found
