"""From what a resource says (bedside.fhir.index) to the rows of the search index, and the hashes both sides share."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from bedside.fhir import definitions, index
from bedside.fhir.texts import fold, found_by

UNDATED = -(1 << 62)
"""`at` of what has no date: before everything."""

UCUM = "http://unitsofmeasure.org"

NO_CODE = 0
"""`key` of a coded value without a code."""

WORD_LIMIT = 250
"""Characters of a text that the index keeps; a longer text is found by its beginning."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS = re.compile(r"[\W_]+")
_MICROSECOND = timedelta(microseconds=1)

# The date that a type is listed by: the first of these that it has. From the order in which the types' own pages
# (hl7.org/fhir/R4) put them: when it happened, else when it was written down.
_DATES = (
    *("date", "effective", "authoredon", "authored-on", "authored", "recorded-date", "whenhandedover", "period"),
    *("effective-time", "created", "sent", "issued", "started", "onset-date", "recorded", "birthdate"),
)

# Parameters that only repeat others, value for value: they are not written and are answered from those.
_UNION = {
    "combo-code": ("code", "component-code"),
    "combo-data-absent-reason": ("data-absent-reason", "component-data-absent-reason"),
    "combo-value-concept": ("value-concept", "component-value-concept"),
    "combo-value-quantity": ("value-quantity", "component-value-quantity"),
}
_ELSEWHERE = frozenset({"_id", "_lastUpdated"})


def key(text: str) -> int:
    """The 64-bit hash under which a text is found."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


known_key = lru_cache(maxsize=1 << 15)(key)
"""`key` for what comes again and again: codes and systems."""


target_key = lru_cache(maxsize=1 << 14)(key)
"""`key` for what a reference leads to: the same patient again and again."""


def system_key(system: str | None) -> int:
    """The `extra` of a token: 0 where no system is stated."""
    return known_key(system) if system else 0


def half_key(text: str) -> int:
    """An unsigned 32-bit hash: half of an `extra`."""
    return known_key(text) & 0xFFFFFFFF


@lru_cache(maxsize=1 << 14)
def param(type_: str, code: str) -> int:
    """The number of a search parameter: the signed 32-bit hash of `Type.code`."""
    return int.from_bytes(blake2b(f"{type_}.{code}".encode(), digest_size=4).digest(), "big", signed=True)


CANONICAL = "url:canonical"
"""The rows by which a resource with a URL is found by those that refer to it."""

NAME_PART = param("Patient", "name:part")
"""Each word of a patient's name by itself: for the search of staff pages."""


def rid(type_: str, id_: str) -> int:
    """The number of a resource: what its primary key and references to it hold."""
    return key(f"{type_}/{id_}")


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def in_order(value: float) -> int:
    """A 64-bit integer that sorts as the number does. Beyond 15 digits neighbours fall together."""
    bits: int = struct.unpack(">q", struct.pack(">d", value + 0.0))[0]  # -0.0 is 0.0
    return bits if bits >= 0 else bits ^ 0x7FFFFFFFFFFFFFFF


class Shape(NamedTuple):
    """How a type is indexed.

    patient: the parameter whose only value is the subject; None where there are none or several. date: the one the
    type is listed by. written: the parameters that have rows. stands_for: parameter to those that answer for it.
    narrowed: those that answer for one with fewer targets (`subject` for `patient`). compartment: the parameters that
    place it with a patient.
    """

    patient: str | None
    date: str | None
    written: frozenset[str]
    stands_for: Mapping[str, tuple[str, ...]]
    narrowed: frozenset[str]
    compartment: frozenset[str]


# `patient` holds at most one value in these (their element is 0..1); a type left out is merely searched more slowly.
_ONE_SUBJECT = frozenset(
    {
        "AllergyIntolerance", "BodyStructure", "CarePlan", "CareTeam", "Claim", "ClinicalImpression", "Communication",
        "CommunicationRequest", "Composition", "Condition", "Consent", "Coverage", "CoverageEligibilityRequest",
        "DetectedIssue", "DeviceRequest", "DeviceUseStatement", "DiagnosticReport", "DocumentManifest",
        "DocumentReference", "Encounter", "EpisodeOfCare", "ExplanationOfBenefit", "FamilyMemberHistory", "Flag",
        "Goal", "ImagingStudy", "Immunization", "ImmunizationEvaluation", "ImmunizationRecommendation", "Invoice",
        "List", "MeasureReport", "Media", "MedicationAdministration", "MedicationDispense", "MedicationRequest",
        "MedicationStatement", "MolecularSequence", "NutritionOrder", "Observation", "Procedure",
        "QuestionnaireResponse", "RelatedPerson", "RequestGroup", "RiskAssessment", "ServiceRequest", "Specimen",
        "SupplyDelivery", "Task", "VisionPrescription",
    }
)  # fmt: skip


