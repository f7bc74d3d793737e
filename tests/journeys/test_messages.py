"""Two browsers, by role and label alone: a patient asks, a nurse answers, each sees that the other has seen."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.pages import NURSE, PATIENT
from tests.journeys.visiting import OUTBOX
from tests.messaging.threads.test_files import PDF

pytestmark = pytest.mark.journey


def test_a_patient_and_a_nurse_write_to_each_other(visitor: Callable[..., Page], tmp_path: Path) -> None:
    patient, nurse = visitor(PATIENT), visitor(NURSE)
    patient.goto("/home")
    patient.get_by_role("link", name="Mensajes", exact=True).click()
    patient.get_by_role("link", name="Escribir a la clínica").click()
    expect(patient.get_by_text("No es para emergencias")).to_be_visible()
    patient.get_by_label("Un resultado").check()
    patient.get_by_label("Su mensaje").fill("Desde anoche me duele el pecho")
    patient.get_by_role("button", name="Enviar").click()

    # Stopped before anything is sent: the number first, and the words are still there.
    expect(patient.get_by_role("heading", level=1)).to_have_text(re.compile(r"Llame ahora al \d+"))
    expect(patient.get_by_role("link", name=re.compile(r"^Llamar al \d+|^Llame al \d+")).first).to_be_visible()
    expect(patient.get_by_text("Su mensaje aún no se ha enviado.")).to_be_visible()
    patient.get_by_label("Su mensaje").fill("Me duele el pecho al toser, desde la vacuna. ¿Es normal?")
    patient.get_by_role("button", name="Enviar de todos modos").click()
    expect(patient.get_by_text("Enviado, aún no visto")).to_be_visible()
    expect(patient.get_by_text("Tendrá respuesta, como muy tarde")).to_be_visible()

    nurse.goto("/today")
    nurse.get_by_role("link", name="Messages", exact=True).click()
    row = nurse.get_by_role("row").filter(has_text=PATIENT).filter(has_text="A result")
    expect(row).to_contain_text("urgent")
    row.get_by_role("link", name=PATIENT).click()
    expect(nurse.get_by_text("¿Es normal?")).to_be_visible()
    expect(nurse.get_by_role("region", name=f"Patient: {PATIENT}")).to_be_visible()
    nurse.get_by_role("button", name="Take it").click()
    expect(nurse.get_by_text(f"{NURSE} takes care of this")).to_be_visible()
    sheet = tmp_path / "advice.pdf"
    sheet.write_bytes(PDF)
    nurse.get_by_label("Your answer").fill("It is common after that vaccine. This sheet says what to do.")
    nurse.get_by_label("Add files").set_input_files(sheet)
    # The network goes away at the worst moment: nothing is lost, and a second press sends it once.
    nurse.context.set_offline(True)
    nurse.get_by_role("button", name="Send the answer").click()
    expect(nurse.get_by_text("Not sent: Bedside did not answer.")).to_be_visible()
    expect(nurse.get_by_label("Your answer")).to_have_value(re.compile("common after that vaccine"))
    nurse.context.set_offline(False)
    nurse.get_by_role("button", name="Send the answer").dblclick()
    expect(nurse.get_by_text("Sent, not seen yet")).to_be_visible()
    expect(nurse.get_by_role("listitem").filter(has_text="common after that vaccine")).to_have_count(1)

    patient.reload()
    expect(patient.get_by_text(f"Visto por {NURSE}")).to_be_visible()
    with patient.expect_download() as down:
        patient.get_by_role("link", name=re.compile(r"advice\.pdf")).click()
    assert down.value.suggested_filename == "advice.pdf"
    assert Path(down.value.path()).read_bytes() == PDF
    nurse.reload()
    expect(nurse.get_by_text(re.compile(f"Seen by.*{PATIENT}"))).to_be_visible()
    nurse.get_by_role("button", name="A task", exact=True).click()
    expect(nurse.get_by_text("From a message: A result")).to_be_visible()
    nurse.get_by_role("button", name="Close", exact=True).click()
    expect(nurse.get_by_role("heading", name="Messages", level=1)).to_be_visible()
    patient.reload()
    expect(patient.get_by_role("heading", name="Esta conversación está cerrada")).to_be_visible()

    # The outbox shows what was told: that there is something, and no more.
    until = time.monotonic() + OUTBOX
    patient.goto("/demo/outbox")
    while not patient.get_by_text("La clínica le ha escrito").count():
        assert time.monotonic() < until, "she was told nothing"
        patient.wait_for_timeout(100)
        patient.reload()
    expect(patient.get_by_text("La clínica le ha escrito").first).to_be_visible()
    expect(patient.get_by_text("pecho")).to_have_count(0)
