"""Going to a page as a person does: signing in by the demo's buttons, then looking for its heading."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page as Tab
from tests.journeys.pages import Page


def sign_in(tab: Tab, name: str) -> None:
    """By the demo's one button for each seeded person."""
    tab.goto("/sign-in")
    button = tab.locator("button", has_text=re.compile(rf"\b{re.escape(name)}\b")).first
    if not button.is_visible():
        tab.locator("summary").first.click()
    button.click()
    tab.wait_for_url(lambda url: "/sign-in" not in url)


OUTBOX = 60
"""Seconds after which what the clinic wrote is in the demo's outbox: a job delivers it, moments after the deed."""


def links_of(tab: Tab, path: str) -> list[str]:
    """Those in the outbox that lead there, the newest first."""
    tab.goto("/demo/outbox")
    found: list[str] = tab.locator(f"a[href*='{path}']").evaluate_all("all => all.map(one => one.href)")
    return found


def new_link(tab: Tab, path: str, before: list[str]) -> str:
    """The first link of that kind that was not there before; waits for it."""
    until = time.monotonic() + OUTBOX
    while not (found := [link for link in links_of(tab, path) if link not in before]):
        assert time.monotonic() < until, f"no new {path} in the outbox"
        tab.wait_for_timeout(100)
    return found[0]


def show(tab: Tab, page: Page, scene: dict[str, str]) -> None:
    """Open the page and see that it is the one: its heading is there, and it is refused only where it should be."""
    answer = tab.goto(page.path.format_map(scene))
    assert answer is not None
    assert answer.ok or (page.name, answer.status) in REFUSED, f"{page.path}: {answer.status}"
    tab.get_by_role("heading", level=1, name=re.compile(page.shows)).first.wait_for(state="attached")


def says_where(tab: Tab, visit: str) -> None:
    """The patient, signed in, says where they are and agrees, and comes to the check of the camera."""
    tab.goto(f"/visit/{visit}")
    for name, value in (("address", "12 Mill Lane, New York"), ("callback", "+1 212 555 0199")):
        tab.locator(f"[name={name}]").fill(value)
    tab.locator("[name=subdivision]").select_option(label="New York")
    tab.locator("[name=agreed]").check()
    tab.locator("main form button").last.click()
    tab.wait_for_url(re.compile("/check$"))


REFUSED = {("not-found", 404), ("join-dead", 410)}
"""Pages that are answers to something that is not there."""
