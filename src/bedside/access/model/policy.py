"""The policy, as a table: deny by default, and each row says who may do what, and on what standing.

Source of the rows: the product's own statement of people and access (docs/decisions, access policy); the shape of
emergency access: 45 CFR 164.312(a)(2)(ii). Hazard: a record read by somebody without a reason, or kept from somebody
who needed it. Every row has a test that fails without it (tests/access/test_policy.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ALL = frozenset({"*"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One permission. role: of the actor. standing: what binds them to the patient. actions: of C R U D E.

    what: resource types or the rooms' own nouns; '*' any; 'source' only the thing that made the relation.
    """

    role: str
    standing: str
    actions: str
    what: frozenset[str]


@dataclass(frozen=True, slots=True)
class Standing:
    """What binds an actor to one patient at this moment.

    kind: self, care, visit, duty, alarm, pharmacy, device, emergency, grant, none. role: the duty's role.
    actions, what: the limits that a grant carries.
    """

    kind: str
    source: str = ""
    role: str | None = None
    actions: str = "CRUDE"
    what: frozenset[str] = ALL


def _types(names: str) -> frozenset[str]:
    return frozenset(names.split())


# What a patient enters about themselves; the rest of the record is written by those who care for them.
PATIENT_CREATES = _types(
    "Observation QuestionnaireResponse Communication Appointment Consent DocumentReference Binary "
    "reading visit message refill symptom"
)
PATIENT_CHANGES = _types("Communication Appointment Consent reading visit message refill symptom")
# What a wall must show, and no more.
WALL_SHOWS = _types("Patient Observation Device reading alarm score series")

RULES: tuple[Rule, ...] = (
    Rule("patient", "self", "RE", ALL),
    Rule("patient", "self", "C", PATIENT_CREATES),
    Rule("patient", "self", "U", PATIENT_CHANGES),
    Rule("caregiver", "grant", "CRUE", ALL),
    Rule("clinician", "care", "CRUDE", ALL),
    Rule("clinician", "visit", "CRUDE", ALL),
    Rule("clinician", "alarm", "CRUE", ALL),
    Rule("clinician", "emergency", "CRUE", ALL),
    Rule("nurse", "duty", "CRUDE", ALL),
    Rule("nurse", "care", "CRUDE", ALL),
    Rule("nurse", "visit", "CRUE", ALL),
    Rule("nurse", "alarm", "CRUE", ALL),
    Rule("nurse", "emergency", "CRUE", ALL),
    Rule("pharmacist", "pharmacy", "CRUE", frozenset({"source"})),
    Rule("pharmacist", "pharmacy", "R", frozenset({"Patient"})),
    Rule("pharmacist", "pharmacy", "CU", frozenset({"MedicationDispense"})),
    # Name and birth date of one who is looked for by both, or by number: the way to emergency access, and no record.
    Rule("clinician", "none", "R", frozenset({"directory"})),
    Rule("nurse", "none", "R", frozenset({"directory"})),
    # The desk: whoever registers somebody is told who of that name and birth date is here already (decision 28).
    Rule("administrator", "none", "R", frozenset({"directory"})),
    Rule("privacy-officer", "none", "RE", frozenset({"AuditEvent"})),
    Rule("display", "duty", "R", WALL_SHOWS),
    Rule("device", "device", "C", _types("Observation reading")),
)
"""administrator is in no row but the directory's: no clinical data."""

BY_DUTY = frozenset(rule.role for rule in RULES if rule.standing == "duty")
"""Roles to which being on duty opens anything."""

# A job says what it runs for; a purpose that is not here opens nothing (emergency treatment is a person's act).
JOBS: dict[str, str] = {
    "TREAT": "CRUDE",
    "PATRQT": "CRUDE",
    "HOPERAT": "CRUDE",
    "SYSADMIN": "CRUDE",
    "HPAYMT": "RE",
    "PUBHLTH": "RE",
}

# Resources that belong to no patient (Practitioner, Organization, Medication …).
OUTSIDE: dict[str, str] = {
    "patient": "RE",
    "caregiver": "RE",
    "clinician": "RE",
    "nurse": "RE",
    "pharmacist": "RE",
    "privacy-officer": "RE",
    "display": "R",
    "administrator": "CRUDE",
}

# A device that nobody holds: whoever looks after patients adds one, takes one back and gives it to the next. A patient
# who is not here yet: whoever looks after patients registers them (and the administrator, by OUTSIDE).
UNHELD: dict[str, dict[str, str]] = {
    "Device": {"clinician": "CU", "nurse": "CU"},
    "Patient": {"clinician": "C", "nurse": "C"},
}


def permits(roles: Iterable[str], standings: Iterable[Standing], action: str, what: str) -> bool:
    """Whether any row lets these roles, on these standings, do action on what ('Type', 'Type/id' or a noun)."""
    held = frozenset(roles)
    return any(
        action in rule.actions and rule.role in held and _covers(rule, standing, action, what)
        for standing in standings
        for rule in RULES
        if rule.standing == standing.kind
    )


def _covers(rule: Rule, standing: Standing, action: str, what: str) -> bool:
    if standing.role is not None and standing.role != rule.role:
        return False
    if action not in standing.actions:
        return False
    kind = what.partition("/")[0]
    if "*" not in standing.what and kind not in standing.what:
        return False
    if "source" in rule.what:
        return what == standing.source
    return "*" in rule.what or kind in rule.what


def standings_that_read(roles: Iterable[str], what: str) -> frozenset[tuple[str, str]]:
    """The (role, standing) pairs that let these roles read every instance of what; '*' asks for everything."""
    held = frozenset(roles)
    return frozenset(
        (rule.role, rule.standing)
        for rule in RULES
        if rule.role in held and "R" in rule.actions and ("*" in rule.what or (what != "*" and what in rule.what))
    )
