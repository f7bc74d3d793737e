"""`make screenshots`: every page as a picture, screenshots/NAME-WIDTH-THEME.png.

    python -m tools.screenshots [NAME …]

Narrow and wide (the wall at 1920), light and dark, from a demo of its own.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from tests.journeys.pages import PAGES, Page
from tests.journeys.scene import prepare
from tests.journeys.visiting import show, sign_in

from tools import chromium
from tools.clinic import running
from tools.steps import ROOT, say

HEIGHTS = {360: 740, 1440: 900, 1920: 1080}


def take(browser: Browser, address: str, page: Page, scene: dict[str, str], folder: Path) -> None:
    """One page in each of its widths and both themes."""
    for theme in ("light", "dark"):
        context = browser.new_context(base_url=address, color_scheme=theme, reduced_motion="reduce")
        tab = context.new_page()
        if page.who is not None:
            sign_in(tab, page.who)
        for width in page.widths:
            tab.set_viewport_size({"width": width, "height": HEIGHTS[width]})
            show(tab, page, scene)
            tab.evaluate("document.fonts.ready")
            tab.screenshot(path=folder / f"{page.name}-{width}-{theme}.png", full_page=width != 1920)
        context.close()


def main() -> int:
    """All pages, or those named."""
    executable = chromium.find()
    if executable is None:
        say("No Chromium here: make setup installs one.")
        return 1
    wanted = set(sys.argv[1:])
    folder = ROOT / "screenshots"
    folder.mkdir(exist_ok=True)
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="bedside-screenshots-") as home,
        running(Path(home) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=[*chromium.ARGUMENTS])
        scene = prepare(browser, clinic.address)
        for page in PAGES:
            if wanted and page.name not in wanted:
                continue
            try:
                take(browser, clinic.address, page, scene, folder)
                say(f"✓ {page.name}")
            except (AssertionError, PlaywrightError) as error:
                failed += 1
                say(f"✗ {page.name}: {error}")
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
