"""The journey that must never break, by the people who make it: cuff, nurse, clinician, patient, pharmacist.

The running program, a real MQTT client that we did not write (paho), real Chromium for each person, fake cameras.
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from playwright.sync_api import Page, expect
from tests.journeys.visiting import links_of, new_link
from tools.clinic import SEED, Clinic

from bedside.demo import histories
from bedside.demo.histories import STORY, Patient

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PASSWORD = "quiet harbor lantern"
CAMERA: dict[str, Any] = {"permissions": ["camera", "microphone"]}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}}
MOVING = """video => new Promise(done => {
    const canvas = document.createElement('canvas');
    canvas.width = 64; canvas.height = 48;
    const paint = canvas.getContext('2d', { willReadFrequently: true });
    const look = () => { paint.drawImage(video, 0, 0, 64, 48); return paint.getImageData(0, 0, 64, 48).data.join(); };
    const first = look();
    const began = performance.now();
    const again = () => {
        if (video.videoWidth > 0 && look() !== first) done(true);
        else if (performance.now() - began > 20000) done(false);
        else setTimeout(again, 100);
    };
    again();
})"""


SHOWS = """([where, who, words]) => [...document.querySelectorAll(where)].some(
    one => one.textContent.includes(who) && one.textContent.includes(words))"""


def seen(page: Page, where: str, who: str, words: str) -> None:
    """Until that stood there, though it were for one picture: the patient's own simulated cuff goes on measuring."""
    page.wait_for_function(SHOWS, arg=[where, who, words])


class Times:
    """How long each step took, printed at the end."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.steps.append((name, time.monotonic() - began))

    def __str__(self) -> str:
        return "\n".join(f"  {seconds:6.2f} s  {name}" for name, seconds in self.steps)


def somebody(clinic: Clinic) -> Patient:
    """A seeded adult with high pressure who is not the demo's own story."""
    drawn = histories.draw(SEED, 40, clinic.day)
    return next(p for p in drawn if p.kind.key == "hypertension" and p.key != STORY)


@contextmanager
def cuff(clinic: Clinic, patient: str) -> Iterator[Callable[[int, int], dict[str, Any]]]:
    """A device added from the command line while the program runs; call it with a pressure, get Bedside's own ack."""
    added = subprocess.run(
        [
            *(sys.executable, "-m", "bedside", "device", "add", "--home", str(clinic.home)),
            *("--patient", patient, "--kind", "blood-pressure", "--json"),
        ],
        capture_output=True,
        check=True,
        timeout=60,
    )
    card = json.loads(added.stdout)
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    ready: queue.Queue[int] = queue.Queue()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="journey-cuff", protocol=mqtt.MQTTv311)
    client.username_pw_set(card["username"], card["password"])
    client.on_message = lambda _client, _data, message: answers.put(json.loads(message.payload))
    client.on_subscribe = lambda *_: ready.put(1)
    client.on_connect = lambda *_: client.subscribe(card["ack_topic"], 1)
    client.connect("127.0.0.1", clinic.mqtt_port)
    client.loop_start()
    ready.get(timeout=15)
    seq = 0

    def measure(systolic: int, diastolic: int) -> dict[str, Any]:
        nonlocal seq
        seq += 1
        at = round(time.time(), 3)  # of both: two halves of different moments are no blood pressure
        pack = [
            {"n": "seq", "v": seq},
            {"n": "8480-6", "u": "mm[Hg]", "v": systolic, "t": at},
            {"n": "8462-4", "u": "mm[Hg]", "v": diastolic, "t": at},
        ]
        client.publish(card["topic"], json.dumps(pack), qos=1).wait_for_publish(10)
        while (answer := answers.get(timeout=15))["seq"] != seq:
            pass
        return answer

    try:
        yield measure
    finally:
        client.disconnect()
        client.loop_stop()


def test_from_the_cuff_to_who_looked(clinic: Clinic, visitor: Callable[..., Page], capsys: Any) -> None:
    patient = somebody(clinic)
    with cuff(clinic, patient.id) as measure:
        journey(patient, measure, visitor, capsys)


