"""A visit over two web processes, with a patient whose network is gone for 12 s and comes back; and a browser that is
killed under a half-written note.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Error, Locator, Page, expect, sync_playwright
from tests.journeys.pages import CLINICIAN, PATIENT
from tests.journeys.scene import prepare
from tests.journeys.visiting import sign_in
from tools import chromium
from tools.clinic import Clinic
from tools.ports import free_port

from bedside.foundation.home import Home

pytestmark = [pytest.mark.journey, pytest.mark.alone, pytest.mark.timeout(240)]

PHASE = "room => room.dataset.phase"
CUT = 12.0
KEPT = """ending => new Promise(done => {
    const began = performance.now();
    const look = () => {
        const asked = indexedDB.open('bedside', 1);
        asked.onsuccess = () => {
            const all = asked.result.transaction('drafts').objectStore('drafts').getAll();
            all.onsuccess = () => {
                asked.result.close();
                if (all.result.some(draft => draft.text.endsWith(ending))) done(true);
                else if (performance.now() - began > 30000) done(false);
                else setTimeout(look, 10);
            };
        };
    };
    look();
})"""
"""Until the browser has put on its disk what was typed last."""


def network_services() -> set[int]:
    """Processes through which the browsers of this test reach the network: others may run on this machine."""
    found, parents = set(), dict[int, int]()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit():
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if b"network.mojom.NetworkService" in (entry / "cmdline").read_bytes():
                    found.add(int(entry.name))
    return {one for one in found if os.getpid() in line_of(one, parents)}


def line_of(process: int, parents: dict[int, int]) -> Iterator[int]:
    """Its parent, and so on."""
    while (process := parents.get(process, 0)) > 0:
        yield process


def answers(address: str) -> bool:
    """Whether a web process serves there."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def second_web(clinic: Clinic, home: Path) -> Iterator[str]:
    """Another web process on the same engines, at an address of its own."""
    theirs = Home(clinic.home)
    running = theirs.running()
    assert running is not None
    port = free_port()
    address = f"http://localhost:{port}"
    urls = ("--database-url", theirs.postgres.dsn(), "--nats-url", theirs.nats(port=running["nats_port"]).url)
    with home.with_suffix(".log").open("wb") as log:
        program = subprocess.Popen(
            [
                *(sys.executable, "-m", "bedside", "serve", "--web-only", "--home", str(home), *urls),
                *("--port", str(port), "--mqtt-port", str(free_port()), "--public-url", address),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + 60
        while not answers(address):
            assert time.monotonic() < until
            assert program.poll() is None, home.with_suffix(".log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        program.send_signal(signal.SIGINT)
        program.wait(20)


def launch(kind: BrowserType) -> tuple[Browser, set[int]]:
    """A browser of its own, and the processes of its network."""
    before = network_services()
    browser = kind.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
    browser.new_context().close()
    until = time.monotonic() + 20
    while not (found := network_services() - before):
        assert time.monotonic() < until, "no process of the network was seen"
        time.sleep(0.05)
    return browser, found


def page_of(browser: Browser, address: str, cookies: list[dict[str, object]]) -> Page:
    context = browser.new_context(permissions=["camera", "microphone"], base_url=address)
    context.add_cookies([{"name": c["name"], "value": c["value"], "url": address} for c in cookies])  # type: ignore[typeddict-item]
    return context.new_page()


def both(pages: tuple[Page, Page], phase: str, within: float) -> float:
    """Seconds until both rooms are in this phase."""
    began = time.monotonic()
    while any(page.locator("visit-room").evaluate(PHASE) != phase for page in pages):
        assert time.monotonic() - began < within, [page.locator("visit-room").evaluate(PHASE) for page in pages]
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_visit_over_two_web_processes_heals_after_twelve_seconds_without_a_network(
    clinic: Clinic, tmp_path: Path
) -> None:
    with sync_playwright() as playwright, second_web(clinic, tmp_path / "second") as other:
        here, _ = launch(playwright.chromium)
        there, network = launch(playwright.chromium)
        visit = prepare(here, clinic.address)["visit"]
        cookies = {}
        for name in (CLINICIAN, PATIENT):
            context = here.new_context(base_url=clinic.address)
            sign_in(context.new_page(), name)
            cookies[name] = context.cookies()
            context.close()
        clinician = page_of(here, clinic.address, cookies[CLINICIAN])  # type: ignore[arg-type]
        patient = page_of(there, other, cookies[PATIENT])  # type: ignore[arg-type]
        clinician.goto(f"/visits/{visit}")
        patient.goto(f"/visit/{visit}/room")
        both((clinician, patient), "connected", 60)

        for process in network:
            os.kill(process, signal.SIGSTOP)
        try:
            began = time.monotonic()
            noticed = False
            while time.monotonic() - began < CUT:
                noticed = noticed or clinician.locator("visit-room").evaluate(PHASE) == "reconnecting"
                time.sleep(0.2)
        finally:
            for process in network:
                os.kill(process, signal.SIGCONT)
        assert noticed, "the clinician was never told that the connection is lost"
        assert both((clinician, patient), "connected", 10) < 10
        there.close()
        here.close()


def processes_of(profile: Path) -> set[int]:
    """The processes of the browser that uses this profile."""
    found = set()
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and os.fsencode(profile) in (entry / "cmdline").read_bytes():
                found.add(int(entry.name))
    return found


def test_nothing_typed_is_lost_when_the_browser_is_killed(clinic: Clinic, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    with sync_playwright() as playwright:

        def opened() -> tuple[BrowserContext, Locator]:
            context = playwright.chromium.launch_persistent_context(
                profile, executable_path=chromium.find(), args=[*chromium.ARGUMENTS], base_url=clinic.address
            )
            page = context.new_page()
            # A killed browser may have forgotten its cookies, which it writes late.
            sign_in(page, CLINICIAN)
            page.goto(f"/visits/{visit}")
            # While it looks for what was typed here before, nothing can be typed: a key would be lost.
            page.wait_for_function("customElements.get('note-pad') !== undefined")
            note = page.get_by_role("textbox", name="Note")
            expect(note).to_be_editable()
            return context, note

        with playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS]) as browser:
            visit = prepare(browser, clinic.address)["visit"]

        context, note = opened()
        sent: list[str] = []
        note.page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/note") else None)
        note.press_sequentially("Without a pause, for a second. ", delay=40)
        assert sent, "who types without a pause is never saved"
        expect(note.page.get_by_text("Saved", exact=True)).to_be_visible()
        context.route("**/note", lambda route: route.abort())
        note.press_sequentially("And what the server never got.", delay=5)
        assert note.page.evaluate(KEPT, "got.")
        for process in processes_of(profile):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with suppress(Error):
            context.close()

        context, note = opened()
        expect(note).to_have_value("Without a pause, for a second. And what the server never got.")
        expect(note.page.get_by_text("Saved", exact=True)).to_be_visible()
        context.close()
