"""A running demo and real browsers: the journeys see Bedside as people do, by roles and labels."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.conftest import PATIENCE
from tests.journeys.pages import Page as Listed
from tests.journeys.scene import prepare
from tests.journeys.visiting import sign_in
from tools import chromium
from tools.clinic import Clinic, running


@pytest.fixture(scope="session")
def clinic() -> Iterator[Clinic]:
    """A seeded clinic of its own, answering; its log is shown when something in it failed."""
    folder = Path(tempfile.mkdtemp(prefix="bedside-journeys-"))
    try:
        with running(folder / "home") as clinic:
            yield clinic
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium with a fake camera. One for each module: Playwright holds the thread's event loop."""
    executable = chromium.find()
    if executable is None:
        pytest.fail("no Chromium here: make setup installs one, BEDSIDE_CHROMIUM names one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*chromium.ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def _scenes() -> dict[str, dict[str, str]]:
    return {}


@pytest.fixture
def scene(browser: Browser, clinic: Clinic, _scenes: dict[str, dict[str, str]]) -> dict[str, str]:
    """A visit, prescriptions and their addresses, made once in this clinic."""
    if clinic.address not in _scenes:
        _scenes[clinic.address] = prepare(browser, clinic.address)
    return _scenes[clinic.address]


@pytest.fixture
def visitor(browser: Browser, clinic: Clinic) -> Iterator[Callable[..., Page]]:
    """visitor(name=None, **options): a page of a fresh browser profile, signed in as that seeded person.

    options go to Playwright's new_context (viewport, color_scheme, bypass_csp …). A page error fails the test.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def visit(name: str | None = None, **options: object) -> Page:
        context = browser.new_context(base_url=clinic.address, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        if name is not None:
            sign_in(page, name)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not errors, "\n".join(errors)


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Cookies by name: each person signs in once, though every test has a fresh profile."""
    return {}


@pytest.fixture
def opened(visitor: Callable[..., Page], sessions: dict[str, Any]) -> Iterator[Callable[[Listed], Page]]:
    """opened(page): a tab of the person who sees that page."""

    def open_for(page: Listed) -> Page:
        # The page's own policy forbids injected scripts; only here it is put aside.
        options: dict[str, Any] = {"bypass_csp": True, "reduced_motion": "reduce"}
        if page.who is None:
            return visitor(None, **options)
        if page.who not in sessions:
            sessions[page.who] = visitor(page.who, **options).context.storage_state()
        return visitor(None, storage_state=sessions[page.who], **options)

    yield open_for


@pytest.fixture
def opened_as(visitor: Callable[..., Page], sessions: dict[str, Any]) -> Callable[[str | None], Page]:
    """opened_as(name): a tab of that person, or of nobody."""

    def open_for(name: str | None) -> Page:
        options: dict[str, Any] = {"bypass_csp": True, "reduced_motion": "reduce"}
        if name is not None and name not in sessions:
            sessions[name] = visitor(name, **options).context.storage_state()
        return visitor(None, storage_state=sessions.get(name) if name else None, **options)

    return open_for
