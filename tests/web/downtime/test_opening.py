"""The copy in a real browser, from a file, with nothing else running: it opens, shows its age, and turns red."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page as Tab
from playwright.async_api import async_playwright, expect
from tools import chromium

from bedside.foundation.clock import TurnableClock

pytestmark = pytest.mark.journey
AXE = Path(__file__).resolve().parents[3] / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
async def tab(copied: Any) -> AsyncIterator[Tab]:
    """The ward's copy, opened from its file a minute after it was made; whatever it asks a network for is an error."""
    await copied.write()
    await copied.write()  # the second leads to the handbook, which the first left behind it
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        page = await browser.new_page(bypass_csp=False, viewport={"width": 360, "height": 740})
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: asked.append(str(error)))
        clock: TurnableClock = copied.ctx.clock
        made = clock.now().replace(microsecond=0)
        await page.clock.install(time=datetime.fromtimestamp(made.timestamp() + 60, UTC))
        file = (copied.to / "ward-3.html").as_uri()
        await page.goto(file)
        yield page
        await browser.close()
    assert asked == [file]


async def test_it_opens_from_a_file_and_grows_old_in_plain_sight(copied: Any, tab: Tab) -> None:
    await expect(tab.get_by_role("heading", level=1)).to_have_text("Downtime copy · Ward 3")
    await expect(tab.get_by_text("1 min old")).to_be_visible()
    await expect(tab.get_by_text("This copy is old.")).to_be_hidden()
    await expect(tab.get_by_role("link", name="The handbook: what to do while nothing runs")).to_be_visible()
    await tab.get_by_label("The words that open").fill("ABCD-EFGH-JKLM-NPQR")
    await tab.get_by_role("button", name="Open").click()
    await expect(tab.get_by_role("alert")).to_contain_text("These words do not open it.")
    await tab.get_by_label("The words that open").fill(f" {copied.words.lower().replace('-', ' ')} ")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_role("heading", name="Bed 4 · Rosa Núñez")).to_be_visible()
    await expect(tab.get_by_text("178/112")).to_be_visible()
    await expect(tab.get_by_role("row", name="4 Rosa Núñez")).to_contain_text("not recorded")
    # From whatever it is there by now: opening takes as long as the machine takes.
    made = copied.ctx.clock.now().replace(microsecond=0).timestamp()
    passed = await tab.evaluate("Date.now()") - round(made * 1000)
    await tab.clock.fast_forward((15 * 60 + 5) * 1000 - passed)
    await expect(tab.get_by_text("This copy is old.")).to_be_visible()
    await expect(tab.get_by_text("15 min old")).to_be_visible()
    wide = await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0


async def test_axe_finds_nothing_sealed_or_open(copied: Any, tab: Tab) -> None:
    for opened in (False, True):
        if opened:
            await tab.get_by_label("The words that open").fill(copied.words)
            await tab.get_by_role("button", name="Open").click()
            await tab.get_by_role("heading", name="Bed 4").wait_for()
        await tab.evaluate(AXE.read_text())
        found = await tab.evaluate(
            "async () => (await axe.run(document)).violations.map(one => one.id + ': ' + one.help)"
        )
        assert found == []


async def test_on_paper_it_has_lines_to_write_on(copied: Any, tab: Tab) -> None:
    await tab.get_by_label("The words that open").fill(copied.words)
    await tab.get_by_role("button", name="Open").click()
    await expect(tab.get_by_role("heading", name="Bed 4")).to_be_visible()
    await expect(tab.get_by_text("Written by hand.")).to_be_hidden()
    await tab.emulate_media(media="print")
    await expect(tab.get_by_text("Written by hand. Type it in afterwards")).to_be_visible()
    await expect(tab.get_by_role("button", name="Print")).to_be_hidden()


async def test_a_clock_that_is_behind_makes_no_copy_new(copied: Any, tab: Tab) -> None:
    """A ward's machine without a network may say any time: an hour behind, an old copy would pass for new."""
    made: datetime = copied.ctx.clock.now()
    await tab.clock.set_system_time(datetime.fromtimestamp(made.timestamp() - 3600, UTC))
    await tab.clock.fast_forward(2000)
    await expect(tab.get_by_text("this machine’s clock is behind")).to_be_visible()
    await expect(tab.locator("body.is-old")).to_have_count(1)
    await expect(tab.get_by_text("just now")).to_have_count(0)