def journey(
    patient: Patient, measure: Callable[[int, int], dict[str, Any]], visitor: Callable[..., Page], capsys: Any
) -> None:
    times = Times()

    nurse = visitor("Amina Haddad", viewport={"width": 1920, "height": 1080})
    nurse.goto("/wall")
    tile = nurse.get_by_role("article").filter(has_text=patient.name).first
    tile.wait_for()

    with times.step("178/112 sent and acknowledged as stored"):
        assert measure(178, 112)["stored"] == 2
    with times.step("and seen as an alarm on the nurse's wall, without a reload"):
        seen(nurse, "article", patient.name, "178/112")
        expect(tile).to_contain_text("Medium")

    with times.step("the nurse acknowledges and hands the patient to the clinician"):
        tile.get_by_role("link").click()
        nurse.get_by_role("button", name="Acknowledge").first.click()
        expect(tile).to_contain_text("Amina Haddad")
        nurse.get_by_role("link", name="Invite to video").first.click()
        nurse.get_by_label("Reason").fill("Pressure 178/112, repeated at rest")
        nurse.get_by_label("Hand to the clinician on duty").select_option(label="Elena Ruiz")
        nurse.get_by_role("button", name="Hand over").click()
        nurse.get_by_role("heading", name="Visit", level=1, exact=True).wait_for()

    clinician = visitor("Elena Ruiz", viewport={"width": 1440, "height": 900}, **CAMERA)
    with times.step("the clinician takes it, and the patient is invited"):
        clinician.goto("/visits")
        outbox = visitor()
        before = links_of(outbox, "/join/")
        clinician.get_by_role("row").filter(has_text="Pressure 178/112").get_by_role("link").first.click()
        clinician.get_by_role("button", name="Take it and invite the patient").click()
        expect(clinician.get_by_text("has been sent a link")).to_be_visible()

    link = new_link(outbox, "/join/", before)
    phone = visitor(None, **PHONE, **CAMERA)
    with times.step("the patient opens the link, says who and where they are, and checks the camera"):
        phone.goto(link)
        phone.goto(link)  # looking consumes nothing
        phone.get_by_label("Your first and last name").fill(patient.name)
        for part, value in (("Day", patient.birth_date.day), ("Month", patient.birth_date.month)):
            phone.get_by_label(part, exact=True).fill(str(value))
        phone.get_by_label("Year", exact=True).fill(str(patient.birth_date.year))
        phone.get_by_role("button", name="Continue").click()
        phone.get_by_label("Street, number and town").fill("12 Mill Lane, New York")
        phone.get_by_label("State", exact=True).select_option(label="New York")
        phone.get_by_label("Number on which we can call you back").fill("+1 212 555 0199")
        phone.get_by_label(re.compile("I agree to be seen by video")).check()
        phone.get_by_role("button", name="Continue").click()
        expect(phone.get_by_text("The camera works.")).to_be_visible()

    clinician.get_by_role("button", name="Mute").wait_for()
    with times.step("join to moving pictures on both sides"):
        phone.get_by_role("link", name="Join the visit").click()
        for page, name in ((phone, "Elena Ruiz"), (clinician, patient.name)):
            video = page.get_by_role("figure").filter(has_text=name).locator("video")
            video.wait_for()
            assert video.evaluate(MOVING), f"the picture of {name} stands still"
    expect(phone.get_by_role("status").filter(has_text="Connected")).to_be_visible()
    with times.step("a new reading stands beside the picture"):
        measure(177, 111)
        seen(clinician, "[aria-label='Live vitals']", "", "177")
    expect(clinician.get_by_text("12 Mill Lane, New York")).to_be_visible()
    expect(clinician.get_by_text("Licensed in New York")).to_be_visible()

    with times.step("a word by chat, both ways"):
        for page in (phone, clinician):
            page.get_by_role("button", name="Chat").click()
        clinician.get_by_label("Message").fill("Can you hear me well?")
        clinician.get_by_role("button", name="Send", exact=True).click()
        expect(phone.get_by_role("log", name="Captions")).to_contain_text("Can you hear me well?")
        expect(phone.get_by_role("listitem").filter(has_text="Can you hear me well?")).to_be_visible()

    with times.step("the patient's page is reloaded, and the picture is back"):
        phone.reload()
        again = phone.get_by_role("figure").filter(has_text="Elena Ruiz").locator("video")
        again.wait_for()
        assert again.evaluate(MOVING)

    with times.step("the note is typed, saved by itself and signed"):
        clinician.get_by_role("textbox", name="Note").fill("No headache, no chest pain. Increase treatment.")
        expect(clinician.get_by_text("Saved", exact=True)).to_be_visible()
        clinician.get_by_label("Your password, once more").fill(PASSWORD)
        clinician.get_by_role("button", name="Sign the note").click()
        expect(clinician.get_by_text("Signed by Elena Ruiz")).to_be_visible()

    with times.step("a prescription is checked, signed and sent"):
        clinician.get_by_role("tab", name="Medicines").click()
        with clinician.context.expect_page() as opened:
            clinician.get_by_role("link", name="Prescribe").click()
        rx = opened.value
        rx.get_by_label("Medicine, ingredient or class").fill("chlorthalidone")
        rx.get_by_role("button", name="Search").click()
        rx.get_by_role("link", name="Chlorthalidone 25 mg tablet").click()
        rx.get_by_role("button", name="Check and go to signing").click()
        expect(rx.get_by_text("Not checked:")).to_be_visible()
        for number, reason in enumerate(rx.get_by_label("Why it is right all the same").all()):
            reason.fill(f"considered, {number}")
        rx.get_by_label("Your password, once more").fill(PASSWORD)
        rx.get_by_role("button", name="Sign and send to the pharmacy").click()
        expect(rx.get_by_text("sent, not accepted yet")).to_be_visible()

    pharmacist = visitor("Grace Lin")
    with times.step("the pharmacist accepts and dispenses it"):
        pharmacist.goto("/pharmacy")
        pharmacist.get_by_role("row").filter(has_text=patient.name).get_by_role("link").click()
        pharmacist.get_by_role("button", name="Accept").click()
        pharmacist.get_by_role("button", name="Dispensed").click()
        expect(pharmacist.get_by_role("row").filter(has_text=patient.name)).to_contain_text("dispensed")

    with times.step("the visit is ended for both"):
        clinician.get_by_role("button", name="End", exact=True).click()
        clinician.get_by_role("button", name="End the visit").click()
        phone.wait_for_url("**/visit/over")
        expect(clinician.get_by_text("finished", exact=True).first).to_be_visible()

    with times.step("the patient reads who looked"):
        home = visitor(patient.name, **PHONE)
        home.goto("/me/who-looked")
        for name in ("Amina Haddad", "Elena Ruiz", "Grace Lin"):
            expect(home.get_by_text(name).first).to_be_visible()

    with capsys.disabled():
        print(f"\nThe journey, {patient.kind.key}:\n{times}")
