"""What rooms refuse with is said to a person in their language, and to a program in English."""

from pathlib import Path

import pytest
from tools import messages
from tools.raised import Said, raised

from bedside.foundation.errors import Conflict, Invalid, TooMany
from bedside.foundation.http import outcome
from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.web.clinician.words import DISPLAYS
from bedside.web.kit import told

pytestmark = pytest.mark.unit


def test_refusals_of_every_room_are_read() -> None:
    """That each of them is in Spanish, `make check` says (tools/messages.py)."""
    read = {name for name, paths in messages.areas().items() if any([*raised(p)] for p in paths if p.suffix == ".py")}
    assert {"access", "foundation", "messaging", "monitoring", "prescribing", "records", "visits", "visit"} <= read


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('Invalid("Say why.", where="reason", remedy="Write it.")', ["Say why.", "Write it."]),
        ('Conflict("Gone.", remedy="Ask." if late else None)', ["Gone.", "Ask."]),
        ("NotFound(NONE)", ["There is none."]),
        ('errors.Forbidden("No: %(why)s.", why=why)', ["No: %(why)s."]),
        ('Invalid(f"At most {most}.")', [None]),
        ('Invalid("At most " + most)', [None]),
        ('ValueError(f"{x}")', []),
    ],
)
def test_a_refusal_is_read_from_the_source(tmp_path: Path, source: str, found: list[str | None]) -> None:
    path = tmp_path / "room.py"
    path.write_text(f'NONE = "There is none."\nraise {source}\n')
    assert [said.msgid for said in raised(path)] == found
    assert all(isinstance(said, Said) and said.at.endswith(":2") for said in raised(path))


def test_a_page_says_it_in_spanish_and_a_program_in_english() -> None:
    error = Invalid("A message has 1 to %(most)s characters.", where="text", most=4000)
    assert error.message == str(error) == "A message has 1 to 4000 characters."
    assert outcome(error)["issue"][0]["diagnostics"] == "A message has 1 to 4000 characters."
    said = told(error, "es")
    assert (said.message, said.where, said.status) == ("Un mensaje tiene de 1 a 4000 caracteres.", "text", 400)
    assert told(error, "en").message == error.message


def test_the_remedy_and_the_words_among_the_values_are_told_too() -> None:
    slow = told(TooMany("That was tried too often.", retry_after=30), "es")
    assert slow.remedy == "Espere 30 segundos e inténtelo de nuevo."
    visit = Conflict("This visit is %(status)s: that is not possible now.", status="finished")
    assert told(visit, "es").message == "Esta visita está así: terminada. Eso no es posible ahora."
    role = Invalid(
        "Your role does not allow this.", remedy="Ask somebody whose role it is: %(roles)s.", roles=("nurse",)
    )
    assert role.remedy == "Ask somebody whose role it is: nurse."
    assert told(role, "es").remedy == "Pídalo a quien tenga esa función: enfermería."
    bare = told(Invalid("Nobody wrote 100 % of this.", remedy=None), "es")
    assert (bare.message, bare.remedy) == ("Nobody wrote 100 % of this.", None)


def test_the_names_of_metrics_are_words_that_a_page_can_say() -> None:
    assert {metric.display for metric in METRICS.values()} <= set(DISPLAYS)
