"""A clinic's first day, from an empty directory to a chart that came back from a backup of a home that is no more.

In real Chromium, by TLS, with a virtual authenticator for every passkey, a real SMTP server, a real MQTT client, and
only what a small clinic's own person would type. Prints how long each part took.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.faults.test_backup import gone, until
from tests.foundation.program import Program
from tests.journeys.test_journey import MOVING, Times
from tools import chromium
from tools.ports import free_port

from bedside.foundation import certificates
from bedside.foundation.backup import settings as backups

pytestmark = [pytest.mark.journey, pytest.mark.alone, pytest.mark.timeout(420)]

CAMERA = {"permissions": ["camera", "microphone"]}
ADMINISTRATOR, CLINICIAN, NURSE = "Pat Morgan", "Ana Ruiz", "Tom Berg"
PATIENTS = (
    ("Rosa", "Núñez", "1951-03-02", "female"),
    ("Ben", "Okoro", "1978-11-30", "male"),
    ("Mai", "Lind", "2001-05-17", "female"),
)
READING = (164, 98)
COLUMNS = (
    "name,email,role,phone,language,place,step,licence_place,licence_number,licence_kind,licence_from,licence_until,"
    "licence_source"
).split(",")


@dataclass
class Post:
    """What the SMTP server took, by address."""

    letters: list[tuple[str, str]] = field(default_factory=list)

    async def handle_DATA(self, _: object, __: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = message_from_bytes(envelope.content)
        part = next(one for one in message.walk() if one.get_content_type() == "text/plain")
        text = part.get_payload(decode=True)
        assert isinstance(text, bytes)
        self.letters += [(to, text.decode()) for to in envelope.rcpt_tos]
        return "250 taken"

    def link(self, to: str, path: str) -> str:
        """The newest link of that kind in that person's mail; waits for it."""
        end = time.monotonic() + 60
        while True:
            found = [link for who, text in self.letters if who == to for link in re.findall(r"https://\S+", text)]
            if links := [link for link in found if path in link]:
                return links[-1].rstrip(".")
            assert time.monotonic() < end, f"no {path} for {to} among {[who for who, _ in self.letters]}"
            time.sleep(0.1)


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    taken = Post()
    controller = Controller(taken, hostname="127.0.0.1", port=free_port())
    controller.start()
    monkeypatch.setenv("BEDSIDE_SMTP_URL", f"smtp://127.0.0.1:{controller.port}")
    monkeypatch.setenv("BEDSIDE_SMTP_FROM", "clinic@sol.example")
    yield taken
    controller.stop()


@dataclass
class House:
    """Where the clinic lives, and the browser of whoever comes to it: each person has a profile and a passkey."""

    folder: Path
    pair: certificates.Pair
    browser: Browser
    program: Program
    people: dict[str, BrowserContext] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"https://localhost:{self.program.port}"

    def bedside(self, *words: str, home: bool = True) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bedside", *words, *(("--home", str(self.program.home)) if home else ())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def visitor(self, name: str, **options: Any) -> Page:
        """A page of that person's own browser profile, with an authenticator of their own."""
        context = self.browser.new_context(base_url=self.address, **options)
        context.set_default_timeout(20_000)
        self.people[name] = context
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        made = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
        made |= {"isUserVerified": True, "automaticPresenceSimulation": True}
        devtools.send("WebAuthn.addVirtualAuthenticator", {"options": made})
        return page


def trusted(pair: certificates.Pair) -> str:
    """Chromium's option by which it takes this one certificate for good: passkeys want a sound connection."""
    key = x509.load_pem_x509_certificate(pair[0].read_bytes()).public_key()
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    spki = key.public_bytes(serialization.Encoding.DER, form)
    return f"--ignore-certificate-errors-spki-list={b64encode(sha256(spki).digest()).decode()}"


@pytest.fixture
def house(tmp_path: Path, post: Post) -> Iterator[House]:
    pair = certificates.own(tmp_path / "tls", "localhost")
    program = Program(tmp_path / "home", options=("--tls-cert", str(pair[0]), "--tls-key", str(pair[1])))
    program.scheme, program.trust = "https", ssl.create_default_context(cafile=str(pair[0]))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS, trusted(pair)])
        yield House(tmp_path, pair, browser, program)
        browser.close()
    program.end()


def passkey(page: Page, link: str) -> None:
    """Open a one-time link and begin with a passkey."""
    page.goto(link)
    page.get_by_role("button", name="Set up a passkey").click()
    page.wait_for_url(lambda url: "/enter/" not in url)


