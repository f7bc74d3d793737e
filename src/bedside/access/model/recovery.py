"""Letting a patient in again: what the clinic may go by, and for how long a code is good. Pure.

Who is let in must be verified (45 CFR 164.312(d), person or entity authentication; GDPR article 12(6): where there are
doubts, information that confirms identity). The rows are site choice within that, seen on 2026-11-30.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside.foundation.errors import N_

DIGITS = 9
"""One code in a billion, told in three groups of three; good with the birth date alone."""
LASTS = timedelta(minutes=15)
TRIES = 3
"""Birth dates that may be typed with one code."""
FRESH = timedelta(minutes=30)
"""For how long after it whoever came in so may say where they are reached."""
UNCHANGED = timedelta(days=7)
"""How long a telephone number must have stood in the record before anybody is called back on it."""
ASKED = 2
"""Fewest questions answered right on the telephone, beside the birth date that is typed with the code."""

DEEDS = {
    "passport": N_("handed out a sign-in code at the desk, having seen a passport"),
    "identity-card": N_("handed out a sign-in code at the desk, having seen an identity card"),
    "driving-licence": N_("handed out a sign-in code at the desk, having seen a driving licence"),
    "residence-permit": N_("handed out a sign-in code at the desk, having seen a residence permit"),
    "other-document": N_(
        "handed out a sign-in code at the desk, having seen another official document with a photograph"
    ),
    "call": N_("read out a sign-in code on the telephone, having called back and asked questions"),
}
"""What was gone by, and how the patient reads it among those who looked."""
DOCUMENTS = tuple(one for one in DEEDS if one != "call")
QUESTIONS = ("address", "visit", "medicine", "contact", "device")
"""What may be asked on the telephone: only what a stranger cannot know from a letter or a lock screen alone."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call back. since: from when on the record holds the number that was called, None: from its first version on.

    asked: of QUESTIONS, those that were answered right.
    """

    since: datetime | None
    asked: frozenset[str]


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A code, shown this once. until: when it is good no longer. language: the patient's."""

    code: str
    until: datetime
    name: str
    language: str

    @property
    def grouped(self) -> str:
        """As it is read aloud."""
        return " ".join(self.code[at : at + 3] for at in range(0, len(self.code), 3))


@dataclass(frozen=True, slots=True)
class LetIn:
    """Who let somebody in, by what (of DEEDS), and when."""

    by_name: str
    how: str
    at: datetime


def too_new(since: datetime | None, now: datetime) -> bool:
    """Whether a number changed so lately that a call to it proves nothing: a colleague or a letter may have done it."""
    return since is not None and now - since < UNCHANGED
