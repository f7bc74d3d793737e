"""A visit under way, an alarm, prescriptions: made once by the people who make them, so that every page has something
to show. The pages of pages.py whose address holds an id name it in braces: "/visits/{visit}".
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab
from tests.journeys.pages import ADMINISTRATOR, CLINICIAN, NURSE, PATIENT
from tests.journeys.visiting import OUTBOX, links_of, new_link, says_where, sign_in

from bedside.demo.histories import STORY_BORN

PASSWORD = "quiet harbor lantern"


def prepare(browser: Browser, address: str) -> dict[str, str]:
    """What the braces stand for: patient, visit, waiting, join, draft, prescription, thread, alarm, twice, colleague,
    request, call, device, planned, result (with its type), note."""
    clinician = browser.new_context(base_url=address).new_page()
    sign_in(clinician, CLINICIAN)
    clinician.goto(f"/patients?q={PATIENT.split()[-1]}")
    clinician.get_by_role("link", name=PATIENT).first.click()
    clinician.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}$"))
    found = {"patient": last(clinician)}

    found["draft"] = prescribe(clinician, found["patient"], "amlodipine")
    found["prescription"] = prescribe(clinician, found["patient"], "chlorthalidone")
    for number, reason in enumerate(clinician.get_by_label("Why it is right all the same").all()):
        reason.fill(f"considered, {number}")
    clinician.get_by_label("Your password, once more").fill(PASSWORD)
    clinician.get_by_role("button", name="Sign and send to the pharmacy").click()
    clinician.get_by_text("sent, not accepted yet").wait_for()

    # Two visits: one waits for its patient, in the other both have said who and where they are.
    found["waiting"], found["join"] = invite(clinician, found["patient"], "Dizzy since the morning")
    found["visit"], _ = invite(clinician, found["patient"], "Pressure at rest")
    patient = browser.new_context(base_url=address).new_page()
    sign_in(patient, PATIENT)
    says_where(patient, found["visit"])

    found["planned"] = plan(clinician, found["patient"], "After the blood test")
    clinician.goto("/work")
    result = clinician.get_by_role("link", name="Electrolytes").first.get_attribute("href") or ""
    found["result"] = result.removeprefix("/results/")
    found["thread"] = asks(patient, "Desde ayer tomo el amlodipino y tengo los tobillos hinchados. ¿Sigo tomándolo?")
    clinician.goto(f"/messages/{found['thread']}")
    clinician.get_by_label("Your answer").fill("Thank you for telling us. Keep taking it until we have spoken today.")
    clinician.get_by_role("button", name="Send the answer").click()
    clinician.get_by_text("Keep taking it").wait_for()
    patient.goto(f"/messages/{found['thread']}")
    patient.get_by_label("Su mensaje").fill("Gracias. ¿A qué hora me llaman?")
    patient.get_by_role("button", name="Enviar").click()
    patient.get_by_text("¿A qué hora").wait_for()
    patient.goto("/readings/rest")
    patient.locator("main input[type=checkbox]").first.check()
    patient.locator("main form button").first.click()
    clinician.goto("/alarms")
    link = clinician.get_by_role("row").filter(has_text=PATIENT).locator("a[href^='/alarms/']").first
    found["alarm"] = (link.get_attribute("href") or "").removeprefix("/alarms/")
    clinician.goto("/patients/duplicates")
    pair = clinician.get_by_role("link", name=re.compile("^Compare ")).first.get_attribute("href") or ""
    found["twice"] = pair.removeprefix("/patients/duplicates/")
    found["note"] = draft(browser, address, found["thread"])
    emergency(browser, address, found["twice"].partition("/")[0])
    found["request"] = ask(browser, address)
    found["call"] = ask_for_call(browser, address)
    clinician.goto(f"/patients/{found['patient']}/devices")
    held = clinician.get_by_role("row").locator("a[href^='/devices/']").first.get_attribute("href") or ""
    found["device"] = held.removeprefix("/devices/")
    administrator = browser.new_context(base_url=address).new_page()
    sign_in(administrator, ADMINISTRATOR)
    administrator.goto("/admin")
    colleague = administrator.get_by_role("link", name=CLINICIAN, exact=True).first.get_attribute("href") or ""
    found["colleague"] = colleague.removeprefix("/admin/people/")
    # An invitation that comes back, so that somebody is not reached.
    administrator.get_by_label("Name", exact=True).fill("Kim Park")
    administrator.get_by_label("E-mail").fill("kim.park@clinic.invalid")
    administrator.get_by_role("button", name="Add and invite").click()
    administrator.goto("/admin/notices")
    until = time.monotonic() + OUTBOX
    while not administrator.get_by_text("Kim Park").count():
        assert time.monotonic() < until, "the invitation that comes back is among no notices"
        administrator.wait_for_timeout(100)
        administrator.reload()
    for tab in (clinician, patient, administrator):
        tab.context.close()
    return found


def draft(browser: Browser, address: str, thread: str) -> str:
    """A nurse makes a draft note of a conversation; its id."""
    nurse = browser.new_context(base_url=address).new_page()
    sign_in(nurse, NURSE)
    nurse.goto(f"/messages/{thread}")
    nurse.get_by_role("button", name="A draft note").click()
    link = nurse.get_by_role("link", name="Finish the draft note").get_attribute("href") or ""
    nurse.context.close()
    return link.removeprefix("/notes/")


def emergency(browser: Browser, address: str, patient: str) -> None:
    """Somebody opens a record that nothing connects them with."""
    clinician = browser.new_context(base_url=address).new_page()
    sign_in(clinician, "Samuel Okafor")
    clinician.goto(f"/emergency/{patient}")
    clinician.get_by_label("Why").first.fill("Brought in unconscious, nobody knows her medicines")
    clinician.get_by_label("Your password, once more").fill(PASSWORD)
    clinician.get_by_role("button", name="Open the record").click()
    clinician.wait_for_url(re.compile(r"/patients/"))
    clinician.context.close()


def ask(browser: Browser, address: str) -> str:
    """Somebody like the patient asks to be registered, and confirms their e-mail; the id of the request."""
    visitor = browser.new_context(base_url=address).new_page()
    before = links_of(visitor, "/register/")
    visitor.goto("/register")
    for label, value in (("Given names", PATIENT.split()[0]), ("Family names", PATIENT.split()[-1])):
        visitor.get_by_label(label).fill(value)
    visitor.get_by_label("Birth date", exact=True).fill(STORY_BORN.isoformat())
    visitor.get_by_label("Sex in the register").select_option("female")
    visitor.get_by_label("E-mail").fill("rosa.at.home@example.org")
    visitor.get_by_role("button", name="Send").click()
    visitor.get_by_role("heading", name="Look into your mail").wait_for()
    sign_in(visitor, CLINICIAN)
    visitor.goto("/register/" + new_link(visitor, "/register/", before).partition("/register/")[2])
    visitor.get_by_role("button", name="Yes, send my request").click()
    visitor.goto("/patients/waiting")
    request = visitor.locator("main a[href^='/patients/waiting/']").first.get_attribute("href") or ""
    visitor.context.close()
    return request.removeprefix("/patients/waiting/")


def ask_for_call(browser: Browser, address: str) -> str:
    """Somebody like the patient cannot sign in and asks to be called; the id of the request."""
    visitor = browser.new_context(base_url=address).new_page()
    visitor.goto("/sign-in/call-me")
    for label, value in (("Given names", PATIENT.split()[0]), ("Family names", PATIENT.split()[-1])):
        visitor.get_by_label(label).fill(value)
    visitor.get_by_label("Birth date", exact=True).fill(STORY_BORN.isoformat())
    visitor.get_by_role("button", name="Ask to be called").click()
    visitor.get_by_role("heading", name="Your request is kept").wait_for()
    sign_in(visitor, CLINICIAN)
    visitor.goto("/patients/calls")
    call = visitor.locator("main a[href^='/patients/calls/']").first.get_attribute("href") or ""
    visitor.context.close()
    return call.removeprefix("/patients/calls/")


def invite(clinician: Tab, patient: str, reason: str) -> tuple[str, str]:
    """The visit's id, and the path of the link that the outbox shows for it."""
    before = links_of(clinician, "/join/")
    clinician.goto(f"/patients/{patient}/visit")
    clinician.get_by_label("Reason").fill(reason)
    clinician.get_by_role("button", name="Invite the patient").click()
    clinician.wait_for_url(re.compile(r"/visits/[0-9a-f-]{36}$"))
    visit = last(clinician)
    return visit, "/join/" + new_link(clinician, "/join/", before).partition("/join/")[2]