@lru_cache(maxsize=256)
def shape(type_: str) -> Shape:
    """See Shape."""
    known = definitions.search_parameters(type_)
    stands_for: dict[str, tuple[str, ...]] = {
        code: parts for code, parts in _UNION.items() if code in known and all(p in known for p in parts)
    }
    if (
        "patient" in known
        and "subject" in known
        and _repeats(type_, known["patient"].expression, known["subject"].expression)
    ):
        stands_for["patient"] = ("subject",)
    written = frozenset(
        code
        for code, parameter in known.items()
        if code not in stands_for and code not in _ELSEWHERE and parameter.type not in ("composite", "special")
    )
    date = next((code for code in _DATES if code in known and known[code].type == "date"), None)
    patient = stands_for.get("patient", ("patient",))[0] if "patient" in known else None
    if type_ not in _ONE_SUBJECT:
        patient = None
    # The standard's compartment leaves out some that speak of a patient all the same (Device, Task).
    compartment = frozenset(definitions.compartment("Patient").get(type_, ())) | {"patient", "subject"} & set(known)
    narrowed = frozenset(stands_for.get("patient", ()))
    return Shape(patient, date, written, stands_for, narrowed, compartment)


def _repeats(type_: str, patient: str, subject: str) -> bool:
    """Whether patient's expressions for a type are subject's, narrowed to Patient."""

    def paths(expression: str) -> set[str]:
        parts = (part.strip(" ()") for part in expression.split("|"))
        return {part.partition(".where(")[0] for part in parts if part.startswith(f"{type_}.")}

    return paths(patient) == paths(subject) != set()


class Phrase(NamedTuple):
    """A text that goes with codes of a parameter, and the hash under which it stands in the rows: for `:text`."""

    param: int
    key: int
    folded: str


class Rows(msgspec.Struct):
    """Index rows of one or many resources, column by column, as unnest takes them.

    places: 0, or the number of the array's item in which the value stands, where composites ask for that.
    phrases: the texts that rows speak of by their hash.
    """

    rids: list[int] = []
    params: list[int] = []
    keys: list[int] = []
    extras: list[int] = []
    patients: list[int] = []
    ats: list[int] = []
    places: list[int] = []
    phrases: dict[Phrase, None] = {}
    word_rids: list[int] = []
    word_params: list[int] = []
    folded: list[str] = []
    exact: list[str] = []

    def extend(self, other: Rows) -> None:
        """Append all of another's."""
        self.phrases |= other.phrases
        for name in self.__struct_fields__:
            if name != "phrases":
                getattr(self, name).extend(getattr(other, name))


_Row = tuple[int, int, int, int]
"""param, key, extra, place."""


class Found(NamedTuple):
    """What stands beside the rows: whose the resource is, and which resources it refers to (`Type/id`)."""

    patients: list[str]
    references: list[str]


def add(rows: Rows, type_: str, id_: str, values: index.Index) -> Found:
    """Append the index rows of one resource."""
    form = shape(type_)
    patients: dict[str, None] = {id_: None} if type_ == "Patient" else {}
    subject = ""
    references: dict[str, None] = {}
    pairs: dict[_Row, None] = {}
    at = UNDATED
    for place, part in enumerate((values, *values.parts)):
        for reference in part.references:
            code = reference.param
            if reference.id is not None:
                target = f"{reference.type}/{reference.id}"
                references[target] = None
                if reference.type == "Patient" and type_ != "Patient" and code in form.compartment:
                    patients[reference.id] = None
                if code in form.written:
                    pairs[param(type_, code), target_key(target), known_key(reference.type or ""), place] = None
                    if code == form.patient and reference.type == "Patient":
                        subject = target
            elif reference.url is not None and code in form.written:
                kind = known_key(reference.type) if reference.type else 0
                pairs[param(type_, code), key(reference.url), kind, place] = None
            if reference.identifier_value is not None and code in form.written:
                system = known_key(reference.identifier_system or "")
                stated = key(reference.identifier_value)
                pairs[param(type_, f"{code}:identifier"), stated, system, place] = None
                if code in form.narrowed:
                    pairs[param(type_, f"{code}:logical"), known_key(reference.type or ""), stated, 0] = None
        for date in part.dates:
            if date.param in form.written:
                low = microseconds(date.low)
                pairs[param(type_, date.param), low, microseconds(date.high), place] = None
                if date.param == form.date:
                    at = low if at == UNDATED else min(at, low)
        _codes(pairs, rows, type_, form, part, place)
        _numbers(pairs, type_, form, part, place)
        _words(rows, pairs, type_, id_, form, part)
    number, patient = rid(type_, id_), target_key(subject) if subject else 0
    for which, what, extra, place in pairs:
        rows.params.append(which)
        rows.keys.append(what)
        rows.extras.append(extra)
        rows.places.append(place)
    count = len(pairs)
    rows.rids += [number] * count
    rows.patients += [patient] * count
    rows.ats += [at] * count
    return Found(list(patients), list(references))


