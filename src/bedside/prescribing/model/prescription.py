"""A prescription and its life: draft → signed → accepted → dispensed, or refused, or cancelled. A table, not ifs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from bedside.foundation.errors import N_, Conflict, Invalid
from bedside.prescribing.model.check import Check

Status = Literal["draft", "signed", "accepted", "dispensed", "refused", "cancelled"]

STEPS: dict[tuple[Status, str], Status] = {
    ("draft", "sign"): "signed",
    ("signed", "accept"): "accepted",
    ("signed", "refuse"): "refused",
    ("accepted", "refuse"): "refused",
    ("accepted", "dispense"): "dispensed",
    ("draft", "cancel"): "cancelled",
    ("signed", "cancel"): "cancelled",
    ("accepted", "cancel"): "cancelled",
}

SAYS: dict[Status, str] = {
    "draft": N_("not signed yet"),
    "signed": N_("sent to the pharmacy"),
    "accepted": N_("being prepared by the pharmacy"),
    "dispensed": N_("dispensed"),
    "refused": N_("refused by the pharmacy"),
    "cancelled": N_("cancelled"),
}
"""A state as a refusal says it."""

WAYS = {"oral": N_("by mouth"), "inhaled": N_("breathed in"), "sublingual": N_("under the tongue")}
"""A route as it is said."""

FREQUENCIES: dict[str, tuple[str, float, str, int]] = {
    # key (HL7 v3 GTSAbbreviation): words, then frequency, periodUnit and period of FHIR R4 Timing.repeat
    "QD": ("once a day", 1, "d", 1),
    "BID": ("twice a day", 2, "d", 1),
    "TID": ("three times a day", 3, "d", 1),
    "QID": ("four times a day", 4, "d", 1),
    "Q8H": ("every 8 hours", 1, "h", 8),
    "Q6H": ("every 6 hours", 1, "h", 6),
    "WK": ("once a week", 1, "wk", 1),
}

UNITS = ("tablet", "capsule", "puff", "mL", "mg", "drop")


class Pharmacy(msgspec.Struct, frozen=True):
    """Where a prescription can go."""

    id: str
    name: str
    telephone: str
    address: str


class Draft(msgspec.Struct, frozen=True):
    """What a clinician filled in. dose: a number of unit. days: duration. overrides: Check.key to the reason given.

    refill: the patient's request that this one answers.
    """

    patient: str
    medicine: str
    dose: float
    unit: str
    route: str
    frequency: str
    days: int
    pharmacy: str
    substitution: bool = True
    as_needed: bool = False
    note: str = ""
    visit: str | None = None
    overrides: dict[str, str] = {}
    refill: str | None = None


class Event(msgspec.Struct, frozen=True):
    """One step: what happened, when, who did it and why."""

    step: str
    at: datetime
    who: str
    reason: str = ""


class Prescription(msgspec.Struct, frozen=True):
    """A prescription as its room keeps it."""

    id: str
    status: Status
    draft: Draft
    name: str
    prescriber: str
    prescriber_name: str
    checks: tuple[Check, ...]
    written_at: datetime
    signed_at: datetime | None = None
    events: tuple[Event, ...] = ()

    def taken(self, now: datetime) -> bool:
        """Whether the patient has it, or will: on its way to them, or dispensed and its days not over."""
        given = next((e.at for e in self.events if e.step == "dispense"), None)
        if self.status == "dispensed" and given:
            return now < given + timedelta(days=self.draft.days)
        return self.status in {"signed", "accepted"}


def next_status(status: Status, step: str) -> Status:
    """The state after step. Raises Conflict when the step does not exist there."""
    try:
        return STEPS[status, step]
    except KeyError:
        raise Conflict(
            "This prescription is %(status)s: that cannot be done now.",
            status=SAYS[status],
            remedy="Write a new prescription." if status in {"dispensed", "refused", "cancelled"} else None,
        ) from None


def instruction(draft: Draft) -> str:
    """The dosage in words, as the patient and the pharmacy read it."""
    words = FREQUENCIES[draft.frequency][0]
    count = f"{draft.dose:g} {draft.unit}{'' if draft.dose == 1 or draft.unit in {'mL', 'mg'} else 's'}"
    needed = " when needed" if draft.as_needed else ""
    return f"{count}, {draft.route}, {words}{needed}, for {draft.days} days"


def validate(draft: Draft, routes: tuple[str, ...]) -> None:
    """Raises Invalid naming the field."""
    if not 0 < draft.dose <= 1000:
        raise Invalid("The dose must be more than 0 and at most 1000.", where="dose")
    if draft.unit not in UNITS:
        raise Invalid("The dose needs a unit from the list.", where="unit")
    if draft.route not in routes:
        raise Invalid("This medicine is given by: %(routes)s.", where="route", routes=[WAYS.get(r, r) for r in routes])
    if draft.frequency not in FREQUENCIES:
        raise Invalid("Choose how often.", where="frequency")
    if not 1 <= draft.days <= 365:
        raise Invalid("The duration is 1 to 365 days.", where="days")
    if not draft.pharmacy:
        raise Invalid("Choose a pharmacy.", where="pharmacy")
