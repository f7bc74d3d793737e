"""The pages around a visit as people meet them: captions, the parts beside the picture, a browser without a camera, a
link that was guessed at, a place where the visit may not be, two windows, a refill from the patient's page to the
clinician's answer, and a refusal at the pharmacy.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect
from tests.journeys.pages import CLINICIAN, NURSE, PATIENT, PHARMACIST
from tests.journeys.scene import PASSWORD, invite, prescribe
from tests.journeys.visiting import says_where

pytestmark = [pytest.mark.journey, pytest.mark.alone]

CAMERA = {"permissions": ["camera", "microphone"]}
COLLEAGUE = "Samuel Okafor"
PHONE = {"viewport": {"width": 360, "height": 740}}
SLOW = """(real => {
    window.setTimeout = (deed, after, ...more) => real(deed, after >= 10000 ? 10 * after : after, ...more);
})(window.setTimeout)"""
"""What goes by itself after ten seconds is looked at on a machine that may be busy for as long."""
NO_CAMERA = "delete Navigator.prototype.mediaDevices"
"""What a viewer inside another app looks like to a page."""


def in_the_room(visitor: Callable[..., Page], scene: dict[str, str], script: str = "") -> tuple[Page, Page]:
    """Clinician and patient, connected; that script is on the patient's pages."""
    clinician = visitor(CLINICIAN, viewport={"width": 1440, "height": 900}, **CAMERA)
    clinician.goto(f"/visits/{scene['visit']}")
    patient = visitor(PATIENT, **PHONE, **CAMERA)
    patient.add_init_script(script)
    patient.goto(f"/visit/{scene['visit']}/room")
    patient.get_by_role("figure").filter(has_text=CLINICIAN).wait_for()
    return clinician, patient


@pytest.mark.parametrize("path", ["/visits/{visit}", "/visit/{visit}/check"])
def test_a_page_whose_camera_and_microphone_are_refused_ends_loading(
    visitor: Callable[..., Page], scene: dict[str, str], path: str
) -> None:
    page = visitor(CLINICIAN if path.startswith("/visits") else PATIENT)
    held: list[Route] = []
    page.route("**/held.png", lambda route: held.append(route))  # noqa: PLW0108 - it marks what it is given
    page.add_init_script("""window.refused = 0;
    MediaDevices.prototype.getUserMedia = () => {
        window.refused += 1;
        return Promise.reject(new DOMException("no", "NotAllowedError"));
    };
    addEventListener('DOMContentLoaded', () => {
        const held = document.createElement('img');
        held.src = '/held.png';
        document.body.append(held);
    })""")
    page.goto(path.format_map(scene), wait_until="commit")
    # It is refused before the rest has come.
    page.wait_for_function("() => window.refused > 1")
    while not held:
        page.wait_for_timeout(50)
    assert page.evaluate("document.readyState") == "interactive"
    held[0].abort()
    page.wait_for_load_state("load")


