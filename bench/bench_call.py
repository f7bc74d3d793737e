"""From the patient's click on "Join" to the first frame of the other side, on both sides of a video visit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright
from tests.journeys.pages import CLINICIAN, PATIENT
from tests.journeys.scene import prepare
from tests.journeys.visiting import sign_in
from tools import chromium
from tools.clinic import running

from bench.figure import Figure

TIMES = 15

# The wall clock: the same for both browsers, and it outlives the page that was clicked away.
FIRST_FRAME = """() => new Promise((done, failed) => {
  const begun = Date.now();
  const look = () => {
    const video = document.querySelector("figure.picture video");
    if (video && video.readyState >= 2 && video.videoWidth > 0) video.requestVideoFrameCallback(() => done(Date.now()));
    else if (Date.now() - begun > 15000) failed(new Error("no picture within 15 s"));
    else setTimeout(look, 10);
  };
  look();
})"""


def join(patient: Tab, clinician: Tab, visit: str) -> tuple[float, float]:
    """Seconds to the first frame at the patient's and at the clinician's."""
    patient.goto(f"/visit/{visit}/check")
    link = patient.locator("a[href$='/room']")
    link.wait_for()
    clicked = link.evaluate("link => { const now = Date.now(); link.click(); return now; }")
    patient.wait_for_url("**/room")
    seen = patient.evaluate(FIRST_FRAME)
    other = clinician.evaluate(FIRST_FRAME)
    return (seen - clicked) / 1000, (other - clicked) / 1000


def measure() -> Iterator[Figure]:
    """The clinician waits in the room; the patient joins again and again, each time by a page of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder,
        running(Path(folder) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browsers = [
            playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS]) for _ in range(2)
        ]
        visit = prepare(browsers[0], clinic.address)["visit"]
        tabs = []
        for browser, who in zip(browsers, (CLINICIAN, PATIENT), strict=True):
            context = browser.new_context(base_url=clinic.address, permissions=["camera", "microphone"])
            tabs.append(context.new_page())
            sign_in(tabs[-1], who)
        clinician, patient = tabs
        spans = []
        for _ in range(TIMES):
            clinician.goto(f"/visits/{visit}")
            clinician.locator("[data-link]").wait_for()
            spans.append(join(patient, clinician, visit))
            patient.goto("/home")
        for browser in browsers:
            browser.close()
    mine = sorted(span[0] for span in spans)
    yield Figure(f"click to first remote frame, median of {TIMES}", mine[TIMES // 2], "s")
    yield Figure(f"click to first remote frame, worst of {TIMES}", mine[-1], "s", 2)
    yield Figure(f"and at the clinician's, median of {TIMES}", sorted(span[1] for span in spans)[TIMES // 2], "s")
