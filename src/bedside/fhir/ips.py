"""The International Patient Summary (hl7.org/fhir/uv/ips): its sections by table, its Composition, its words."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import msgspec

from bedside.fhir.vocabulary import LOINC

PROFILE = "http://hl7.org/fhir/uv/ips/StructureDefinition/"
SUMMARY = "60591-5"
"""LOINC: Patient summary Document."""
_EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"

Empty = Literal["unavailable", "nilknown", "withheld"]
_WORDS: Mapping[Empty, tuple[str, str]] = {
    "unavailable": ("Unavailable", "No information is available."),
    "nilknown": ("Nil Known", "None known, as recorded."),
    "withheld": ("Information Withheld", "Not shown to the one who asked."),
}


class Source(msgspec.Struct, frozen=True):
    """Resources of a type that match a search. newest: only the newest of each kind. statuses: which of them are
    taken, where R4 has no search by status; () for all."""

    type: str
    query: str
    newest: bool = False
    statuses: tuple[str, ...] = ()


class Section(msgspec.Struct, frozen=True):
    """One section by its LOINC code. required: it stands there even when empty."""

    code: str
    title: str
    display: str
    sources: tuple[Source, ...]
    required: bool = False


class Filled(NamedTuple):
    """A section with its resources. empty: why there are none. more: whether there are more than are shown."""

    section: Section
    resources: Sequence[dict[str, Any]]
    empty: Empty = "unavailable"
    more: bool = False


@cache
def sections() -> tuple[Section, ...]:
    """In the order of the document."""
    found = tomllib.loads(files("bedside.fhir").joinpath("ips.toml").read_text(encoding="utf-8"))
    return msgspec.convert(found["section"], tuple[Section, ...])


def composition(
    filled: Sequence[Filled], *, id_: str, patient: str, author: str, now: datetime, base: str
) -> dict[str, Any]:
    """The Composition. patient, author: as references. Sections that are empty and not required are left out."""
    return {
        "resourceType": "Composition",
        "id": id_,
        "meta": {"profile": [f"{PROFILE}Composition-uv-ips"]},
        "text": narrative(["Patient summary"]),
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": SUMMARY, "display": "Patient summary Document"}]},
        "subject": {"reference": patient},
        "date": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "author": [{"reference": author}],
        "title": "International Patient Summary",
        "confidentiality": "N",
        "section": [_section(one, base) for one in filled if one.resources or one.section.required],
    }


def _section(one: Filled, base: str) -> dict[str, Any]:
    said = one.section
    coding = {"system": LOINC, "code": said.code, "display": said.display}
    made: dict[str, Any] = {"title": said.title, "code": {"coding": [coding]}}
    if one.resources:
        lines = [line(resource) for resource in one.resources]
        if one.more:
            lines.append("There are more in the record.")
        made["text"] = narrative(lines)
        made["entry"] = [{"reference": f"{base}/{it['resourceType']}/{it['id']}"} for it in one.resources]
        return made
    display, words = _WORDS[one.empty]
    made["text"] = narrative([words])
    made["emptyReason"] = {"coding": [{"system": _EMPTY, "code": one.empty, "display": display}]}
    return made


def narrative(lines: Sequence[str]) -> dict[str, Any]:
    """A generated text, one item a line."""
    items = "".join(f"<li>{escape(one)}</li>" for one in lines)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{items}</ul></div>'}


# Where a resource says what it is about, in the order in which one is taken.
_SUBJECTS = ("code", "medicationCodeableConcept", "vaccineCode", "device", "medicationReference", "category", "title")
_DATES = ("effectiveDateTime", "onsetDateTime", "occurrenceDateTime", "performedDateTime", "authoredOn", "recordedDate")


def line(resource: Mapping[str, Any]) -> str:
    """A resource in one line: what, how much, when."""
    what = next((text for key in _SUBJECTS if (text := words(resource.get(key)))), resource["resourceType"])
    parts = [what]
    if amount := value(resource):
        parts.append(amount)
    components = resource.get("component") or ()
    parts += [f"{words(part.get('code'))} {amount}" for part in components if (amount := value(part))]
    doses = resource.get("dosageInstruction") or resource.get("dosage") or ()
    parts += [str(dose["text"]) for dose in doses if isinstance(dose, dict) and dose.get("text")]
    date = next((str(resource[key]) for key in _DATES if key in resource), "")
    return ", ".join(parts) + (f" ({date[:10]})" if date else "")


def words(concept: Any) -> str:
    """What a CodeableConcept, a Reference or a list of them says."""
    if isinstance(concept, list):
        return words(concept[0]) if concept else ""
    if isinstance(concept, str):
        return concept
    if not isinstance(concept, dict):
        return ""
    for one in (concept, *(concept.get("coding") or ())):
        for key in ("text", "display", "code"):
            if isinstance(one.get(key), str):
                return str(one[key])
    return ""


def value(resource: Mapping[str, Any]) -> str:
    """What was found: a quantity with its unit, a concept, a text."""
    amount = resource.get("valueQuantity")
    if isinstance(amount, dict) and "value" in amount:
        unit = amount.get("unit") or amount.get("code") or ""
        return f"{amount.get('comparator', '')}{amount['value']} {unit}".strip()
    return words(resource.get("valueCodeableConcept")) or str(resource.get("valueString", ""))


def none_known(lists: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the newest of the lists of a section says that somebody asked and there is none."""
    for one in lists[:1]:
        codings = (one.get("emptyReason") or {}).get("coding") or ()
        return not one.get("entry") and any(coding.get("code") == "nilknown" for coding in codings)
    return False
