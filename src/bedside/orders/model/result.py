"""Which resources are results that somebody has to see, and which of them are critical. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bedside.fhir.dates import span

CRITICAL = frozenset({"AA", "HH", "LL"})
"""Flags of a value that cannot wait: critically abnormal, high, low.
Source: HL7 v3 ObservationInterpretation (terminology.hl7.org/CodeSystem/v3-ObservationInterpretation, 2018-08-12).
"""
CATEGORIES = frozenset({"laboratory", "imaging"})
"""Of Observations: those that come back of an order, as hl7.org/fhir/R4/valueset-observation-category.html names them;
vital signs are monitoring's, and have alarms."""
SAID = frozenset({"preliminary", "final", "amended", "corrected", "appended", "partial"})
"""States in which there is something to see."""
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
HISTORY = timedelta(days=60)
"""What was issued longer ago than this when it came is history that somebody brought along, and waits for nobody.
Site choice; hazard H141."""


BROUGHT = ("urn:bedside:arrival", "history")
"""A tag (meta.tag) by which whoever writes a whole record from another system says that its results were seen there."""


class Arrived(msgspec.Struct, frozen=True):
    """A version of a result as it came. digest: of all that it says, server metadata aside. parts: the results that a
    report holds."""

    ref: str
    patient: str
    version: int
    critical: bool
    withdrawn: bool
    digest: bytes
    parts: tuple[str, ...] = ()


class Waiting(msgspec.Struct, frozen=True):
    """A result that nobody has seen. ref: Observation/… or DiagnosticReport/…; version: the newest that is known."""

    ref: str
    patient: str
    version: int
    critical: bool
    arrived_at: datetime
    seen_at: datetime | None = None
    seen_by: str | None = None
    seen_by_name: str | None = None
    note: str = ""


def in_question(resource: dict[str, Any]) -> bool:
    """Whether a resource, valid or not, may be a result that somebody has to see."""
    if resource.get("status") not in SAID | WITHDRAWN or _brought(resource):
        return False
    return resource.get("resourceType") == "DiagnosticReport" or bool(CATEGORIES & set(_codes(resource, "category")))


def arrived(resource: dict[str, Any], now: datetime) -> Arrived | None:
    """A valid resource as a result; None where it is none, or history."""
    subject = str((resource.get("subject") or {}).get("reference") or "")
    if not in_question(resource) or not subject.startswith("Patient/"):
        return None
    told = (
        resource.get("issued")
        or resource.get("effectiveDateTime")
        or (resource.get("effectivePeriod") or {}).get("end")
    )
    if told and span(told)[1] < now - HISTORY:
        return None
    parts = tuple(str(one["reference"]) for one in resource.get("result") or () if one.get("reference"))
    said = {name: value for name, value in resource.items() if name not in ("meta", "text")}
    return Arrived(
        ref=f"{resource['resourceType']}/{resource['id']}",
        patient=subject.partition("/")[2].partition("/")[0],
        version=int(resource["meta"]["versionId"]),
        critical=bool(CRITICAL & set(_codes(resource, "interpretation"))),
        withdrawn=resource["status"] in WITHDRAWN,
        digest=hashlib.sha256(msgspec.json.encode(said, order="sorted")).digest(),
        parts=parts,
    )


def reported(parts: tuple[str, ...]) -> list[str]:
    """The Observations of a report that this record holds."""
    return [one for one in parts if one.startswith("Observation/") and one.count("/") == 1]


def _brought(resource: dict[str, Any]) -> bool:
    tags = (resource.get("meta") or {}).get("tag") or ()
    return any((tag.get("system"), tag.get("code")) == BROUGHT for tag in tags)


def _codes(resource: dict[str, Any], name: str) -> list[str]:
    """Every code of a list of concepts."""
    return [str(c.get("code")) for one in resource.get(name) or () for c in one.get("coding") or ()]