def plan(clinician: Tab, patient: str, reason: str) -> str:
    """The id of a visit that is planned for in ten days."""
    clinician.goto(f"/patients/{patient}/visit")
    clinician.get_by_label("Reason").fill(reason)
    clinician.get_by_label("On a day and at a time").check()
    clinician.get_by_label("day", exact=True).fill(f"{datetime.now(UTC) + timedelta(days=10):%Y-%m-%d}")
    clinician.get_by_label("time", exact=True).fill("14:30")
    clinician.get_by_role("button", name="Invite the patient").click()
    clinician.wait_for_url(re.compile(r"/visits/[0-9a-f-]{36}$"))
    visit = last(clinician)
    clinician.get_by_text("half an hour before the time").wait_for()
    return visit


def asks(patient: Tab, words: str) -> str:
    """The id of a conversation about a medicine that the patient began, in her own language."""
    patient.goto("/messages/new")
    patient.get_by_label("Un medicamento").check()
    patient.get_by_label("Su mensaje").fill(words)
    patient.get_by_role("button", name="Enviar").click()
    patient.wait_for_url(re.compile(r"/messages/[0-9a-f-]{36}\?sent"))
    return last(patient).partition("#")[0]


def prescribe(clinician: Tab, patient: str, medicine: str) -> str:
    """The id of a prescription that waits to be signed, its page open."""
    clinician.goto(f"/patients/{patient}/prescribe?q={medicine}")
    clinician.get_by_role("link", name=re.compile(medicine, re.IGNORECASE)).first.click()
    clinician.get_by_role("button", name="Check and go to signing").click()
    clinician.wait_for_url(re.compile(r"/prescriptions/[0-9a-f-]{36}$"))
    return last(clinician)


def last(tab: Tab) -> str:
    """The last piece of the address."""
    return tab.url.rstrip("/").rpartition("/")[2].partition("?")[0]
