"""A patient's request for more of a medicine: asked → renewed or refused; and when one can be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from bedside.foundation.errors import N_
from bedside.prescribing.model.prescription import Prescription

State = Literal["asked", "renewed", "refused"]

GOOD_FOR = timedelta(days=365)
"""How long after its signature a prescription can be renewed by request. Site choice: pharmacists in most US states may
refill a non-controlled prescription for one year from its date; after that the patient is to be seen."""

LONGEST = 500
"""Characters of what the patient writes with it, and of an answer's reason."""

IMPOSSIBLE = {
    "draft": N_("This prescription is not signed yet."),
    "refused": N_("The pharmacy refused this prescription. Ask the clinic what to take instead."),
    "cancelled": N_("This prescription was cancelled. Ask the clinic what to take instead."),
}
"""Why a state cannot be refilled."""


class Refill(msgspec.Struct, frozen=True):
    """One request. prescription: which is to be renewed. renewed_as: the one that did. note: the patient's own words.

    asked_by_reference: the asker's FHIR reference, where there is one.
    """

    id: str
    prescription: str
    patient: str
    prescriber: str
    name: str
    state: State
    asked_at: datetime
    asked_by_name: str
    asked_by_reference: str | None = None
    note: str = ""
    answered_at: datetime | None = None
    answered_by_name: str | None = None
    reason: str = ""
    renewed_as: str | None = None

    @property
    def open(self) -> bool:
        """Whether somebody has still to answer."""
        return self.state == "asked"


def impossible(prescription: Prescription, refills: Sequence[Refill], now: datetime) -> str | None:
    """Why a refill of this prescription cannot be asked for, as a msgid; None where it can. refills: those of it."""
    if prescription.status in IMPOSSIBLE:
        return IMPOSSIBLE[prescription.status]
    if prescription.signed_at is None or prescription.signed_at + GOOD_FOR <= now:
        return N_("This prescription is more than a year old. Ask the clinic for a visit.")
    if any(refill.renewed_as for refill in refills):
        return N_("This prescription was renewed: ask for more on the newer one.")
    return None