def staff() -> bytes:
    """Twenty colleagues as a clinic's spreadsheet holds them."""
    out = io.StringIO()
    rows = csv.DictWriter(out, COLUMNS, restval="")
    rows.writeheader()
    licence = {"licence_place": "US-NY", "licence_number": "NY-1", "licence_kind": "full"}
    licence |= {"licence_from": "2020-01-01", "licence_until": "2031-12-31", "licence_source": "the register"}
    rows.writerow(
        {
            "name": CLINICIAN,
            "email": "ana@sol.example",
            "role": "clinician",
            "language": "en",
            "place": "Ward 1",
            "step": "2",
            **licence,
        }
    )
    rows.writerow(
        {"name": NURSE, "email": "tom@sol.example", "role": "nurse", "language": "en", "place": "Ward 1", "step": "1"}
    )
    for n in range(18):
        rows.writerow({"name": f"Colleague {n}", "email": f"c{n}@sol.example", "role": "nurse", "language": "es"})
    return out.getvalue().encode()


def register(page: Page, given: str, family: str, born: str, sex: str) -> str:
    """At the desk, with an e-mail and an invitation; the patient's id."""
    page.goto("/patients/new")
    page.get_by_label("Given names").fill(given)
    page.get_by_label("Family names").fill(family)
    page.get_by_label("Birth date", exact=True).fill(born)
    page.get_by_label("Sex in the register").select_option(sex)
    page.get_by_role("textbox", name="E-mail").fill(f"{given.lower()}@home.example")
    page.get_by_label("Watched in").select_option(label="Ward 1")
    page.get_by_label("Invite them to sign in").check()
    page.get_by_role("button", name="Register", exact=True).click()
    page.get_by_role("link", name="Open the chart").click()
    page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}"))
    found = re.search(r"/patients/([0-9a-f-]{36})", page.url)
    assert found is not None
    return found[1]


def device(page: Page, patient: str, trust: Path) -> Callable[[], None]:
    """Adds a cuff on its page; call what comes back, and it publishes by TLS as its card says, and is answered."""
    page.goto("/devices/new")
    page.get_by_label("What it measures").select_option(label="Blood-pressure cuff")
    page.get_by_label("Patient (optional)").select_option(patient)
    page.get_by_role("button", name="Add it and show its card").click()
    page.get_by_text("The device is added, and works at once").wait_for()
    card = page.locator(".sheet dl").inner_text().split("\n")
    said = dict(zip(card[::2], card[1::2], strict=True))

    def publish() -> None:
        answers: list[dict[str, Any]] = []
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="first-day", protocol=mqtt.MQTTv311)
        client.username_pw_set(said["User name"], said["Password"])
        client.tls_set_context(ssl.create_default_context(cafile=str(trust)))
        client.on_message = lambda _c, _u, message: answers.append(json.loads(message.payload))
        client.on_connect = lambda *_: client.subscribe(said["Hears on"], 1)
        pack, at = [{"n": "seq", "v": 1}], round(time.time(), 3)  # one moment: else it is no pressure
        pack += [
            {"n": name, "u": "mm[Hg]", "v": value, "t": at}
            for name, value in zip(("systolic", "diastolic"), READING, strict=True)
        ]
        client.on_subscribe = lambda *_: client.publish(said["Sends to"], json.dumps(pack), qos=1)
        client.connect("localhost", int(said["Port"].split()[0]))
        client.loop_start()
        until(lambda: bool(answers))
        client.disconnect()
        client.loop_stop()
        client.on_message = client.on_connect = client.on_subscribe = None
        assert answers[0]["stored"] == 2

    return publish


def visit(house: House, post: Post, clinician: Page, patient: str) -> None:
    """Invited by the clinician, joined from the link in the mail; both see moving pictures; ended."""
    clinician.goto(f"/patients/{patient}/visit")
    clinician.get_by_label("Reason").fill("First visit")
    clinician.get_by_role("button", name="Invite the patient").click()
    clinician.wait_for_url(re.compile(r"/visits/[0-9a-f-]{36}$"))
    given, family, born, _ = PATIENTS[0]
    phone = house.visitor("phone", viewport={"width": 360, "height": 740}, **CAMERA)
    phone.goto(post.link("rosa@home.example", "/join/"))
    phone.get_by_label("Your first and last name").fill(f"{given} {family}")
    year, month, day = born.split("-")
    for label, value in (("Day", day), ("Month", month), ("Year", year)):
        phone.get_by_label(label, exact=True).fill(str(int(value)))
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Street, number and town").fill("12 Mill Lane, New York")
    phone.get_by_label("State", exact=True).select_option(label="New York")
    phone.get_by_label("Number on which we can call you back").fill("+1 212 555 0199")
    phone.get_by_label(re.compile("I agree to be seen by video")).check()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_text("The camera works.")).to_be_visible()
    phone.get_by_role("link", name="Join the visit").click()
    for page, name in ((phone, CLINICIAN), (clinician, f"{given} {family}")):
        video = page.get_by_role("figure").filter(has_text=name).locator("video")
        video.wait_for()
        assert video.evaluate(MOVING), f"the picture of {name} stands still"
    clinician.get_by_role("button", name="End", exact=True).click()
    clinician.get_by_role("button", name="End the visit").click()
    phone.wait_for_url("**/visit/over")


