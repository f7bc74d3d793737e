"""The first day at the desk, by roles and labels: a patient past a likely duplicate, and a device that really sends."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable
from typing import Any

import orjson
import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect
from tests.journeys.axe import RULES, looked_at
from tests.journeys.pages import NURSE, PATIENT
from tools.clinic import Clinic

from bedside.demo.histories import STORY_BORN

pytestmark = pytest.mark.journey


def axe(tab: Tab) -> None:
    """Nothing is found on what this page shows now, an answer to a form that no address leads to."""
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in looked_at(tab, RULES)] == []


def fill(tab: Tab, family: str) -> None:
    tab.get_by_label("Given names").fill(PATIENT.split()[0])
    tab.get_by_label("Family names").fill(family)
    tab.get_by_label("Birth date", exact=True).fill(STORY_BORN.isoformat())
    tab.get_by_label("Sex in the register").select_option("female")


def test_registered_past_a_likely_duplicate_without_scripts(visitor: Callable[..., Tab]) -> None:
    nurse = visitor(NURSE, java_script_enabled=False)
    nurse.goto("/patients?q=Zyxwvut")
    nurse.get_by_role("link", name="Somebody new? Register them").click()
    nurse.get_by_role("button", name="Register", exact=True).click()
    expect(nurse.get_by_text("Nobody is registered yet")).to_be_visible()
    fill(nurse, PATIENT.split()[-1].upper())
    nurse.get_by_label("Street and number").fill("12 Mill Lane")
    nurse.get_by_role("button", name="Register", exact=True).click()
    row = nurse.get_by_role("row").filter(has_text=PATIENT)
    expect(row.get_by_role("link", name=re.compile("Open this one"))).to_be_visible()
    expect(nurse.get_by_label("Street and number")).to_have_value("12 Mill Lane")
    nurse.get_by_role("button", name="Make a new one all the same").click()
    expect(nurse.get_by_text("Say how you know that it is somebody else")).to_be_visible()
    nurse.get_by_label("Somebody else? Say how you know").fill("her cousin, both cards seen")
    nurse.get_by_role("button", name="Make a new one all the same").click()
    expect(nurse).to_have_url(re.compile(r"/patients/[0-9a-f-]{36}\?registered$"))
    expect(nurse.get_by_text("The patient is registered, and in your care")).to_be_visible()
    nurse.get_by_role("link", name="Invite them to sign in").click()
    nurse.get_by_role("button", name="Make the sheet").click()
    expect(nurse.get_by_text("The sheet is ready")).to_be_visible()
    link = nurse.locator("code").inner_text()
    patient = visitor(java_script_enabled=False)
    patient.goto(link)
    for label in ("New password", "The same again"):
        patient.get_by_label(label).fill("orchard ladder winter tin")
    patient.get_by_role("button", name="Save and go on").click()
    expect(patient).to_have_url(re.compile("/home$"))


def test_what_forms_answer_with_is_in_order(visitor: Callable[..., Tab]) -> None:
    for width in (360, 1440):
        nurse = visitor(NURSE, bypass_csp=True, reduced_motion="reduce", viewport={"width": width, "height": 3000})
        nurse.goto("/patients/new")
        nurse.get_by_role("button", name="Register", exact=True).click()
        nurse.get_by_text("Nobody is registered yet").wait_for()
        axe(nurse)
        fill(nurse, PATIENT.split()[-1])
        nurse.get_by_role("button", name="Register", exact=True).click()
        nurse.get_by_role("heading", name="Perhaps here already").wait_for()
        axe(nurse)
        assert nurse.evaluate("document.documentElement.scrollWidth") <= width
        fill(nurse, f"Nobodyelse{width}")
        nurse.get_by_label("Birth date", exact=True).fill("2001-02-03")
        nurse.get_by_label("Invite them to sign in").check()
        nurse.get_by_role("button", name="Look again").click()
        nurse.get_by_text("The sheet is ready").wait_for()
        axe(nurse)
        assert nurse.evaluate("document.documentElement.scrollWidth") <= width


class Cuff:
    """A real MQTT client, told what the card says."""

    def __init__(self, host: str, port: int, user: str, password: str, hears: str) -> None:
        self.connected: queue.Queue[int] = queue.Queue()
        self.left: queue.Queue[float] = queue.Queue()
        self.listens: queue.Queue[int] = queue.Queue()
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"desk-{user}", protocol=mqtt.MQTTv311)
        self.client.username_pw_set(user, password)
        self.client.on_connect = self._came
        self.client.on_disconnect = lambda *_: self.left.put(time.monotonic())
        self.client.on_subscribe = lambda *_: self.listens.put(1)
        self.client.on_message = lambda _c, _u, message: self.answers.put(orjson.loads(message.payload))
        self.hears = hears
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async(host, port, keepalive=10)
        self.client.loop_start()

    def _came(self, client: mqtt.Client, _u: object, _f: object, code: Any, _p: object) -> None:
        client.subscribe(self.hears, 1)
        self.connected.put(code.value)

    def stop(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        client = self.client
        client.on_connect = client.on_disconnect = client.on_subscribe = client.on_message = None


def test_a_device_whose_card_connects_and_sends_is_then_retired_and_refused(
    visitor: Callable[..., Tab], clinic: Clinic
) -> None:
    nurse = visitor(NURSE, bypass_csp=True, viewport={"width": 1440, "height": 3000})
    nurse.goto("/today")
    nurse.get_by_role("link", name="Devices", exact=True).first.click()
    nurse.get_by_role("link", name="Add a device").first.click()
    nurse.get_by_label("What it measures").select_option(label="Weighing scale")
    nurse.get_by_label("What you call it").fill("Scale 7")
    option = nurse.get_by_label("Patient (optional)").locator("option").nth(1)
    nurse.get_by_label("Patient (optional)").select_option(option.get_attribute("value"))
    nurse.get_by_role("button", name="Add it and show its card").click()
    nurse.get_by_text("The device is added, and works at once").wait_for()
    axe(nurse)
    card = nurse.locator(".sheet dl").inner_text().split("\n")
    said = dict(zip(card[::2], card[1::2], strict=True))
    host, port = said["Address"], int(said["Port"].split()[0])
    assert port == clinic.mqtt_port
    cuff = Cuff(host, port, said["User name"], said["Password"], said["Hears on"])
    try:
        assert cuff.connected.get(timeout=20) == 0
        cuff.listens.get(timeout=20)
        pack = [{"n": "seq", "v": 1}, {"n": "weight", "u": "kg", "v": 71.5, "t": time.time()}]
        cuff.client.publish(said["Sends to"], orjson.dumps(pack), qos=1).wait_for_publish(10)
        assert cuff.answers.get(timeout=20)["stored"] == 1
        nurse.get_by_role("link", name="The device's page").click()
        expect(nurse.get_by_role("row").filter(has_text="71.5")).to_be_visible()
        axe(nurse)
        nurse.get_by_text("Retire this device", exact=True).click()
        nurse.get_by_role("button", name="Yes, retire it for good").click()
        expect(nurse.get_by_text("The device is retired", exact=True)).to_be_visible()
        cuff.left.get(timeout=20)
        assert cuff.connected.get(timeout=20) == 135, "it comes back by itself, and is refused"
    finally:
        cuff.stop()
