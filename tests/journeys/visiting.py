"""Going to a page as a person does: signing in by the demo's buttons, then by links and headings."""

from __future__ import annotations

import re

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


def show(tab: Tab, page: Page) -> None:
    """Open the page and see that it is the one: its answer is good and its own heading is there."""
    answer = tab.goto(page.path)
    assert answer is not None and answer.ok, f"{page.path}: {answer and answer.status}"
    for name in page.by:
        tab.get_by_role("link", name=name).or_(tab.get_by_role("button", name=name)).first.click()
    tab.get_by_role("heading", name=re.compile(page.shows)).first.wait_for()
