"""With a Spanish session no page says in English what the catalogue has in Spanish."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page as Tab
from tests.journeys.pages import PAGES, Page
from tools.messages import LANGUAGE, LOCALE, load

pytestmark = pytest.mark.journey

IN_ENGLISH = {"kit", "outbox"}
"""The kit's examples, and messages in the language of whoever they went to."""

AT_HOME = {"Rosa Álvarez"}
"""They read Spanish already."""

SAID = """() => {
  const said = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let text = texts.nextNode(); text; text = texts.nextNode())
    if (!text.parentElement.closest("script, style, template, [lang]:not(html)")) said.push(text.textContent)
  for (const name of ["aria-label", "placeholder", "title", "alt"])
    for (const each of document.querySelectorAll(`[${name}]`)) said.push(each.getAttribute(name))
  return [...said, document.title.split(" · ")[0]]
}"""


def english() -> set[str]:
    """Every text that reads otherwise in Spanish, and is no Spanish word itself."""
    pairs = [
        (one, other)
        for path in (LOCALE / LANGUAGE).glob("*.po")
        for message in load(path)
        if message.id
        for one, other in zip(
            [message.id] if isinstance(message.id, str) else message.id,
            [message.string] if isinstance(message.string, str) else message.string,
            strict=True,
        )
    ]
    return {one for one, _ in pairs} - {other for _, other in pairs}


@pytest.fixture
def reading(visitor: Callable[..., Tab]) -> Iterator[Callable[[str | None], Tab]]:
    """reading(who): a tab of that person, or of nobody, in Spanish. Whoever reads English otherwise does so again."""
    changed: list[Tab] = []

    def spanish(who: str | None) -> Tab:
        tab = visitor(who)
        tab.context.request.post("/account" if who else "/preferences", form={"language": "es", "back": "/"})
        changed.extend([tab] if who and who not in AT_HOME else [])
        return tab

    yield spanish
    for tab in changed:
        tab.context.request.post("/account", form={"language": "en"})


@pytest.mark.parametrize("who", sorted({page.who or "" for page in PAGES}), ids=lambda who: who or "nobody")
def test_no_page_says_in_english_what_it_can_say_in_spanish(
    who: str, reading: Callable[[str | None], Tab], scene: dict[str, str]
) -> None:
    known, tab, found = english(), reading(who or None), []
    for page in (one for one in PAGES if (one.who or "") == who and one.name not in IN_ENGLISH):
        found += [f"{page.name}: {said}" for said in texts(tab, page, scene) if said in known]
    assert not found, "\n".join(found)


def texts(tab: Tab, page: Page, scene: dict[str, str]) -> list[str]:
    """What the page says, each text as one line."""
    tab.goto(page.path.format_map(scene))
    tab.get_by_role("heading", level=1).first.wait_for(state="attached")
    assert tab.locator("html").get_attribute("lang") == "es"
    return [re.sub(r"\s+", " ", said).strip() for said in tab.evaluate(SAID)]
