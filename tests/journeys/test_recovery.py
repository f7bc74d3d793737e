"""A patient who lost everything comes in again, in real Chromium: by a code of the desk, in Spanish, with a passkey of
the new telephone; and by being called back, in English. Then they read who let them in.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect
from playwright.sync_api import Page as Tab
from tests.journeys.axe import RULES, looked_at
from tests.journeys.pages import CLINICIAN
from tests.journeys.scene import PASSWORD, last

pytestmark = pytest.mark.journey
NEW_PHONE = "+34 600 000 321"


def axe(tab: Tab) -> None:
    found = looked_at(tab, RULES)
    assert not found, "\n".join(f"{one['id']}: {node['html']}" for one in found for node in one["nodes"])


def authenticator(context: BrowserContext, tab: Tab) -> None:
    """The new telephone's own."""
    devtools = context.new_cdp_session(tab)
    devtools.send("WebAuthn.enable")
    made = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    made |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": made})


def registered(nurse: Tab, family: str, language: str, phone: str) -> str:
    """A new patient with an account, registered at the desk; their id."""
    nurse.goto("/patients/new")
    for label, value in (("Given names", "Luz"), ("Family names", family), ("Telephone", phone)):
        nurse.get_by_label(label, exact=label == "Family names").first.fill(value)
    nurse.get_by_label("Birth date", exact=True).fill("1962-05-06")
    nurse.get_by_label("Sex in the register").select_option("female")
    nurse.get_by_label("Language").select_option(language)
    nurse.get_by_label("Invite them to sign in").check()
    nurse.get_by_role("button", name="Register").click()
    nurse.get_by_text("The sheet is ready").wait_for()
    nurse.get_by_role("link", name="Open the chart").click()
    nurse.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}"))
    return last(nurse)


def test_by_a_code_of_the_desk_in_spanish_with_a_passkey_of_the_new_telephone(visitor: Callable[..., Tab]) -> None:
    nurse = visitor(CLINICIAN, bypass_csp=True)
    patient = registered(nurse, "Delaplaza", "es", "+34 600 000 111")
    nurse.goto(f"/patients/{patient}/let-in")
    axe(nurse)
    nurse.get_by_label("Identity card").check()
    nurse.locator("#desk-proof-secret").fill(PASSWORD)
    nurse.get_by_role("button", name="It is them: make the code").click()
    nurse.get_by_text("The code is ready").wait_for()
    axe(nurse)
    digits = nurse.locator(".code-said").inner_text()
    assert nurse.locator(".sheet").get_attribute("lang") == "es"

    luz = visitor(None, locale="es-ES", bypass_csp=True, viewport={"width": 360, "height": 740})
    authenticator(luz.context, luz)
    luz.goto("/sign-in")
    luz.get_by_role("link", name="Tengo un código de la clínica").click()
    axe(luz)
    for day, code in (("1962-05-07", digits), ("1962-05-06", "000000000")):
        luz.get_by_label("Nueve cifras").fill(code)
        luz.get_by_label("Fecha de nacimiento").fill(day)
        luz.get_by_role("button", name="Iniciar sesión").click()
        luz.get_by_text("No coincide").wait_for()
    luz.get_by_label("Nueve cifras").fill(digits)
    luz.get_by_label("Fecha de nacimiento").fill("1962-05-06")
    luz.keyboard.press("Enter")
    luz.wait_for_url(re.compile("/account/anew$"))
    axe(luz)
    expect(luz.get_by_text(CLINICIAN)).to_be_visible()
    luz.get_by_role("button", name="llave de acceso").click()
    luz.locator("#passkey").get_by_text("Este dispositivo", exact=True).wait_for()
    luz.get_by_label("Teléfono").fill(NEW_PHONE)
    luz.get_by_role("button", name="Guardar e ir a mi página").click()
    luz.wait_for_url(re.compile("/home$"))
    luz.goto("/me/who-looked")
    expect(luz.get_by_text("tras ver un documento de identidad")).to_be_visible()
    # Out, and in again by the new passkey; the code is good no longer.
    luz.goto("/me")
    luz.get_by_role("button", name="Cerrar la sesión aquí").click()
    luz.wait_for_url(re.compile("/sign-in$"))
    luz.locator("bedside-passkey button").click()
    luz.wait_for_url(re.compile("/home$"))
    other = visitor(None, locale="es-ES")
    other.goto("/sign-in/again")
    other.get_by_label("Nueve cifras").fill(digits)
    other.get_by_label("Fecha de nacimiento").fill("1962-05-06")
    other.keyboard.press("Enter")
    other.get_by_text("No coincide").wait_for()


def test_by_being_called_back_on_the_records_number(visitor: Callable[..., Tab]) -> None:
    doctor = visitor(CLINICIAN, bypass_csp=True, viewport={"width": 1440, "height": 1200})
    registered(doctor, "Bridgewater", "en", "+1 212 555 0166")
    asker = visitor(None, bypass_csp=True, viewport={"width": 320, "height": 640})
    asker.goto("/sign-in/help")
    asker.get_by_role("link", name="Ask to be called").click()
    axe(asker)
    for label, value in (("Given names", "Luz"), ("Family names", "Bridgewater"), ("Birth date", "1962-05-06")):
        asker.get_by_label(label).fill(value)
    asker.get_by_role("button", name="Ask to be called").click()
    asker.get_by_role("heading", name="Your request is kept").wait_for()
    axe(asker)
    assert asker.evaluate("document.documentElement.scrollWidth") <= 320

    doctor.goto("/today")
    doctor.get_by_role("link", name=re.compile("to be called")).click()
    axe(doctor)
    doctor.get_by_role("link", name="Luz Bridgewater").click()
    axe(doctor)
    doctor.get_by_role("link", name="Call them: Luz Bridgewater").click()
    doctor.get_by_label("+1 212 555 0166").check()
    for question in ("Their address and postcode", "A medicine that they take"):
        doctor.get_by_label(question).check()
    doctor.locator("#call-proof-secret").fill(PASSWORD)
    doctor.get_by_role("button", name="They answered right").click()
    doctor.get_by_text("The code is ready").wait_for()
    digits = doctor.locator(".code-said").inner_text()

    asker.get_by_role("link", name="I have a code from the clinic").click()
    asker.get_by_label("Nine digits").fill(digits)
    asker.get_by_label("Birth date").fill("1962-05-06")
    asker.get_by_role("button", name="Sign in").click()
    asker.wait_for_url(re.compile("/account/anew$"))
    assert asker.evaluate("document.documentElement.scrollWidth") <= 320
    asker.get_by_label("E-mail").fill("luz@home.example")
    asker.get_by_role("button", name="Save and go to my page").click()
    asker.wait_for_url(re.compile("/home$"))
    doctor.goto("/patients/calls")
    expect(doctor.get_by_role("link", name="Luz Bridgewater")).to_have_count(0)
