"""From a reading's publication by MQTT to its alarm in the nurse's browser: the wall, open, among 40 patients."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright
from tests.journeys.visiting import sign_in
from tools import chromium
from tools.clinic import Clinic, ClinicFailed, running

from bench.figure import Figure

NURSE = "Amina Haddad"
MOST = 30
WAIT = 5.0

WATCH = """() => {
  window.seenHigh = {};
  const look = () => {
    for (const tile of document.querySelectorAll("article.tile-high[data-patient]"))
      window.seenHigh[tile.dataset.patient] ??= Date.now();
  };
  look();
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""
CALM = """() => [...document.querySelectorAll("article[data-patient]")]
  .filter((tile) => !tile.querySelector(".tile-alarm") && !tile.querySelector(".tile-note"))
  .map((tile) => tile.dataset.patient)"""


def cuff(clinic: Clinic, patient: str) -> tuple[paho.Client, str]:
    """A new blood-pressure device of this patient, connected; and its topic."""
    made = clinic.command("device", "add", "--patient", patient, "--kind", "blood-pressure", "--json")
    card = json.loads(made)
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=card["device"], protocol=paho.MQTTv311)
    client.username_pw_set(card["username"], card["password"])
    client.connect("127.0.0.1", clinic.mqtt_port)
    client.loop_start()
    return client, card["topic"]


def one(tab: Tab, clinic: Clinic, patient: str) -> float:
    """Seconds until the wall shows the alarm. Raises ClinicFailed when it never does."""
    client, topic = cuff(clinic, patient)
    until = time.monotonic() + WAIT
    while not client.is_connected() and time.monotonic() < until:
        time.sleep(0.01)
    moment = time.time()
    pack = [
        {"n": "seq", "v": 1},
        {"bt": round(moment, 3), "n": "8480-6", "u": "mm[Hg]", "v": 196},
        {"n": "8462-4", "u": "mm[Hg]", "v": 122},
    ]
    moment = time.time()
    client.publish(topic, json.dumps(pack), qos=1)
    seen = None
    while seen is None and time.time() - moment < WAIT:
        tab.wait_for_timeout(20)
        seen = tab.evaluate("patient => window.seenHigh[patient] ?? null", patient)
    client.disconnect()
    client.loop_stop()
    if seen is None:
        raise ClinicFailed(f"no alarm on the wall within {WAIT} s")
    return float(seen / 1000 - moment)


@contextmanager
def wall() -> Iterator[tuple[Clinic, Tab, list[str]]]:
    """A running clinic with its wall open, and those on it who have no alarm; window.seenHigh says when one has."""
    with (
        tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder,
        running(Path(folder) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
        tab = browser.new_page(base_url=clinic.address, viewport={"width": 1920, "height": 1080})
        sign_in(tab, NURSE)
        tab.goto("/wall")
        tab.evaluate(WATCH)
        yield clinic, tab, tab.evaluate(CALM)
        browser.close()


def measure() -> Iterator[Figure]:
    """One reading of each of some thirty patients who had no alarm."""
    with wall() as (clinic, tab, patients):
        spans = sorted(one(tab, clinic, patient) for patient in patients[:MOST])
    if not spans:
        raise ClinicFailed("nobody on the wall is without an alarm")
    yield Figure(f"reading published to alarm seen, p50 of {len(spans)}", spans[len(spans) // 2], "s")
    yield Figure(f"reading published to alarm seen, p99 of {len(spans)}", spans[int(len(spans) * 0.99)], "s", 1)