def test_what_the_clinician_writes_is_a_caption_above_the_four_buttons(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician, patient = in_the_room(visitor, scene, SLOW)
    clinician.get_by_role("button", name="Chat").click()
    box = clinician.get_by_label("Message")
    expect(box).to_have_accessible_description("The patient sees what you write as a caption under the picture.")
    said = ["Can you hear me?", "Please show me the cuff.", "Now rest for five minutes."]
    for words in said:
        box.fill(words)
        clinician.get_by_role("button", name="Send", exact=True).click()
    captions = patient.get_by_role("log")
    expect(captions.locator("p")).to_have_text(said[1:])
    assert captions.get_attribute("aria-live") == "polite"
    bar = patient.locator(".visit-bar")
    over, under = captions.bounding_box(), bar.bounding_box()
    assert over is not None
    assert under is not None
    assert over["y"] + over["height"] <= under["y"] + 1
    sizes = captions.locator("p").first.evaluate("p => [getComputedStyle(p).fontSize, getComputedStyle(p).color]")
    assert sizes == ["22px", "rgb(255, 255, 255)"]
    assert patient.evaluate("document.documentElement.scrollWidth") == 360
    for button in bar.locator(".btn").all():
        assert (button.bounding_box() or {"height": 0})["height"] >= 56
    expect(bar.locator("[data-unread]")).to_be_visible()
    # All three are in the chat still, and a page that comes back does not say old lines again.
    patient.reload()
    patient.get_by_role("figure").filter(has_text=CLINICIAN).wait_for()
    patient.locator("[data-panel=chat-panel]").click()
    for words in said:
        expect(patient.get_by_role("listitem").filter(has_text=words)).to_be_visible()
    expect(patient.get_by_role("log").locator("p")).to_have_count(0)


def test_the_parts_beside_the_picture_are_tabs_and_a_half_written_note_stays(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician = visitor(CLINICIAN, viewport={"width": 1440, "height": 900}, **CAMERA)
    clinician.goto(f"/visits/{scene['visit']}")
    tabs = clinician.get_by_role("tab")
    expect(tabs).to_have_text(["Note", "Chart", "Medicines", "Orders"])
    expect(clinician.get_by_role("tab", selected=True)).to_have_text("Note")
    note = clinician.get_by_role("textbox", name="Note")
    note.fill("Half a")
    tabs.nth(0).focus()
    for name, shows in (("Chart", "Problems"), ("Medicines", "Prescribe"), ("Orders", "No orders in the record")):
        clinician.keyboard.press("ArrowRight")
        expect(clinician.get_by_role("tab", name=name)).to_be_focused()
        expect(clinician.get_by_role("tabpanel")).to_have_count(1)
        expect(clinician.get_by_role("tabpanel")).to_contain_text(shows)
        expect(note).to_be_hidden()
    expect(clinician.get_by_text("Orders cannot be placed here yet.")).to_be_visible()
    clinician.keyboard.press("Home")
    expect(note).to_have_value("Half a")
    # The sign bar is on the screen and covers nothing of what is written.
    sign, box = clinician.locator(".sign-bar").bounding_box(), note.bounding_box()
    assert sign is not None
    assert box is not None
    assert box["y"] + box["height"] <= sign["y"]
    assert sign["y"] + sign["height"] <= 900


@pytest.mark.parametrize(
    ("locale", "says", "copied"),
    [
        ("en-US", "This app cannot use the camera", "Copied."),
        ("es-ES", "Esta aplicación no puede usar la cámara", "Copiado."),
    ],
)
def test_a_browser_without_a_camera_is_told_how_to_open_the_right_one(
    visitor: Callable[..., Page], scene: dict[str, str], locale: str, says: str, copied: str
) -> None:
    phone = visitor(None, locale=locale, **PHONE)
    phone.add_init_script(NO_CAMERA)
    phone.goto(scene["join"])
    block = phone.locator("right-browser")
    expect(block).to_contain_text(says)
    expect(block.get_by_role("link")).to_have_attribute("href", re.compile("^tel:"))
    assert phone.get_by_role("textbox").first.input_value().endswith(scene["join"])
    block.get_by_role("button").click()
    expect(block.get_by_role("status")).to_contain_text(copied)
    # The right browser is told nothing of it.
    able = visitor(None, locale=locale, **PHONE)
    able.goto(scene["join"])
    able.locator("input[name=name]").wait_for()
    expect(able.locator("right-browser")).to_be_hidden()


def test_who_is_in_already_gets_a_link_for_the_other_browser(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    app = visitor(PATIENT, **PHONE)
    app.add_init_script(NO_CAMERA)
    app.goto(f"/visit/{scene['visit']}/room")
    app.wait_for_url("**/check")
    expect(app.locator("device-check")).to_be_hidden()
    app.locator("right-browser button").click()
    link = app.locator("[data-link]").input_value()
    other = visitor(None, **PHONE)
    other.goto(link)
    expect(other.locator("input[name=year]")).to_be_visible()


def test_five_wrong_answers_close_the_link_and_say_so(visitor: Callable[..., Page], scene: dict[str, str]) -> None:
    clinician = visitor(CLINICIAN)
    visit, link = invite(clinician, scene["patient"], "Somebody guesses")
    guest = visitor(None, locale="en-US", **PHONE)
    guest.goto(link)
    for number in range(5):
        guest.get_by_label("Your first and last name").fill("Somebody Else")
        for part, value in (("Day", "1"), ("Month", "1"), ("Year", "1960")):
            guest.get_by_label(part, exact=True).fill(value)
        guest.get_by_role("button", name="Continue").click()
        if number < 4:
            expect(guest.get_by_text("That is not what we have.")).to_be_visible()
    expect(guest.get_by_role("heading", name="This link is no longer good")).to_be_visible()
    expect(guest.get_by_role("button", name="Send me a new link")).to_be_visible()
    clinician.goto(f"/visits/{visit}")
    expect(clinician.get_by_text("Link closed after wrong answers")).to_be_visible()


def test_where_the_table_stops_the_visit_both_sides_know_what_to_do(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician = visitor(CLINICIAN)
    visit, link = invite(clinician, scene["patient"], "Asked from abroad")
    phone = visitor(None, locale="en-US", **PHONE, **CAMERA)
    phone.goto(link)
    phone.get_by_label("Your first and last name").fill(PATIENT)
    for part, value in (("Day", "14"), ("Month", "3"), ("Year", "1955")):
        phone.get_by_label(part, exact=True).fill(value)
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Street, number and town").fill("Hauptstr. 1, Berlin")
    phone.get_by_label("Country").select_option(label="Germany")  # which has no states to choose from
    phone.get_by_label("Number on which we can call you back").fill("+49 30 1234567")
    phone.get_by_label(re.compile("I agree to be seen by video")).check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_role("link", name="Join the visit").click()
    expect(phone.get_by_text(f"{CLINICIAN} may not treat you by video where you are now.")).to_be_visible()
    expect(phone.get_by_text(f"{CLINICIAN} will be with you.")).to_have_count(0)

    # The same link, tapped again on the same device, is no dead end.
    phone.goto(link)
    phone.wait_for_url(f"**/visit/{visit}")
    stranger = visitor(None, locale="en-US", **PHONE)
    stranger.goto(link)
    expect(stranger.get_by_role("heading", name="This link is no longer good")).to_be_visible()
    phone.goto(f"/visit/{visit}/room")

    clinician.goto(f"/visits/{visit}")
    for words in ("Hauptstr. 1, Berlin, Germany", "+49 30 1234567", "112", "The table stops the visit"):
        expect(clinician.get_by_text(words).first).to_be_visible()
    clinician.get_by_text("Cancel this visit", exact=True).click()
    clinician.get_by_role("textbox", name="Reason").fill("Called back: sees a doctor in Berlin")
    clinician.get_by_role("button", name="Cancel the visit").click()
    phone.wait_for_url("**/visit/over")


def test_of_two_windows_of_one_person_the_newer_has_the_picture_and_gives_it_back(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician, patient = in_the_room(visitor, scene)
    second = clinician.context.new_page()
    second.goto(f"/visits/{scene['visit']}")
    phase = "visit-room[data-phase={}]"
    for page, words in ((second, "connected"), (clinician, "elsewhere"), (patient, "connected")):
        page.locator(phase.format(words)).wait_for()
    # Nobody meets themselves.
    expect(clinician.get_by_role("figure")).to_have_count(0)
    expect(second.get_by_role("figure")).to_have_count(1)
    second.close()
    for page, other in ((clinician, PATIENT), (patient, CLINICIAN)):
        page.locator(phase.format("connected")).wait_for()
        expect(page.get_by_role("figure").filter(has_text=other)).to_be_visible()


def test_a_refill_from_the_patients_page_to_the_answer(visitor: Callable[..., Page], scene: dict[str, str]) -> None:
    patient = visitor(PATIENT, **PHONE)
    patient.goto("/medicines")
    card = patient.locator(f"#p-{scene['prescription']}")
    card.get_by_text("Pedir una renovación").click()
    card.get_by_role("textbox").fill("Me quedan diez")
    card.get_by_role("button", name="Enviar la petición").click()
    expect(card).to_contain_text(f"a la espera de {CLINICIAN}")

    clinician = visitor(CLINICIAN)
    clinician.goto("/today")
    row = clinician.get_by_role("row").filter(has_text="Me quedan diez")
    expect(row).to_contain_text(PATIENT)
    row.get_by_role("link").last.click()
    renewal = clinician.get_by_role("link", name="Renew").get_attribute("href")
    clinician.get_by_text("Refuse", exact=True).click()
    clinician.get_by_label("Reason, which the patient reads").fill("A blood test first")
    clinician.get_by_role("button", name="Refuse the refill").click()
    expect(clinician.locator("#refill")).to_contain_text("A blood test first")

    patient.reload()
    expect(card).to_contain_text("renovación rechazada")
    expect(card).to_contain_text("A blood test first")
    # Renewing opens the form as it was filled in before.
    assert renewal is not None
    clinician.goto(renewal)
    expect(clinician.get_by_label("For how many days")).to_have_value("30")
    expect(clinician.get_by_role("heading", name="Chlorthalidone 25 mg tablet")).to_be_visible()


def test_the_pharmacist_reads_what_it_was_signed_in_spite_of_and_her_refusal_is_found(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician = visitor(CLINICIAN)
    key = prescribe(clinician, scene["patient"], "amoxicillin")
    clinician.get_by_label("Why it is right all the same").first.fill("A rash as a child, tolerated since")
    clinician.get_by_label("Your password, once more").fill(PASSWORD)
    clinician.get_by_role("button", name="Sign and send to the pharmacy").click()
    clinician.get_by_text("sent, not accepted yet").wait_for()

    pharmacist = visitor(PHARMACIST)
    pharmacist.goto(f"/pharmacy/{key}")
    spite = pharmacist.get_by_role("region", name="Signed in spite of")
    expect(spite).to_contain_text("Recorded allergy to penicillin")
    expect(spite).to_contain_text("A rash as a child, tolerated since")
    pharmacist.get_by_text("Refuse", exact=True).click()
    pharmacist.get_by_label("Reason, for the clinic and the patient").fill("Please ring us first")
    pharmacist.get_by_role("button", name="Refuse the prescription").click()

    clinician.goto("/today")
    row = (
        clinician.get_by_role("table", name="Refused by the pharmacy").get_by_role("row").filter(has_text="Amoxicillin")
    )
    expect(row).to_contain_text(PATIENT)
    expect(row).to_contain_text("Please ring us first")
    clinician.goto(f"/prescriptions/{key}/print")
    expect(clinician.get_by_text("A rash as a child, tolerated since")).to_be_visible()


def test_a_waiting_patient_is_handed_to_another_clinician_and_reads_who_comes(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    clinician = visitor(CLINICIAN)
    visit, _ = invite(clinician, scene["patient"], "Handed on")
    patient = visitor(PATIENT, **PHONE, **CAMERA)
    says_where(patient, visit)
    patient.goto(f"/visit/{visit}/room")
    expect(patient.get_by_text(CLINICIAN).first).to_be_visible()
    patient.locator("visit-room[data-phase=waiting]").wait_for()

    nurse = visitor(NURSE)
    nurse.goto(f"/visits/{visit}")
    nurse.get_by_text("Hand to another clinician", exact=True).click()
    nurse.get_by_label("Clinician", exact=True).select_option(label=COLLEAGUE)
    nurse.locator("#hand-reason").fill(" ")
    nurse.get_by_role("button", name="Hand over").click()
    expect(nurse.locator("#hand-reason")).to_have_attribute("aria-invalid", "true")
    nurse.get_by_label("Clinician", exact=True).select_option(label=COLLEAGUE)
    nurse.locator("#hand-reason").fill("Called to the ward")
    nurse.get_by_role("button", name="Hand over").click()
    nurse.wait_for_url("**/visits")

    expect(patient.get_by_role("heading", level=1)).to_contain_text(COLLEAGUE)
    colleague = visitor(COLLEAGUE, **CAMERA)
    colleague.goto("/visits")
    row = colleague.get_by_role("row").filter(has_text="Handed on")
    expect(row).to_contain_text("waiting for you")
    row.get_by_role("link").click()
    patient.get_by_role("figure").filter(has_text=COLLEAGUE).wait_for()
    clinician.goto(f"/visits/{visit}")
    expect(clinician.get_by_text(f"Called to the ward → {COLLEAGUE}")).to_be_visible()
    colleague.get_by_role("button", name="End", exact=True).click()
    colleague.get_by_role("button", name="End the visit").click()
    patient.wait_for_url("**/visit/over")
    expect(colleague.get_by_text("finished", exact=True).first).to_be_visible()
