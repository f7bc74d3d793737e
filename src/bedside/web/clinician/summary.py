"""A patient's record as the chart shows it: header, problems, allergies, medicines, encounters. Pure.

Entered in error never shows as current: it is kept apart, and the chart says how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from bedside.fhir import joined
from bedside.fhir.allergies import Allergies, denies, known, stands
from bedside.fhir.concepts import code, codes, in_error, standing, words
from bedside.fhir.names import name_of
from bedside.web.clinician.resources import Resource, newest_first, number_of, telephone_of
from bedside.web.kit.places import N_

CURRENT_PROBLEM = frozenset({"active", "recurrence", "relapse"})
CURRENT_MEDICINE = frozenset({"active", "on-hold"})
GENDERS = {"female": N_("female"), "male": N_("male"), "other": N_("other"), "unknown": N_("unknown")}

CLASSES = {
    "VR": N_("Video visit"),
    "AMB": N_("Visit to the clinic"),
    "EMER": N_("Emergency"),
    "IMP": N_("Stay in hospital"),
    "HH": N_("Visit at home"),
}
"""HL7 v3 ActCode of an encounter's class, where it has no type of its own."""

RUNNING = frozenset({"draft", "active", "on-hold"})
ORDER_STATES = {
    "draft": N_("not sent yet"),
    "active": N_("ordered"),
    "on-hold": N_("on hold"),
    "revoked": N_("withdrawn"),
    "completed": N_("done"),
    "unknown": N_("unknown"),
}
"""request-status (hl7.org/fhir/R4/valueset-request-status.html) in words."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the patient banner shows. goes_on, also: ids of records that were joined with this one (fhir.joined)."""

    id: str
    name: str
    birth_date: str | None
    gender: str | None
    number: str | None
    allergies: Allergies
    telephone: str | None = None
    deceased: bool = False
    contact: str | None = None
    goes_on: str | None = None
    also: tuple[str, ...] = ()


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
class Order:
    """A request for something to be done: a test, a procedure, a referral. status: a msgid."""

    what: str
    status: str
    when: str | None
    who: str
    running: bool


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
        allergies=known(allergies),
        telephone=telephone_of(patient),
        deceased=bool(patient.get("deceasedBoolean") or patient.get("deceasedDateTime")),
        contact=said or None,
        goes_on=joined.goes_on(patient),
        also=joined.also(patient),
    )


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
        lambda r: stands(r) and not denies(codes(r.get("code"))),
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


def _taken_since(medicine: Resource) -> str | None:
    """When it was prescribed, or since when it is taken."""
    period = medicine.get("effectivePeriod") or {}
    return (
        medicine.get("authoredOn")
        or medicine.get("effectiveDateTime")
        or period.get("start")
        or medicine.get("dateAsserted")
    )


def medicines(
    requests: Sequence[Resource],
    statements: Sequence[Resource] = (),
    taken: Collection[str] = (),
    said: Mapping[str, str] | None = None,
) -> Listing:
    """Prescriptions and statements of what is taken; active and on hold are current, and those that are named taken
    (dispensed, and their days not over). A proposal (a patient's request) is no medicine, current or past.

    said: the dosage of those that were prescribed here, by id, in the reader's language; the rest stays as written.
    """
    dosages = said or {}
    return _told_apart(
        [*(r for r in requests if r.get("intent") != "proposal"), *statements],
        ("authoredOn", "effectiveDateTime", "dateAsserted"),
        lambda r: r.get("status") in CURRENT_MEDICINE or r["id"] in taken,
        lambda r: Entry(
            words(r.get("medicationCodeableConcept"))
            or str((r.get("medicationReference") or {}).get("display") or "")
            or N_("a medicine without a name"),
            _taken_since(r),
            detail=dosages.get(r["id"]) or _dosage(r),
            status=str(r.get("status", "")),
            id=r["id"],
        ),
    )


def encounters(found: Sequence[Resource]) -> tuple[Entry, ...]:
    """Visits: those that run now, then the newest first, last those without a date. Type, when, why."""
    rows = sorted(standing(found), key=lambda r: (_runs(r), (r.get("period") or {}).get("start", "")), reverse=True)
    return tuple(
        Entry(
            next((words(t) for t in r.get("type") or []), "") or _class(r),
            (r.get("period") or {}).get("start"),
            detail=", ".join(words(reason) for reason in r.get("reasonCode") or []),
            status=str((r.get("class") or {}).get("code", "")),
            current=_runs(r),
            id=r["id"],
        )
        for r in rows
    )


def _class(encounter: Resource) -> str:
    known = encounter.get("class") or {}
    return CLASSES.get(str(known.get("code")), str(known.get("display") or ""))


def _runs(encounter: Resource) -> bool:
    return encounter.get("status") in {"in-progress", "arrived", "triaged", "onleave"}


def orders(found: Sequence[Resource], requesters: Sequence[Resource] = ()) -> tuple[Order, ...]:
    """ServiceRequests, newest first, those that still run before those that are over. requesters: whom they name."""
    names = {f"{r['resourceType']}/{r['id']}": name_of(r) for r in requesters if r.get("name")}
    listed = [
        Order(
            what=words(r.get("code")) or N_("an order without a name"),
            status=ORDER_STATES.get(str(r["status"]), str(r["status"])),
            when=r.get("authoredOn") or r.get("occurrenceDateTime"),
            who=str((r.get("requester") or {}).get("display") or names.get(_reference(r), "")),
            running=r["status"] in RUNNING,
        )
        for r in newest_first(standing(found), "authoredOn", "occurrenceDateTime")
    ]
    return tuple(sorted(listed, key=lambda order: not order.running))


def _reference(order: Resource) -> str:
    return str((order.get("requester") or {}).get("reference") or "")


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