def _codes(pairs: dict[_Row, None], rows: Rows, type_: str, form: Shape, values: index.Index, place: int) -> None:
    for token in values.tokens:
        if token.param not in form.written:
            continue
        if token.text:
            which, (folded, hashed) = param(type_, f"{token.param}:text"), phrase(token.text)
            pairs[which, hashed, 0, 0] = None
            rows.phrases[Phrase(which, hashed, folded)] = None
        if token.code is None:  # only words: found by :missing=false and by its system
            pairs[param(type_, token.param), NO_CODE, system_key(token.system), place] = None
            continue
        system = system_key(token.system)
        code = known_key(token.code) if token.param != "identifier" else key(token.code)
        pairs[param(type_, token.param), code, system, place] = None
        if token.type is not None:
            pairs[param(type_, f"{token.param}:of-type"), code, known_key(token.type), place] = None


@lru_cache(maxsize=1 << 14)
def phrase(text: str) -> tuple[str, int]:
    """A text that goes with a code, folded and cut, and its hash."""
    folded = fold(text)[:WORD_LIMIT]
    return folded, key(folded)


def _numbers(pairs: dict[_Row, None], type_: str, form: Shape, values: index.Index, place: int) -> None:
    for one in values.numbers:
        if one.param in form.written:
            pairs[param(type_, one.param), in_order(float(one.value)), 0, place] = None
    for quantity in values.quantities:
        if quantity.param not in form.written:
            continue
        which = param(type_, quantity.param)
        unit = unit_key(quantity.system or "", quantity.code or quantity.unit or "")
        for value in {quantity.low, quantity.high} - {None}:  # both ends of a Range, one of all else
            number = in_order(float(value or 0))
            pairs[which, number, unit, place] = None
            if quantity.unit and quantity.code and quantity.unit != quantity.code:
                pairs[which, number, unit_key("", quantity.unit), place] = None
        if quantity.canonical_unit:
            which, unit = param(type_, f"{quantity.param}:canonical"), unit_key(UCUM, quantity.canonical_unit)
            for value in {quantity.canonical_low, quantity.canonical_high} - {None}:
                pairs[which, in_order(float(value or 0)), unit, place] = None


def unit_key(system: str, code: str) -> int:
    """The `extra` of a quantity: the system's hash above, the code's or unit's below."""
    unsigned = half_key(system) << 32 | half_key(code)
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned


def _words(rows: Rows, pairs: dict[_Row, None], type_: str, id_: str, form: Shape, values: index.Index) -> None:
    found: dict[tuple[int, str, str], None] = {}
    for text in values.strings:
        if text.param in form.written:
            found[param(type_, text.param), text.folded[:WORD_LIMIT], text.exact[:WORD_LIMIT]] = None
        if type_ == "Patient" and text.param == "name":
            for part in name_parts(text.exact):
                found[NAME_PART, part[:WORD_LIMIT], ""] = None
    for uri in values.uris:
        if uri.param in form.written:
            found[param(type_, uri.param), uri.uri[:WORD_LIMIT], uri.version or ""] = None
            if uri.param == "url":  # a canonical reference leads here by the same hash
                pairs[param(type_, CANONICAL), key(uri.uri), 0, 0] = None
    if found:
        number = rid(type_, id_)
        for which, folded, exact in found:
            rows.word_rids.append(number)
            rows.word_params.append(which)
            rows.folded.append(folded)
            rows.exact.append(exact)


def name_parts(name: str) -> set[str]:
    """The words by which a name is found: `O'Brien` by obrien, o and brien; `Müller`, `Mueller` by muller, mueller."""
    words = {word for written in found_by(name) for word in written.split()}
    return {joined(word) for word in words} | {part for word in words for part in _MARKS.split(word)} - {""}


def joined(word: str) -> str:
    """A word without the marks in it."""
    return _MARKS.sub("", word)


def subject_key(patient: str) -> int:
    """The `patient` column of a patient's rows."""
    return rid("Patient", patient)
