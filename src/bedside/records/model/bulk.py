"""What a Bulk Data client asks for, and where the work on it stands (hl7.org/fhir/uv/bulkdata/STU2)."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from bedside.fhir import dates, definitions, references
from bedside.fhir.definitions import resource_types
from bedside.fhir.issues import Issue
from bedside.records.model import rows
from bedside.records.model.refusals import Refused

NDJSON = "application/fhir+ndjson"
FORMATS = frozenset({NDJSON, "application/ndjson", "ndjson"})
NOT_EXPORTED = frozenset({"AuditEvent", "Parameters"})
"""AuditEvent stays in the audit: it is read there, by those who may."""
_SEVERAL = re.compile(r",(?=[A-Z][A-Za-z]+\?)")
_REPEATED = frozenset({"_type", "_typeFilter", "_elements", "patient"})

Level = Literal["system", "patient", "group"]


class Wish(msgspec.Struct, frozen=True):
    """An export as it was understood.

    types: () for all of the level. since: lastUpdated after it, exclusive. filters: type and FHIR query, of several of
    one type any must hold. patients: () for all of the level. ignored: what lenient handling left out, in words.
    """

    level: Level
    group: str | None = None
    types: tuple[str, ...] = ()
    since: datetime | None = None
    filters: tuple[tuple[str, str], ...] = ()
    elements: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def filters_of(self, type_: str) -> list[str]:
        """The queries that narrow a type."""
        return [query for one, query in self.filters if one == type_]

    def elements_of(self, type_: str) -> list[str]:
        """The elements asked of a type; [] for all."""
        return [
            tail or head for head, _, tail in (one.partition(".") for one in self.elements) if not tail or head == type_
        ]


class Place(msgspec.Struct):
    """Where an export stands: which type, which of its stages, after which row."""

    type: int = 0
    stage: int = 0
    after: list[Any] | None = None


class Made(NamedTuple):
    """A file as the work left it. lines, size: what counts of it."""

    n: int
    name: str
    part: str
    type: str
    lines: int
    size: int


def compartment_types() -> frozenset[str]:
    """The types that can belong to a patient."""
    return frozenset(t for t in resource_types() if t == "Patient" or rows.shape(t).compartment)


def wish(level: Level, group: str | None, pairs: Iterable[tuple[str, str]], *, strict: bool, posted: bool) -> Wish:
    """Parameters understood. Raises Refused naming each at fault; lenient handling leaves out what is not served."""
    read = _Reading(level, strict)
    for name, value in pairs:
        read.take(name, value, posted=posted)
    if read.issues:
        raise Refused(read.issues, status=400)
    for type_, _ in read.filters:
        if read.types and type_ not in read.types:
            read.leave("_typeFilter", f"{type_} is not among the types of _type.")
    if read.issues:
        raise Refused(read.issues, status=400)
    filters = tuple(one for one in read.filters if not read.types or one[0] in read.types)
    return Wish(
        level,
        group,
        tuple(dict.fromkeys(read.types)),
        read.since,
        filters,
        tuple(read.elements),
        tuple(dict.fromkeys(read.patients)),
        tuple(read.ignored),
    )


class _Reading:
    """Parameters being understood."""

    def __init__(self, level: Level, strict: bool) -> None:
        self.level, self.strict = level, strict
        self.issues: list[Issue] = []
        self.ignored: list[str] = []
        self.types: list[str] = []
        self.since: datetime | None = None
        self.filters: list[tuple[str, str]] = []
        self.elements: list[str] = []
        self.patients: list[str] = []
        self.seen: set[str] = set()

    def fault(self, where: str, what: str) -> None:
        """What cannot be understood."""
        self.issues.append(Issue("error", "value", where, what))

    def leave(self, where: str, what: str) -> None:
        """What could be left out, if the client is lenient."""
        if self.strict:
            self.issues.append(Issue("error", "not-supported", where, what))
        else:
            self.ignored.append(f"{where}: {what}")

    def take(self, name: str, value: str, *, posted: bool) -> None:
        """One parameter."""
        if name in self.seen and name not in _REPEATED:
            self.fault(name, "This is given twice.")
        self.seen.add(name)
        match name:
            case "_outputFormat":
                if value.replace(" ", "+") not in FORMATS:
                    self.fault(name, f"Files are written as {NDJSON} only.")
            case "_since":
                self._since(value)
            case "_type":
                for type_ in value.split(","):
                    self._type(type_)
            case "_typeFilter":
                for one in _SEVERAL.split(value):
                    self._filter(one)
            case "_elements":
                for one in value.split(","):
                    self._element(one)
            case "patient" if posted and self.level != "system":
                self._patient(value)
            case "_format" | "_pretty":
                pass
            case _:
                self.leave(name, "An export takes _outputFormat, _since, _type, _typeFilter, _elements and patient.")

    def _since(self, value: str) -> None:
        if not dates.is_instant(value):
            self.fault("_since", "This is an instant: a date, a time and a zone.")
        else:
            self.since = dates.span(value).low

    def _type(self, type_: str) -> None:
        if type_ not in resource_types():
            self.fault("_type", "There is no such resource type in FHIR R4.")
        elif type_ in NOT_EXPORTED:
            self.leave("_type", f"{type_} is not exported.")
        elif self.level != "system" and type_ not in compartment_types():
            self.leave("_type", f"{type_} belongs to no patient; ask for it by an export of the system.")
        else:
            self.types.append(type_)

    def _filter(self, text: str) -> None:
        type_, mark, query = text.partition("?")
        if not mark or type_ not in resource_types():
            self.fault("_typeFilter", "This is written as a search: Observation?status=final.")
        else:
            self.filters.append((type_, query))

    def _element(self, text: str) -> None:
        head, dot, tail = text.partition(".")
        type_, name = (head, tail) if dot else (None, head)
        table = definitions.table(type_) if type_ else None
        if not name or "." in name or (type_ is not None and (table is None or type_ not in resource_types())):
            self.fault("_elements", "This is the name of an element, with or without its type: Patient.name.")
        else:
            self.elements.append(text)

    def _patient(self, text: str) -> None:
        found = references.parse(text)
        if found.type != "Patient" or found.id is None:
            self.fault("patient", "This is a reference to a Patient.")
        else:
            self.patients.append(found.id)
