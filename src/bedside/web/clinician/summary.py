"""A patient's record as the chart shows it: header, problems, allergies, medicines, encounters. Pure.

Entered in error never shows as current: it is kept apart, and the chart says how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bedside.web.clinician.resources import (
    Resource,
    code,
    codes,
    in_error,
    name_of,
    newest_first,
    number_of,
    standing,
    telephone_of,
    words,
)
from bedside.web.kit.places import N_

NO_KNOWN = frozenset({"716186003", "409137002", "428607008", "429625007", "160244002", "no-known-allergies"})
"""SNOMED CT: no known allergy, and no known drug, environmental, food allergy; an older code of the first; HL7's."""
CURRENT_PROBLEM = frozenset({"active", "recurrence", "relapse"})
CURRENT_MEDICINE = frozenset({"active", "on-hold"})
GENDERS = {"female": N_("female"), "male": N_("male"), "other": N_("other"), "unknown": N_("unknown")}


@dataclass(frozen=True, slots=True)
class Header:
    """What the patient banner shows. allergies: None when none was ever recorded, () when none are known."""

    id: str
    name: str
    birth_date: str | None
    gender: str | None
    number: str | None
    allergies: tuple[str, ...] | None
    telephone: str | None = None
    deceased: bool = False
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: what, since or on when, and further words. current: shown among the current ones."""

    what: str
    when: str | None
    detail: str = ""
    status: str = ""
    current: bool = True
    id: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list told apart: what counts now, what is past, what was entered in error."""

    current: tuple[Entry, ...]
    past: tuple[Entry, ...]
    wrong: tuple[Entry, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing was ever recorded."""
        return not (self.current or self.past or self.wrong)


def header(patient: Resource, allergies: Sequence[Resource]) -> Header:
    """The banner's facts of a Patient and all its AllergyIntolerances."""
    contacts = patient.get("contact") or []
    contact = contacts[0] if contacts else {}
    said = " ".join(
        part
        for part in (name_of({"name": [contact["name"]]}) if contact.get("name") else "", telephone_of(contact))
        if part
    )
    gender = patient.get("gender")
    return Header(
        id=patient["id"],
        name=name_of(patient),
        birth_date=patient.get("birthDate"),
        gender=GENDERS.get(gender, gender) if gender else None,
        number=number_of(patient),
        allergies=allergy_names(allergies),
        telephone=telephone_of(patient),
        deceased=bool(patient.get("deceasedBoolean") or patient.get("deceasedDateTime")),
        contact=said or None,
    )


def allergy_names(allergies: Sequence[Resource]) -> tuple[str, ...] | None:
    """Names of what stands; () when somebody recorded that none are known; None when nothing says either.

    A refuted or resolved allergy is history: it is neither a name here nor a "none known".
    """
    live = [
        a
        for a in standing(allergies)
        if code(a.get("verificationStatus")) != "refuted"
        and code(a.get("clinicalStatus")) not in {"inactive", "resolved"}
    ]
    names = tuple(dict.fromkeys(words(a.get("code")) for a in live if not codes(a.get("code")) & NO_KNOWN))
    if names:
        return names
    return () if any(codes(a.get("code")) & NO_KNOWN for a in live) else None


def problems(conditions: Sequence[Resource]) -> Listing:
    """Conditions by whether they are active, newest first."""
    return _told_apart(
        conditions,
        ("onsetDateTime", "recordedDate"),
        lambda r: code(r.get("clinicalStatus")) in CURRENT_PROBLEM or not code(r.get("clinicalStatus")),
        lambda r: Entry(
            words(r.get("code")),
            r.get("onsetDateTime") or r.get("recordedDate"),
            detail=f"– {r['abatementDateTime'][:10]}" if r.get("abatementDateTime") else "",
            status=code(r.get("clinicalStatus")),
            id=r["id"],
        ),
    )


def allergies(found: Sequence[Resource]) -> Listing:
    """Allergies with their reaction and how dangerous they may be."""
    return _told_apart(
        found,
        ("recordedDate", "onsetDateTime"),
        lambda r: (
            code(r.get("verificationStatus")) != "refuted"
            and code(r.get("clinicalStatus")) not in {"inactive", "resolved"}
            and not codes(r.get("code")) & NO_KNOWN
        ),
        lambda r: Entry(
            words(r.get("code")),
            r.get("recordedDate"),
            detail=", ".join(
                words(m) for reaction in r.get("reaction") or [] for m in reaction.get("manifestation", [])
            ),
            status=r.get("criticality") or code(r.get("clinicalStatus")),
            id=r["id"],
        ),
    )


def medicines(requests: Sequence[Resource], statements: Sequence[Resource] = ()) -> Listing:
    """Prescriptions and statements of what is taken; active and on hold are current."""
    return _told_apart(
        [*requests, *statements],
        ("authoredOn", "effectiveDateTime", "dateAsserted"),
        lambda r: r.get("status") in CURRENT_MEDICINE and r.get("intent", "order") != "proposal",
        lambda r: Entry(
            words(r.get("medicationCodeableConcept"))
            or str((r.get("medicationReference") or {}).get("display") or "")
            or N_("a medicine without a name"),
            r.get("authoredOn") or r.get("effectiveDateTime") or r.get("dateAsserted"),
            detail=_dosage(r),
            status=str(r.get("status", "")),
            id=r["id"],
        ),
    )


def encounters(found: Sequence[Resource]) -> tuple[Entry, ...]:
    """Visits newest first: type, when, why."""
    rows = sorted(standing(found), key=lambda r: (r.get("period") or {}).get("start", ""), reverse=True)
    return tuple(
        Entry(
            next((words(t) for t in r.get("type") or []), "") or str((r.get("class") or {}).get("display") or ""),
            (r.get("period") or {}).get("start"),
            detail=", ".join(words(reason) for reason in r.get("reasonCode") or []),
            status=str((r.get("class") or {}).get("code", "")),
            current=r.get("status") in {"in-progress", "arrived", "triaged", "onleave"},
            id=r["id"],
        )
        for r in rows
    )


def _told_apart(
    resources: Sequence[Resource],
    fields: tuple[str, ...],
    is_current: Callable[[Resource], bool],
    entry: Callable[[Resource], Entry],
) -> Listing:
    current: list[Entry] = []
    past: list[Entry] = []
    wrong: list[Entry] = []
    for resource in newest_first(resources, *fields):
        line = entry(resource)
        (wrong if in_error(resource) else current if is_current(resource) else past).append(line)
    return Listing(tuple(current), tuple(past), tuple(wrong))


def _dosage(resource: Resource) -> str:
    instructions = resource.get("dosageInstruction") or resource.get("dosage") or []
    for one in instructions:
        if one.get("text"):
            return str(one["text"])
        parts = [_dose(one), _timing(one.get("timing") or {}), words(one.get("route"))]
        if one.get("asNeededBoolean"):
            parts.append(N_("as needed"))
        said = ", ".join(p for p in parts if p)
        if said:
            return said
    return ""


def _dose(instruction: Resource) -> str:
    for rate in instruction.get("doseAndRate") or []:
        quantity = rate.get("doseQuantity")
        if quantity and quantity.get("value") is not None:
            return f"{quantity['value']:g} {quantity.get('unit') or quantity.get('code') or ''}".strip()
    return ""


def _timing(timing: Resource) -> str:
    """FHIR Timing.repeat as far as prescriptions use it: "2 × / d"."""
    if words(timing.get("code")):
        return words(timing.get("code"))
    repeat = timing.get("repeat") or {}
    if repeat.get("frequency") and repeat.get("period"):
        period = "" if repeat["period"] == 1 else f"{repeat['period']:g} "
        return f"{repeat['frequency']} × / {period}{repeat.get('periodUnit', '')}"
    return ""
