"""Twelve hours of a wall in one (or BEDSIDE_WALL_MINUTES): twelve times the readings and alarms of a ward of monitors,
in one tab that is never reloaded. Neither the tab nor the web process grows, and in the end each tile shows what a wall
shows that was opened just now.
"""

from __future__ import annotations

import json
import os
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
import pytest
from bench.bench_alarm import CALM, NURSE, cuff
from bench.bench_memory import family, pss
from playwright.sync_api import CDPSession, Page, expect
from tools.clinic import Clinic

pytestmark = [pytest.mark.soak]

MINUTES = float(os.environ.get("BEDSIDE_WALL_MINUTES", "60"))
FASTER = 12
EVERY = 5.0
"""Seconds between two packs of a monitor (of the demo's too)."""
BETWEEN_ALARMS = 240.0 / FASTER
SAMPLES = 24
SLOW = 30_000
"""Milliseconds: what is shown here is that nothing grows, on a machine that may do other things."""
COUNTED = ("JSHeapUsedSize", "Nodes", "JSEventListeners", "Documents")


FOCUS = "patient => document.querySelector(`.tile[data-patient='${patient}'] .tile-open`).focus()"


NUMBERS = """() => {
    const numbers = tile => [...tile.querySelectorAll("dd")].map(one => one.textContent.trim()).filter(text => text);
    return Object.fromEntries([...document.querySelectorAll(".tile")].map(one => [one.dataset.patient, numbers(one)]));
}"""


class Ward(threading.Thread):
    """Monitors that send twelve times as often as they would. pressure: by place, what is measured next."""

    def __init__(self, clinic: Clinic, patients: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self.pressure = [122] * len(patients)
        self.sent = 0
        self._links: list[tuple[paho.Client, str]] = [cuff(clinic, patient) for patient in patients]
        self._ended = threading.Event()

    def run(self) -> None:
        pause = EVERY / FASTER / len(self._links)
        due = time.monotonic()
        while not self._ended.is_set():
            self.send(self.sent % len(self._links), 60 + self.sent % 30)
            due += pause
            time.sleep(max(due - time.monotonic(), 0))

    def send(self, place: int, rate: int) -> None:
        client, topic = self._links[place]
        at = round(time.time(), 3)
        high = self.pressure[place]
        pack: list[dict[str, Any]] = [{"bt": at, "n": "8867-4", "u": "/min", "v": rate}]
        pack += [{"n": "8480-6", "u": "mm[Hg]", "v": high}, {"n": "8462-4", "u": "mm[Hg]", "v": 80}]
        client.publish(topic, json.dumps(pack), qos=1)
        self.sent += 1

    def last(self) -> None:
        """End, and send of each a rate that no other had."""
        self._ended.set()
        self.join()
        time.sleep(1.5)
        for place in range(len(self._links)):
            self.pressure[place] = 122
            self.send(place, 91 - place % 20)
        time.sleep(2)
        for client, _ in self._links:
            client.disconnect()
            client.loop_stop()


def sample(wire: CDPSession, clinic: Clinic) -> dict[str, float]:
    """Of the tab after its rubbish was collected, and of the web process, in bytes and MB."""
    wire.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in wire.send("Performance.getMetrics")["metrics"]}
    found = {name: float(told[name]) for name in COUNTED}
    for pid, kind in family(clinic.pid).items():
        if kind.startswith("bedside"):
            found[kind] = found.get(kind, 0.0) + pss(pid)
    return found


def alarm(page: Page, ward: Ward, place: int, patient: str) -> None:
    """High pressure; the nurse sees it on the tile, opens it by keys, acknowledges; then it is over."""
    tile = page.locator(f'.tile[data-patient="{patient}"]')
    ward.pressure[place] = 196
    expect(tile).to_contain_text("High pressure", timeout=SLOW)
    page.evaluate(FOCUS, patient)
    page.keyboard.press("a")
    button = page.locator(".wall-panel [data-acknowledge]")
    expect(button).to_be_focused(timeout=SLOW)
    page.keyboard.press("Enter")
    expect(page.locator(".wall-panel")).to_contain_text("acknowledged", timeout=SLOW)
    ward.pressure[place] = 122
    page.keyboard.press("Escape")
    expect(page.locator(".wall-panel")).to_be_hidden(timeout=SLOW)


def test_twelve_hours_of_a_wall(clinic: Clinic, visitor: Callable[..., Page]) -> None:
    page = visitor(NURSE, viewport={"width": 1920, "height": 1080})
    page.goto("/wall")
    expect(page.locator("[data-link]")).to_have_text("live")
    page.evaluate("window.same = true")
    # The demo's own story raises alarms of its own.
    story = page.locator(".tile", has_text="Rosa Álvarez").get_attribute("data-patient")
    patients: list[str] = [one for one in page.evaluate(CALM) if one != story]
    ward = Ward(clinic, patients)
    wire = page.context.new_cdp_session(page)
    wire.send("Performance.enable")
    ward.start()
    samples: list[dict[str, float]] = []
    alarms, began = 0, time.monotonic()
    span = MINUTES * 60
    while (passed := time.monotonic() - began) < span:
        if passed >= len(samples) * span / SAMPLES:
            expect(page.locator("[data-link]")).to_have_text("live")
            samples.append(sample(wire, clinic))
            print(
                f"\n{passed / 60:5.1f} min",
                {name: round(value) for name, value in samples[-1].items()},
                end="",
                flush=True,
            )
        if passed >= alarms * BETWEEN_ALARMS:
            alarm(page, ward, alarms % len(patients), patients[alarms % len(patients)])
            alarms += 1
        page.wait_for_timeout(500)
    samples.append(sample(wire, clinic))
    ward.last()
    print(f"\n{ward.sent} packs, {alarms} alarms, {len(patients)} monitors")
    assert page.evaluate("window.same") is True
    # What stands on it after all that is what a wall shows that was opened just now.
    new = visitor(NURSE, viewport={"width": 1920, "height": 1080})
    new.goto("/wall")
    shown = new.evaluate(NUMBERS)
    assert len(shown) >= len(patients)
    for _ in range(40):
        if page.evaluate(NUMBERS) == new.evaluate(NUMBERS):
            break
        page.wait_for_timeout(250)
    else:
        assert page.evaluate(NUMBERS) == new.evaluate(NUMBERS)
    quarter = len(samples) // 4
    for name in samples[-1]:
        early = statistics.median(one[name] for one in samples[quarter : 2 * quarter])
        late = statistics.median(one[name] for one in samples[-quarter:])
        print(f"{name}: {early:.0f} → {late:.0f} ({late / early:.2f})")
        if name in COUNTED or "web" in name:
            assert late <= 1.15 * early + (10 if name.startswith("bedside") else 20), name
