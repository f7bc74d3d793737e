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
NATIONAL = "urn:bedside:national:"
"""And a country's two letters: system of a national number that has none of its own in FHIR R4."""
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
        "national": ("SS", SSN) if country == "us" else ("NI", f"{NATIONAL}{country}"),
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


def typed_of(record: Mapping[str, Any]) -> dict[str, str]:
    """A Patient of the record as the form shows it: what `patient` makes of it is what `corrected` may change."""
    typed = dict.fromkeys(FIELDS, "")
    spoken = _official(record)
    typed["given"], typed["family"] = " ".join(spoken.get("given") or ()), str(spoken.get("family") or "")
    if not typed["given"] and not typed["family"]:
        typed["family"] = str(spoken.get("text") or "")
    typed["birth"], typed["gender"] = str(record.get("birthDate") or ""), str(record.get("gender") or "")
    for one in record.get("identifier") or ():
        system, value = str(one.get("system") or ""), str(one.get("value") or "")
        if kind := _kind(one):
            typed[kind] = typed[kind] or value
        if kind == "national":
            typed["country"] = typed["country"] or ("US" if system == SSN else system.removeprefix(NATIONAL).upper())
    typed["phone"], typed["email"] = _reached(record, "phone"), _reached(record, "email")
    for home in (record.get("address") or ())[:1]:
        typed["line"] = " ".join(home.get("line") or ())
        typed |= {"postcode": str(home.get("postalCode") or ""), "city": str(home.get("city") or "")}
        typed |= {"state": str(home.get("state") or ""), "country": str(home.get("country") or typed["country"])}
    for one in (record.get("contact") or ())[:1]:
        typed["contact_name"] = str((one.get("name") or {}).get("text") or "") or " ".join(
            [*((one.get("name") or {}).get("given") or ()), str((one.get("name") or {}).get("family") or "")]
        )
        typed["contact_relation"] = next((str(r["text"]) for r in one.get("relationship") or () if r.get("text")), "")
        typed["contact_phone"] = _reached(one, "phone")
    for one in record.get("communication") or ():
        coding: dict[str, Any] = next(iter((one.get("language") or {}).get("coding") or ()), {})
        if one.get("preferred") or not typed["language"]:
            typed["language"] = str(coding.get("code") or "")[:2]
    return {name: " ".join(value.split()) for name, value in typed.items()}


def _official(record: Mapping[str, Any]) -> dict[str, Any]:
    order = {"official": 0, "usual": 1, None: 2}
    return next(iter(sorted(record.get("name") or (), key=lambda one: order.get(one.get("use"), 3))), {})


def _reached(holder: Mapping[str, Any], system: str) -> str:
    """The first value of a kind that is not given up."""
    found = (o for o in holder.get("telecom") or () if o.get("system") == system and o.get("use") != "old")
    return next((str(one["value"]) for one in found if one.get("value")), "")


def _kind(identifier: Mapping[str, Any]) -> str:
    """Which field of the form holds an identifier; none: another program's."""
    system = str(identifier.get("system") or "")
    if system == NUMBER:
        return "number"
    return "national" if system == SSN or system.startswith(NATIONAL) else ""


def _shows(telecom: Mapping[str, Any], system: str, value: str) -> bool:
    return telecom.get("system") == system and telecom.get("use") != "old" and telecom.get("value") == value


def corrected(record: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The record with what was typed in the place of what the form showed, and everything else as it stands: a second
    name, number, telephone, address or contact, and whatever another program wrote."""
    before, new = typed_of(record), patient(typed)
    changed = {name for name in FIELDS if before[name] != typed[name]}
    made: dict[str, Any] = {name: value for name, value in record.items() if name != "meta"}

    def put(name: str, value: Any) -> None:
        if value in (None, "", [], {}):
            made.pop(name, None)
        else:
            made[name] = value

    if changed & {"given", "family"}:
        spoken = _official(record)
        kept = {key: value for key, value in spoken.items() if key not in {"given", "family", "text"}}
        put("name", [kept | new["name"][0], *(one for one in record.get("name") or () if one is not spoken)])
    for field, name in (("birth", "birthDate"), ("gender", "gender")):
        if field in changed:
            put(name, typed[field])
    if numbers := changed & {"number", "national"}:
        gone = {(kind, _number(before[kind])) for kind in numbers}
        rest = [one for one in made.get("identifier") or () if (_kind(one), _number(str(one.get("value")))) not in gone]
        put("identifier", [*(one for one in new.get("identifier") or () if _kind(one) in numbers), *rest])
    for system in ("phone", "email"):
        if system in changed:
            rest = [one for one in made.get("telecom") or () if not _shows(one, system, before[system])]
            put("telecom", [*(one for one in new.get("telecom") or () if one["system"] == system), *rest])
    if changed & {"line", "postcode", "city", "state", "country"}:
        put("address", [*(new.get("address") or ()), *(record.get("address") or ())[1:]])
    if changed & {"contact_name", "contact_relation", "contact_phone"}:
        put("contact", [*(new.get("contact") or ()), *(record.get("contact") or ())[1:]])
    if "language" in changed:
        others = [one for one in record.get("communication") or () if not one.get("preferred")]
        put("communication", [*(new.get("communication") or ()), *others])
    return made
