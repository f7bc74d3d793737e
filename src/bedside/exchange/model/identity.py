"""Whether a PID may be the patient whom its identifier found. The number finds; name and birth date may only forbid.

Hazard H50: twins share birth date and family name, so given names count; a mistyped number that is
somebody else's shows here and nowhere else.
"""

from __future__ import annotations

from typing import Any

from bedside.exchange.model.report import Person
from bedside.fhir.texts import spellings


def contradicts(person: Person, patient: dict[str, Any]) -> str | None:
    """The PID field that says another person than this FHIR Patient; None where none does.

    Names are compared where both are written in one script: a family name and, where both have one, a given name
    must share a word or its beginning with one that the record holds. Birth dates are compared where both are whole.
    """
    birth = str(patient.get("birthDate") or "").replace("-", "")
    sent = person.birth[:8]
    if len(birth) == 8 and len(sent) == 8 and birth != sent:
        return "PID-7"
    names = patient.get("name") or []
    if not person.names or not names:
        return None
    families = _words(*(str(one.get("family") or "") for one in names), *(str(one.get("text") or "") for one in names))
    given = _words(
        *(str(part) for one in names for part in one.get("given") or ()), *(str(one.get("text") or "") for one in names)
    )
    for family_sent, given_sent in person.names:
        if _may_be(_words(family_sent), families) and _may_be(_words(given_sent), given):
            return None
    return "PID-5"


def _words(*texts: str) -> frozenset[str]:
    written = (one for text in texts for one in spellings(text))  # other systems write MUELLER for Müller
    return frozenset(word for one in written for word in one.replace("-", " ").replace("'", "").split())


def _may_be(sent: frozenset[str], held: frozenset[str]) -> bool:
    if not sent or not held or _scripts(sent).isdisjoint(_scripts(held)):
        return True
    return any(one == other or _begins(one, other) or _begins(other, one) for one in sent for other in held)


def _begins(short: str, long: str) -> bool:
    """An initial, or a name of three letters or more that the other goes on from (Mari, Maria)."""
    return long.startswith(short.rstrip(".")) and (len(short.rstrip(".")) == 1 or len(short) >= 3)


def _scripts(words: frozenset[str]) -> frozenset[bool]:
    return frozenset(letter.isascii() for word in words for letter in word if letter.isalpha())
