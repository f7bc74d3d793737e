"""Real Chromium browsers before two machines: a visit with pictures, a wall; what they show while a machine goes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from playwright.async_api import TimeoutError as Late
from tools import chromium

WATCH = """
(() => {
  // Every link of the page: when it was opened, heard from, and lost.
  const links = window.__links = { lost: 0, heard: performance.now(), away: 0 };
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...words) {
      super(...words);
      this.addEventListener('message', () => {
        const now = performance.now();
        links.away = Math.max(links.away, now - links.heard);
        links.heard = now;
      });
      this.addEventListener('close', () => { links.lost += 1; });
    }
  };
  // The longest time for which a thing that should move stood still, in ms; looked at ten times a second.
  const still = window.__still = { longest: 0, at: performance.now(), was: null, dead: 0, apart: 0 };
  const looks = {
    picture: () => {
      const made = document.querySelector('[data-peer] video')?.getVideoPlaybackQuality();
      return made ? made.totalVideoFrames - made.droppedVideoFrames : null;
    },
    wall: () => {
      const ages = [...document.querySelectorAll('bedside-wall .tile .age[data-at]')];
      return ages.map(age => age.dataset.at).sort().at(-1) ?? null;
    },
  };
  setInterval(() => {
    const now = performance.now(), found = document.querySelector('bedside-wall') ? looks.wall() : looks.picture();
    if (found !== null && found !== still.was) { still.was = found; still.at = now; }
    still.longest = Math.max(still.longest, now - still.at);
    if (document.querySelector('bedside-wall')?.classList.contains('is-dead')) still.dead += 100;
    const room = document.querySelector('visit-room');
    if (room && room.dataset.phase !== 'connected') still.apart += 100;
  }, 100);
})();
"""
AFRESH = (
    "() => { Object.assign(__still, { longest: 0, dead: 0, apart: 0 }); Object.assign(__links, { lost: 0, away: 0 }); }"
)
SEEN = """() => ({ still: __still.longest, dead: __still.dead, apart: __still.apart, lost: __links.lost,
                  away: Math.max(__links.away, performance.now() - __links.heard) })"""


@dataclass(frozen=True, slots=True)
class Seen:
    """Seconds of one page since it was last asked to begin afresh.

    still: the longest for which no new picture was decoded, or no newer reading shown. away: the longest without a word
    by any of its links. lost: links that were closed. dead: for how long the wall said that it has no data. apart: for
    how long the visit said something else than that it is connected.
    """

    still: float
    away: float
    lost: int
    dead: float
    apart: float


class Shown:
    """One page of a browser."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self.name = page, name
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    async def afresh(self) -> None:
        await self.page.evaluate(AFRESH)

    async def seen(self) -> Seen:
        found = await self.page.evaluate(SEEN)
        return Seen(
            found["still"] / 1000, found["away"] / 1000, found["lost"], found["dead"] / 1000, found["apart"] / 1000
        )

    async def connected(self, within: float) -> None:
        """Until the visit says so."""
        try:
            await self.page.locator("visit-room[data-phase=connected]").wait_for(timeout=within * 1000)
        except Late:
            told = await self.page.locator("visit-room").inner_text()
            raise AssertionError(f"{self.name} is not connected after {within} s: {told}") from None

    async def write(self, text: str) -> None:
        """In the visit's chat, as a person does."""
        if not await self.page.get_by_label("Message").is_visible():
            await self.page.get_by_role("button", name="Chat").click()
        await self.page.get_by_label("Message").fill(text)
        await self.page.get_by_role("button", name="Send", exact=True).click()

    async def read(self, text: str, within: float) -> float:
        """Seconds until that line of chat is there; it is there once."""
        begun = time.monotonic()
        lines = self.page.locator("[data-chat] li").filter(has_text=text)
        await lines.first.wait_for(state="attached", timeout=within * 1000)
        assert await lines.count() == 1
        return time.monotonic() - begun


@asynccontextmanager
async def opened(address: str, cookies: dict[str, str], visit: str) -> AsyncIterator[tuple[Shown, Shown, Shown]]:
    """Patient and clinician, each in a browser of their own and connected, and a wall in a third."""
    async with async_playwright() as playwright:
        browsers: list[Browser] = []

        async def page(role: str, path: str) -> Shown:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
            browsers.append(browser)
            context: BrowserContext = await browser.new_context(
                base_url=address, ignore_https_errors=True, permissions=["camera", "microphone"]
            )
            name, _, value = cookies[role].partition("=")
            await context.add_cookies([{"name": name, "value": value, "url": address}])
            await context.add_init_script(WATCH)
            tab = await context.new_page()
            answer = await tab.goto(path)
            assert answer is not None
            assert answer.ok, (role, answer.status, tab.url)
            return Shown(tab, role)

        try:
            clinician = await page("clinician", f"/visits/{visit}")
            patient = await page("patient", f"/visit/{visit}/room")
            wall = await page("nurse", "/wall?place=ward")
            for one in (clinician, patient):
                await one.connected(30)
            yield patient, clinician, wall
        finally:
            for browser in browsers:
                await browser.close()
