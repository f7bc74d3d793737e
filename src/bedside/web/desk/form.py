"""What is typed at the desk, and the FHIR Patient that it says. Pure: what is wrong is told by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from bedside.foundation.errors import N_, Invalid

FIELDS = (
    *("given", "family", "birth", "gender", "number", "national"),
    *("phone", "email", "line", "postcode", "city", "state", "country", "language"),
    *("contact_name", "contact_relation", "contact_phone"),
)
GENDERS = {"female": N_("female"), "male": N_("male"), "other": N_("other"), "unknown": N_("not known")}
"""hl7.org/fhir/R4/valueset-administrative-gender.html."""
LONGEST = 120
OLDEST = 130
"""Years: whoever is said to be older is a slip of the keyboard."""
NUMBER = "urn:bedside:number"
"""System of the clinic's own patient numbers."""
KINDS = "http://terminology.hl7.org/CodeSystem/v2-0203"
SSN = "http://hl7.org/fhir/sid/us-ssn"
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


SHORT = ("given", "family", "birth", "gender", "phone", "email")
"""What somebody who asks to be registered types."""


def read(form: Mapping[str, Any]) -> dict[str, str]:
    """Every field as it was typed, without superfluous spaces."""
    return {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}


def faults(typed: Mapping[str, str], today: date) -> dict[str, Invalid]:
    """What is wrong, by field; nothing where it is good."""
    found: dict[str, Invalid] = {}

    def wrong(field: str, message: str, remedy: str | None = None, **values: object) -> None:
        found.setdefault(field, Invalid(message, where=field, remedy=remedy, **values))

    for name in FIELDS:
        if len(typed[name]) > LONGEST:
            wrong(name, N_("This is longer than %(most)s characters."), most=LONGEST)
    if not typed["family"] and not typed["given"]:
        wrong("family", N_("This is missing."), N_("Somebody who has one name only has it here."))
    if (birth := _birth(typed["birth"], today)) is not None:
        wrong("birth", birth)
    if typed["gender"] not in GENDERS:
        wrong("gender", N_("Choose one."))
    for name in ("phone", "contact_phone"):
        if typed[name] and not dialled(typed[name]):
            wrong(name, N_("This is no telephone number."), N_("Digits, spaces and a plus: +34 910 000 000."))
    if typed["email"] and not _MAIL.fullmatch(typed["email"]):
        wrong("email", N_("This is no e-mail address."), N_("As it is written: name@example.org."))
    if typed["contact_phone"] and not typed["contact_name"]:
        wrong("contact_name", N_("Whose number is it?"))
    if typed["contact_name"] and not typed["contact_phone"]:
        wrong("contact_phone", N_("A contact without a number helps nobody in an emergency."))
    return found


def _birth(text: str, today: date) -> str | None:
    if not text:
        return N_("This is missing.")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return N_("There is no such day. Write the day, the month and the year.")
    if day > today:
        return N_("This day is still to come.")
    return N_("This is longer ago than anybody has lived.") if today.year - day.year > OLDEST else None


def dialled(text: str) -> bool:
    """Whether it can be a telephone number."""
    return bool(re.fullmatch(r"\+?[\d ()./-]+", text)) and sum(one.isdigit() for one in text) >= 5


def name(typed: Mapping[str, str]) -> str:
    """As it is spoken."""
    return " ".join(filter(None, (typed["given"], typed["family"])))


def patient(typed: Mapping[str, str]) -> dict[str, Any]:
    """The Patient of typed fields without faults; what was left empty is not in it."""
    made: dict[str, Any] = _filled(
        {
            "resourceType": "Patient",
            "active": True,
            "identifier": _numbers(typed),
            "name": [{"use": "official", "family": typed["family"], "given": typed["given"].split()}],
            "telecom": _telecoms(typed["phone"], typed["email"]),
            "gender": typed["gender"],
            "birthDate": typed["birth"],
            "address": [
                {
                    "use": "home",
                    "line": [typed["line"]],
                    "city": typed["city"],
                    "state": typed["state"],
                    "postalCode": typed["postcode"],
                    "country": typed["country"] if any(typed[n] for n in ("line", "city", "postcode", "state")) else "",
                }
            ],
            "contact": [
                {
                    "relationship": [{"text": typed["contact_relation"]}],
                    "name": {"text": typed["contact_name"]},
                    "telecom": _telecoms(typed["contact_phone"], ""),
                }
            ]
            if typed["contact_name"]
            else [],
            "communication": [
                {
                    "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": typed["language"]}]},
                    "preferred": True,
                }
            ]
            if typed["language"]
            else [],
        }
    )
    return made


def _numbers(typed: Mapping[str, str]) -> list[dict[str, Any]]:
    country = typed["country"].lower() or "xx"
    systems = {
        "number": ("MR", NUMBER),
        # Only the United States' number has a system of its own in FHIR R4.
        "national": ("SS", SSN) if country == "us" else ("NI", f"urn:bedside:national:{country}"),
    }
    return [
        {"type": {"coding": [{"system": KINDS, "code": kind}]}, "system": system, "value": _number(typed[name])}
        for name, (kind, system) in systems.items()
        if typed[name]
    ]


def _number(text: str) -> str:
    """A number is the same number however it is spaced."""
    return "".join(text.split()).upper()


def _telecoms(phone: str, email: str) -> list[dict[str, str]]:
    # The telephone's use is not known at the desk: a number may be a family's.
    return [{"system": system, "value": value} for system, value in (("phone", phone), ("email", email)) if value]


def _filled(value: Any) -> Any:
    """Without what is empty: FHIR knows no empty elements."""
    if isinstance(value, dict):
        kept = {key: found for key, one in value.items() if (found := _filled(one)) not in ("", [], {}, None)}
        return {} if set(kept) <= {"use"} else kept
    if isinstance(value, list):
        return [found for one in value if (found := _filled(one)) not in ("", [], {}, None)]
    return value
