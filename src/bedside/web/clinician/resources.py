"""Reading FHIR resources for a page: their words, dates and whether they still count. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from bedside.fhir.concepts import codes

Resource = dict[str, Any]


def moment(text: str | None) -> datetime | None:
    """A FHIR date or dateTime as an instant, for sorting and drawing; a date alone is its midnight, UTC."""
    if not text:
        return None
    if "T" in text:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    first = date.fromisoformat((text + "-01-01")[:10])
    return datetime(first.year, first.month, first.day, tzinfo=UTC)


def effective(resource: Resource) -> str | None:
    """When an observation or report is of."""
    period = resource.get("effectivePeriod") or {}
    return (
        resource.get("effectiveDateTime")
        or resource.get("effectiveInstant")
        or period.get("start")
        or resource.get("issued")
    )


def newest_first(resources: Iterable[Resource], *fields: str) -> list[Resource]:
    """By the first of the fields that is there, newest first; what has none last."""
    return sorted(resources, key=lambda r: next((r[f] for f in fields if r.get(f)), ""), reverse=True)


def number_of(patient: Resource) -> str | None:
    """The medical record number (identifier of type MR), else the first identifier that has no other type."""
    identifiers = patient.get("identifier") or []
    record = next((i for i in identifiers if "MR" in codes(i.get("type"))), None)
    chosen = record or next((i for i in identifiers if not i.get("type")), None)
    return str(chosen["value"]) if chosen and chosen.get("value") else None


def telephone_of(patient: Resource) -> str | None:
    """The first telephone number."""
    for contact in patient.get("telecom") or []:
        if contact.get("system") == "phone" and contact.get("value"):
            return str(contact["value"])
    return None
