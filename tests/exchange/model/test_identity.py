"""Whether a PID contradicts the patient whom its number found: by another spelling it does not."""

import pytest

from bedside.exchange.model.identity import contradicts
from bedside.exchange.model.report import Person

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("held", "sent", "where"),
    [
        (("Müller", "Jörg"), ("MUELLER", "JOERG"), None),
        (("Müller", "Jörg"), ("MULLER", "JORG"), None),
        (("Müller", "Jörg"), ("Müller", "Jörg"), None),
        (("Muster", "Ase"), ("MUSTER", "ÅSE"), None),
        (("Weiß", "Åse"), ("WEISS", "AASE"), None),
        (("Müller", "Jörg"), ("MUELLER", "KARL"), "PID-5"),
        (("Müller", "Jörg"), ("MAELLER", "JOERG"), "PID-5"),
    ],
)
def test_a_name_in_another_spelling(held: tuple[str, str], sent: tuple[str, str], where: str | None) -> None:
    patient = {"name": [{"family": held[0], "given": [held[1]]}], "birthDate": "1950-01-02"}
    assert contradicts(Person(1, (), (sent,), "19500102"), patient) == where
