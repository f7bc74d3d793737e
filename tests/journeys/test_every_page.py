"""Every page, opened once in light and once in dark: axe-core finds nothing narrow or wide, nothing runs off a narrow
screen, help leads to a chapter, each thing that can be used is reached by Tab and shows that it is, and a print holds
nothing of navigation and is cut off nowhere.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page as Tab
from tests.journeys.axe import COLOURS, RULES, violations
from tests.journeys.pages import PAGES, Page
from tests.journeys.visiting import show

pytestmark = pytest.mark.journey

WITHOUT = {"kit"}
"""Its examples have no chapter."""
A4 = 688
"""Pixels between the margins of print.css on A4, at 96 a inch."""
WATCH = """() => {
  const seen = new Set(), dim = new Set(), groups = new Set();
  // What a reader recognises it by; of a button that counts down, whatever second it is.
  const named = (e) => (e.getAttribute("href") || e.getAttribute("aria-label") || e.textContent || "").trim()
    .replace(/\\(\\d+ s\\)/, "");
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.name ? "[" + e.name + "] " : " ")
    + named(e).replace(/\\s+/g, " ").slice(0, 60);
  const group = (e) => e.type === "radio" && e.form?.action + e.name;
  const shown = (e) => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  document.addEventListener("focusin", ({ target }) => {
    // By name: a live page draws a thing anew under the same one.
    seen.add(name(target));
    if (group(target)) groups.add(group(target));
    // A field may show it by its frame; a choice by its label.
    if (![target, target.parentElement, target.closest("label")].some((e) => e && shown(e))) dim.add(name(target));
  });
  const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]";
  const toReach = () => [...document.querySelectorAll(usable)].filter((e) => !e.disabled && e.tabIndex >= 0
    && e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && e.getClientRects().length);
  const first = new Set(toReach().map(name));
  // A date has stops within: day, month, year, and the calendar.
  window.things = () => toReach().length
    + 5 * document.querySelectorAll("[type=date], [type=time], [type=datetime-local]").length;
  // Of radio buttons with one name, Tab stops at one; the arrows go on from there. What a reading or an alarm brought
  // meanwhile may have come behind the cursor.
  window.missed = () => toReach().filter((e) => first.has(name(e)) && !seen.has(name(e)) && !groups.has(group(e)))
    .map((e) => "never reached: " + name(e)).concat([...dim].map((e) => "no outline: " + e));
}"""
PAPER = """() => {
  const away = "nav, .top, .tabs-bottom, .skip, .toast-area, .suggestion, form[role=search], button, .btn, dialog";
  const say = (e) => e.tagName.toLowerCase() + "." + e.className + " " + e.textContent.trim().slice(0, 40);
  const there = (e) => e.checkVisibility() && e.getClientRects().length;
  const found = [...document.querySelectorAll(away)].filter(there).map((e) => "on paper: " + say(e));
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  // A browser prints smaller what is a little too wide: to four fifths it can be read.
  if (wide > document.documentElement.clientWidth / 4) found.push("runs off the paper by " + wide + " px");
  for (const e of document.querySelectorAll("main *:not(.sr-only, .sr-only *, svg *, input, select, textarea)")) {
    const over = e.scrollWidth - e.clientWidth;
    if (over > 1 && e.clientWidth > 8 && getComputedStyle(e).overflowX !== "visible" && e.checkVisibility())
      found.push("cut off on paper by " + over + " px: " + say(e));
  }
  return found;
}"""


def tabbed(tab: Tab) -> list[str]:
    """What Tab does not reach, or reaches without showing it."""
    tab.evaluate(WATCH)
    pressed = 0
    # A live page may grow meanwhile: then the way round it is longer.
    while pressed < tab.evaluate("window.things()") + 8:
        for _ in range(8):
            tab.keyboard.press("Tab")
        pressed += 8
    found: list[str] = tab.evaluate("window.missed()")
    return found


def on_paper(tab: Tab) -> list[str]:
    """What a print holds and should not, or loses."""
    tab.set_viewport_size({"width": A4, "height": 1000})
    tab.emulate_media(media="print")
    found: list[str] = tab.evaluate(PAPER)
    return found


def narrow(tab: Tab) -> list[str]:
    """What runs off a screen of 320 px."""
    wide = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wide} px to the side at 320 px"] if wide > 0 else []


def helped(tab: Tab, page: Page) -> list[str]:
    """Whether its help is on it; that the chapter and its heading are there is shown without a browser."""
    goal = tab.locator("link[rel=help]").get_attribute("href") or ""
    if page.name in WITHOUT or (page.path.startswith("/help") and goal == "/help"):
        return []
    if goal.startswith("/help/") and tab.locator(f"a[href='{goal}']").count():
        return []
    return [f"no help: {goal!r}"]


def in_the_dark(tab: Tab, page: Page, scene: dict[str, str]) -> list[str]:
    """What axe finds of colours in the other theme. Opened anew: Chromium leaves some colours of an open page as they
    were when it is switched."""
    tab.emulate_media(color_scheme="dark", media="screen")
    show(tab, page, scene)
    return [f"dark, {one}" for one in violations(tab, page.widths, COLOURS)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page(page: Page, opened: Callable[[Page], Tab], scene: dict[str, str]) -> None:
    tab = opened(page)
    tab.emulate_media(color_scheme="light")
    tab.set_viewport_size({"width": 320, "height": 640})
    show(tab, page, scene)
    found = narrow(tab) + helped(tab, page) + violations(tab, page.widths, RULES)
    tab.set_viewport_size({"width": 1280, "height": 720})
    found += tabbed(tab) + on_paper(tab) + in_the_dark(tab, page, scene)
    assert not found, "\n".join(found)
