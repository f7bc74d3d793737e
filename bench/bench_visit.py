"""From the patient's click on Join to the first remote frame, in two real browsers' pages with fake cameras."""

from __future__ import annotations

import re
import tempfile
import time
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
FRAMES = "visit-room[data-frames]"
SEES = "video => new Promise(done => { if (video.videoWidth) done(); else video.onloadeddata = () => done(); })"


def one(patient: Tab, visit: str) -> float:
    """Seconds from the click to the clinician's first frame on the patient's page."""
    patient.goto(f"/visit/{visit}/check")
    patient.locator("device-check video").evaluate(SEES)
    link = patient.locator("main a[href$='/room']")
    began = time.monotonic()
    link.click()
    patient.wait_for_url(re.compile("/room$"))
    patient.locator(FRAMES).wait_for()
    return time.monotonic() - began


def measure() -> Iterator[Figure]:
    """The clinician is in the room; the patient joins, leaves and joins again."""
    with (
        tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder,
        running(Path(folder) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        visit = prepare(browser, clinic.address)["visit"]
        people = []
        for name in (CLINICIAN, PATIENT):
            context = browser.new_context(base_url=clinic.address, permissions=["camera", "microphone"])
            people.append(context.new_page())
            sign_in(people[-1], name)
        clinician, patient = people
        clinician.goto(f"/visits/{visit}")
        spans = sorted(one(patient, visit) for _ in range(TIMES))
        browser.close()
    yield Figure(f"click to first remote frame, p50 of {TIMES}", spans[TIMES // 2], "s")
    yield Figure(f"click to first remote frame, worst of {TIMES}", spans[-1], "s", 2)