def chart(page: Page, patient: str) -> bytes:
    """What the record holds of a patient, as its own door gives it to this person's browser."""
    kinds = ("Patient?_id=", "Encounter?patient=", "DocumentReference?patient=", "Observation?patient=")
    parts = []
    for kind in kinds:
        path = f"/fhir/R4/{kind}{patient}&_count=200&_sort=_id"
        found = page.evaluate("path => fetch(path).then(answer => answer.json())", path)
        parts += [json.dumps(entry["resource"], sort_keys=True).encode() for entry in found.get("entry", [])]
    return b"\n".join(parts)


def test_from_an_empty_directory_to_a_chart_that_came_back(house: House, post: Post, capsys: Any) -> None:
    times, begun = Times(), time.monotonic()
    with times.step("bedside init, and the program runs"):
        told = json.loads(
            house.bedside(
                *("init", "--yes", "--json", "--name", "Clinic of the Sun", "--zone", "America/New_York"),
                *("--country", "US", "--telephone", "+1 212 555 0100", "--admin-name", ADMINISTRATOR),
                *("--admin-email", "pat@sol.example", "--language", "en", "--public-url", house.address),
            )
        )
        house.program.start()
    with times.step("the first administrator is in, by a passkey"):
        pat = house.visitor(ADMINISTRATOR, viewport={"width": 1440, "height": 900})
        passkey(pat, told["link"])
        pat.goto("/admin")
        expect(pat.get_by_role("heading", name="First steps")).to_be_visible()
    with times.step("a ward, twenty colleagues from a spreadsheet"):
        pat.goto("/admin/places")
        pat.get_by_label("Name").fill("Ward 1")
        pat.get_by_role("button", name=re.compile("^Add")).click()
        pat.goto("/admin/people/import")
        pat.locator("input[type=file]").set_input_files(
            {"name": "staff.csv", "mimeType": "text/csv", "buffer": staff()}
        )
        pat.locator("main form button").first.click()
        pat.get_by_role("button", name="Import these 20").click()
        expect(pat.get_by_text("20 colleagues have a link each.")).to_be_visible()
    with times.step("clinician and nurse begin by the links in their mail"):
        ana = house.visitor(CLINICIAN, viewport={"width": 1440, "height": 900}, **CAMERA)
        passkey(ana, post.link("ana@sol.example", "/enter/"))
        tom = house.visitor(NURSE, viewport={"width": 1440, "height": 900})
        passkey(tom, post.link("tom@sol.example", "/enter/"))
    with times.step("three patients are registered and invited"):
        ids = [register(ana, *one) for one in PATIENTS]
        assert post.link("mai@home.example", "/enter/")
    with times.step("a cuff is added on its page and publishes by TLS; the chart shows it"):
        publish = device(ana, ids[0], house.pair[0])
        publish()
        ana.goto(f"/patients/{ids[0]}")
        expect(ana.get_by_text("164/98").first).to_be_visible()
    with times.step("the first visit"):
        visit(house, post, ana, ids[0])
    first_visit = time.monotonic() - begun
    with times.step("a test notice is sent, and taken by the mail server"):
        pat.goto("/admin/start")
        pat.get_by_role("button", name="Send it to me").click()
        until(lambda: any(to == "pat@sol.example" for to, _ in post.letters))

    store, key = house.folder / "other-disk" / "backups", house.folder / "safe" / "key"
    with times.step("backups are set up, and the first base is whole"):
        house.bedside("backup", "init", "--to", str(store), "--window", "2", "--key-file", str(key))
        until(lambda: backups.state(house.program.home).based is not None)
        house.bedside("backup", "verify", "--key", str(key))
    with times.step("a second backup, by hand"):
        out = house.bedside("backup")
    pat.goto("/admin/start")
    pat.get_by_role("button", name="All done: put this list away").click()
    pat.wait_for_url("**/admin")
    before = chart(ana, ids[0])
    assert b"164" in before
    last = house.program.home
    written = time.time()
    until(lambda: (backups.state(last).until or 0) and backups.state(last).until.timestamp() > written)  # type: ignore[union-attr]

    with times.step("everything is killed, the home deleted"):
        os.kill(house.program.running()["pid"], signal.SIGKILL)
        until(lambda: gone(last))
        assert house.program.process is not None
        house.program.process.wait(20)
        shutil.rmtree(last)
    recovery = time.monotonic()
    with times.step("restored, and the program runs again"):
        out += house.bedside("restore", "--from", str(store), "--key", str(key))
        house.program.start()
    with times.step("the same clinician, by the same passkey, reads the same chart"):
        page = ana.context.new_page() if ana.is_closed() else ana
        page.context.clear_cookies()
        page.goto("/sign-in")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        assert chart(page, ids[0]) == before
    recovery = time.monotonic() - recovery
    house.bedside("audit", "verify")
    with capsys.disabled():
        print(
            f"\nA clinic's first day:\n{times}\n"
            f"  first visit over after {first_visit / 60:.1f} min; recovered in {recovery:.1f} s; chart of "
            f"{len(before):,} bytes equal; {len(post.letters)} letters; every first step done\n{out}"
        )
