"""Bytes of each page over the wire, all included, with an empty cache; and the patient's way at 400 kbit/s."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, sync_playwright
from playwright.sync_api import Page as Tab
from tests.journeys.pages import PAGES, PATIENT, Page
from tests.journeys.scene import prepare
from tests.journeys.visiting import show, sign_in
from tools import chromium
from tools.clinic import running

from bench.figure import Figure

PATIENT_KB = 100
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""400 kbit/s each way, 400 ms a round trip."""
SLOW_SECONDS = 6
SETTLE = 1500
"""Milliseconds for what comes after the heading. Not until nothing moves: the wall and the room never do."""
WAY = ("join", "where", "check", "room")


def signed_in(browser: Browser, address: str, page: Page, width: int) -> BrowserContext:
    """A fresh profile with that person's session and nothing in its cache from signing in."""
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800})
    if page.who is not None:
        tab = context.new_page()
        sign_in(tab, page.who)
        tab.close()
    return context


def weigh(context: BrowserContext, page: Page, scene: dict[str, str]) -> tuple[float, float]:
    """kB that crossed the wire (headers too) until the page is still, and seconds until it was shown on a slow link."""
    tab = context.new_page()
    network = context.new_cdp_session(tab)
    network.send("Network.enable")
    network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    seen = 0

    def add(event: dict[str, Any]) -> None:
        nonlocal seen
        seen += int(event["encodedDataLength"])

    network.on("Network.loadingFinished", add)
    show(tab, page, scene)
    tab.wait_for_timeout(SETTLE)
    weight = seen / 1000
    seconds = slowly(tab, network, page, scene) if page.light else 0.0
    tab.close()
    return weight, seconds


def whole_way(browser: Browser, address: str, scene: dict[str, str]) -> float:
    """kB of the link, where, check and room one after another, as a telephone that keeps what it has fetched."""
    signed = browser.new_context(base_url=address)
    sign_in(signed.new_page(), PATIENT)
    context = browser.new_context(base_url=address, storage_state=signed.storage_state())
    tab = context.new_page()
    network = context.new_cdp_session(tab)
    network.send("Network.enable")
    seen = 0

    def add(event: dict[str, Any]) -> None:
        nonlocal seen
        seen += int(event["encodedDataLength"])

    network.on("Network.loadingFinished", add)
    for page in PAGES:
        if page.name in WAY:
            show(tab, page, scene)
            tab.wait_for_timeout(SETTLE)
    signed.close()
    context.close()
    return seen / 1000


def slowly(tab: Tab, network: Any, page: Page, scene: dict[str, str]) -> float:
    """Seconds from asking for the page to its heading, on the slow link."""
    network.send("Network.emulateNetworkConditions", SLOW)
    tab.goto("about:blank")
    begun = time.monotonic()
    show(tab, page, scene)
    return time.monotonic() - begun


def measure() -> Iterator[Figure]:
    """Each page once, at its narrowest."""
    with (
        tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder,
        running(Path(folder) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        scene = prepare(browser, clinic.address)
        for page in PAGES:
            with signed_in(browser, clinic.address, page, min(page.widths)) as context:
                weight, seconds = weigh(context, page, scene)
            yield Figure(f"{page.name}, over the wire", weight, "kB", PATIENT_KB if page.light else None)
            if page.light:
                yield Figure(f"{page.name}, at 400 kbit/s and 400 ms", seconds, "s", SLOW_SECONDS)
        yield Figure(
            "the whole way from the link into the room", whole_way(browser, clinic.address, scene), "kB", PATIENT_KB
        )
        browser.close()
