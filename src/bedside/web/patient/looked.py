"""The audit as a patient reads it: who, in which part, did what, when and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bedside.access import AuditLine
from bedside.web.kit.places import N_

ROLES = {
    "clinician": N_("clinician"),
    "nurse": N_("nurse"),
    "pharmacist": N_("pharmacist"),
    "administrator": N_("administrator"),
    "privacy-officer": N_("privacy officer"),
    "caregiver": N_("caregiver"),
    "patient": N_("patient"),
    "display": N_("ward display"),
}
WHY = {
    "TREAT": N_("for your treatment"),
    "ETREAT": N_("in an emergency"),
    "PATRQT": N_("at your own request"),
    "HOPERAT": N_("to run the clinic"),
    "SYSADMIN": N_("to keep the system running"),
    "HPAYMT": N_("for payment"),
    "PUBHLTH": N_("for public health"),
}
"""HL7 v3 PurposeOfUse in words."""
KINDS = {
    "client": N_("a program"),
    "device": N_("a device"),
    "job": N_("Bedside itself"),
    "nobody": N_("somebody unknown"),
}


OWN, THEIRS = N_("looked at your own record"), N_("looked at this record")
LET_IN = N_("because you let them in")


@dataclass(frozen=True, slots=True)
class Look:
    """One line. who: a name; role, why, what: msgids or the entry's own words; times: how often in a row."""

    at: datetime
    who: str
    role: str
    what: str
    why: str
    reason: str | None
    refused: bool
    me: bool
    times: int


def lines(found: Sequence[AuditLine], me: str, *, own: bool = True) -> list[Look]:
    """Newest first; the same person doing the same thing many times in a row is one line that says how often.

    own: whether it is the reader's record, or somebody's who lets them in.
    """
    looks: list[Look] = []
    for one in found:
        role = next((ROLES[r] for r in ROLES if r in one.roles), KINDS.get(one.actor_kind, ""))
        itself = one.actor_kind == "job"
        look = Look(
            at=one.at,
            who=KINDS["job"] if itself else one.actor_name,
            role="" if itself else role,
            what=(OWN if own else THEIRS) if one.actor == me and not one.wrote else one.action,
            why=LET_IN if own and role == ROLES["caregiver"] else WHY.get(one.purpose, one.purpose),
            reason=one.reason,
            refused=one.outcome == "refused",
            me=one.actor == me,
            times=1,
        )
        last = looks[-1] if looks else None
        if last and (last.who, last.what, last.refused, last.reason) == (
            look.who,
            look.what,
            look.refused,
            look.reason,
        ):
            looks[-1] = Look(
                last.at, last.who, last.role, last.what, last.why, last.reason, last.refused, last.me, last.times + 1
            )
        else:
            looks.append(look)
    return looks
